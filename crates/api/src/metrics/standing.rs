//! What is looked up when somebody asks.

use super::process;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use vestibule_domain::Ports;

#[derive(Debug)]
pub(super) struct Standing {
    ports: Arc<Ports>,
    /// In seconds since the epoch.
    started_at: f64,
}

impl Standing {
    pub(super) fn new(ports: Arc<Ports>) -> Self {
        let started_at = seconds(ports.clock.now().as_millis());
        Self { ports, started_at }
    }

    fn events(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Decisions in the audit trail, by type";
        let mut events = encoder.encode_descriptor("vestibule_security_events", help, None, MetricType::Counter)?;
        for (kind, count) in self.ports.tally.counts() {
            ConstCounter::new(count).encode(events.encode_family(&[("type", kind.as_str())])?)?;
        }
        Ok(())
    }

    fn service(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let followed = self.ports.snapshots.are_fresh(self.ports.clock.monotonic());
        let help = "1 while the change feed is read and requests are answered from memory, else 0";
        gauge(encoder, "vestibule_feed_followed", help, None, u32::from(followed))?;
        let ahead = seconds(self.ports.drift.ahead_millis());
        let help = "By how much this process's clock is ahead of the store's";
        gauge(encoder, "vestibule_clock_ahead", help, Some(&Unit::Seconds), ahead)?;
        let mut version = encoder.encode_descriptor("vestibule_build", "What runs", None, MetricType::Info)?;
        version.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])
    }

    /// Under the names that all Prometheus clients have for it.
    fn process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "When it started, since the epoch";
        gauge(encoder, "process_start_time", help, Some(&Unit::Seconds), self.started_at)?;
        if let Some(bytes) = process::resident_memory() {
            gauge(encoder, "process_resident_memory", "Memory in use", Some(&Unit::Bytes), bytes)?;
        }
        match process::open_files() {
            Some(open) => gauge(encoder, "process_open_fds", "Open files and sockets", None, open),
            None => Ok(()),
        }
    }
}

impl Collector for Standing {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.events(&mut encoder)?;
        self.service(&mut encoder)?;
        self.process(&mut encoder)
    }
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: impl EncodeGaugeValue,
) -> fmt::Result {
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?)
}

fn seconds(millis: i64) -> f64 {
    let distance = Duration::from_millis(millis.unsigned_abs()).as_secs_f64();
    if millis < 0 { -distance } else { distance }
}
