//! On what it was measured, and with which versions.

use crate::stores::{postgres_version, wait_for};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use std::fs;
use std::process::Command;

pub(crate) fn describe() -> String {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let vectors = ["avx512f", "avx2"].into_iter().find(|name| cpus.contains(name)).unwrap_or("neither AVX2 nor more");
    // Not what this thread may use, which is pinned.
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{cores} cores ({cpu}, {vectors}), {:.0} GiB, Linux {}, {}, PostgreSQL {}, SQLite {}, commit {}, {}",
        memory.unwrap_or_default() as f64 / 1024.0 / 1024.0,
        kernel.trim(),
        output("rustc", &["--version"]),
        postgres_version(),
        sqlite_version(),
        output("git", &["describe", "--always", "--dirty", "--abbrev=10"]),
        output("date", &["--utc", "--iso-8601"]),
    )
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

fn sqlite_version() -> String {
    wait_for(async {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("memory");
        sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await.expect("a version")
    })
}
