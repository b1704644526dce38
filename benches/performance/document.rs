//! The pages for people.

use crate::figures::{Beside, Figures, Hashes, Sample, StoreFigures, store_name};
use crate::peers::{BetterAuth, Footprint, PeerRow};
use crate::rounds::ROUNDS;
use crate::service::CONFIGURATION;
use crate::settings::Settings;
use std::fmt::Write;
use std::path::Path;
use std::{fs, io};
use vestibule_benches::place::Memory;
use vestibule_benches::plot;
use vestibule_benches::table::{Table, number};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");
/// Everything between them is a run's; the rest of the page is written by hand.
const FROM: &str = "<!-- What follows is written by `make bench`. -->\n";
const TO: &str = "<!-- What precedes is written by `make bench`. -->\n";

pub(crate) fn write(figures: &Figures, settings: &Settings) -> io::Result<()> {
    let text = text(figures, settings).map_err(io::Error::other)?;
    println!("\n{text}");
    let path = Path::new(FOLDER).join("performance.md");
    let page = fs::read_to_string(&path)?;
    let page = replaced(&page, &text).ok_or_else(|| io::Error::other("docs/performance.md has lost its two marks"))?;
    fs::write(&path, page)?;
    let bars = figures.bars();
    let plot = plot::svg("Answers a second at 64 connections, by what each is held against", &bars);
    fs::write(Path::new(FOLDER).join("performance.svg"), plot.map_err(io::Error::other)?)
}

fn replaced(page: &str, text: &str) -> Option<String> {
    let (before, rest) = page.split_once(FROM)?;
    let (_, after) = rest.split_once(TO)?;
    Some(format!("{before}{FROM}\n{text}\n{TO}{after}"))
}

fn text(figures: &Figures, settings: &Settings) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        "Measured on {}; each load {ROUNDS} times for {:.1} s.",
        figures.machine,
        settings.measured.as_secs_f64()
    )?;
    let configuration: Vec<_> = CONFIGURATION.map(|(name, value)| format!("`{name}={value}`")).into();
    writeln!(out, "The service runs by its defaults but for {}.\n", configuration.join(", "))?;
    writeln!(out, "![The ratios to their floors](performance.svg)\n")?;
    writeln!(out, "### Goals\n\n{}", goals(figures))?;
    writeln!(
        out,
        "argon2id (19 MiB, 2 passes, 1 lane) by the crate `argon2`, on one thread: {} a second.\n",
        number(figures.reference_hashes)
    )?;
    for store in &figures.stores {
        writeln!(out, "### {}\n\n{}\n{}", store_name(store.kind), operations(store), beside(store))?;
        writeln!(
            out,
            "One client without HTTP: {} reads by key and {} durable inserts a second.\n\n{}",
            number(store.statements.selects),
            number(store.statements.commits),
            memory(store)
        )?;
        if !store.growth.is_empty() {
            writeln!(out, "{}", growth(store))?;
        }
    }
    if let Some(better_auth) = &figures.better_auth {
        writeln!(out, "### Beside better-auth\n\n{}", peer(better_auth))?;
    }
    let allocations: Vec<_> = figures.allocations.iter().map(|(name, count)| format!("`{name}` {count:.1}")).collect();
    writeln!(out, "Allocations of one request, from the socket to the socket: {}.", allocations.join(", "))?;
    Ok(out)
}

fn goals(figures: &Figures) -> Table {
    let mut table = Table::new(["What", "Goal", "Found", ""]);
    for goal in figures.goals() {
        let verdict = if goal.is_met() { "met" } else { "**missed**" };
        let (wanted, found) = (number(goal.limit), number(goal.found));
        let unit = goal.unit;
        let wanted = format!("{} {wanted} {unit}", goal.sign());
        table.row([goal.what, wanted, format!("{found} {unit}"), verdict.to_owned()]);
    }
    table
}

fn beside(store: &StoreFigures) -> Table {
    let head = ["Connections", "hello, a second", "p99 at half", "p99 at a fifth", "bare me, Axum", "bare me, Actix"];
    let mut table = Table::new(head);
    for row in &store.rows {
        let Some(Beside { hello, actix }) = row.beside else { continue };
        table.row([
            row.connections.to_string(),
            number(hello.per_second),
            format!("{:.2} ms", hello.latency.p99),
            relaxed(hello),
            number(row.floor),
            number(actix),
        ]);
    }
    table
}

fn relaxed(sample: Sample) -> String {
    sample.relaxed.map_or_else(String::new, |latency| format!("{:.2} ms", latency.p99))
}

fn operations(store: &StoreFigures) -> Table {
    let head = [
        "Request",
        "Connections",
        "A second",
        "Floor",
        "Ratio",
        "Bare hashes, argon2-rust",
        "Bare hashes, own",
        "Median at half",
        "p99 at half",
        "p99 at a fifth",
        "Failed",
    ];
    let mut table = Table::new(head);
    for row in &store.rows {
        let service = row.service;
        let bare = |by: fn(Hashes) -> f64| row.hashes.map_or_else(String::new, |hashes| number(by(hashes)));
        table.row([
            row.operation.to_owned(),
            row.connections.to_string(),
            number(service.per_second),
            number(row.floor),
            format!("{:.2}", service.per_second / row.floor),
            bare(|hashes| hashes.argon2_rust),
            bare(|hashes| hashes.own),
            format!("{:.2} ms", service.latency.median),
            format!("{:.2} ms", service.latency.p99),
            relaxed(service),
            service.failed.to_string(),
        ]);
    }
    table
}

fn peer(better_auth: &BetterAuth) -> String {
    let BetterAuth { versions, rows, of_service, of_peer } = better_auth;
    let head = ["Request", "Connections", "Vestibule, a second", "better-auth, a second", "Ratio", "Failed"];
    let mut requests = Table::new(head);
    for PeerRow { kind, connections, service, peer, failed } in rows {
        let ratio = format!("{:.2}", service / peer);
        let (name, connections) = (kind.name().to_owned(), connections.to_string());
        requests.row([name, connections, number(*service), number(*peer), ratio, failed.to_string()]);
    }
    let mut footprints = Table::new(["", "Ready after", "Resident, idle", "Most resident"]);
    for (name, Footprint { start, idle, most }) in [("Vestibule", of_service), ("better-auth", of_peer)] {
        footprints.row([name.to_owned(), format!("{:.0} ms", start.as_secs_f64() * 1e3), mib(*idle), mib(*most)]);
    }
    format!("{versions}; both on PostgreSQL.\n\n{requests}\n{footprints}")
}

fn mib(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

fn memory(store: &StoreFigures) -> Table {
    let mut table = Table::new(["Memory", "Resident", "Of that its own", "Most resident"]);
    let mut row = |name, memory: &Memory| table.row([name, mib(memory.now), mib(memory.own), mib(memory.peak)]);
    row("idle, after a start that hashes".to_owned(), &store.idle);
    for (kind, memory) in &store.memory {
        row(format!("after {}", kind.name()), memory);
    }
    if let Some(after) = &store.after {
        row("a minute later".to_owned(), after);
    }
    table
}

fn growth(store: &StoreFigures) -> Table {
    let mut table = Table::new(["Users", "Login without the hash", "Refresh", "First page", "Deep page"]);
    for at in store.growth.iter().flat_map(|growth| [growth.few, growth.many]) {
        let times = [at.login, at.refresh, at.first_page, at.deep_page].map(|time| format!("{} µs", number(time)));
        let [login, refresh, first_page, deep_page] = times;
        table.row([at.users.to_string(), login, refresh, first_page, deep_page]);
    }
    table
}
