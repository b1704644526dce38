//! `make bench-quick`: compares what Criterion measured with the committed baseline, by the ratio of each function to
//! its floor. `BASELINE=write` makes today's ratios the baseline.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench that cannot be set up has to stop, and reports"
)]

mod allocations;
mod one_thread;

use std::path::Path;
use std::process::ExitCode;
use vestibule_benches::baseline::{self, Figures};
use vestibule_benches::table::Table;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.json");
/// By which a ratio may get worse. A busy machine moves most of them by a tenth; what waits for a disk by more.
const TOLERANCE: f64 = 1.35;

fn main() -> ExitCode {
    let folder = std::env::var("CRITERION_HOME").expect("CRITERION_HOME: started by `make bench-quick`");
    let mut figures = baseline::medians(Path::new(&folder)).expect("what Criterion measured");
    let allocations = allocations::per_request();
    figures.extend(allocations.into_iter().map(|(name, count)| (format!("allocations/{name}"), count)));
    let ratios = baseline::ratios(&figures);
    if std::env::var("BASELINE").is_ok_and(|value| value == "write") {
        baseline::write(Path::new(BASELINE), &ratios).expect("a file");
    }
    let committed = baseline::read(Path::new(BASELINE)).expect("benches/baseline.json");
    println!("{}", table(&figures, &ratios, &committed));
    let worse = baseline::worse(&committed, &ratios, TOLERANCE);
    for (name, was, is) in &worse {
        println!("WORSE: {name} was {was:.2} and is {is:.2}, more than {TOLERANCE} × as much");
    }
    let missing: Vec<_> = committed.keys().filter(|name| !ratios.contains_key(*name)).collect();
    if !missing.is_empty() {
        println!("MISSING: {missing:?} stand in the baseline and were not measured");
    }
    if worse.is_empty() && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn table(figures: &Figures, ratios: &Figures, committed: &Figures) -> Table {
    let mut table = Table::new(["Function", "ns", "Ratio", "Baseline"]);
    for (name, figure) in figures {
        let show = |ratio: Option<&f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        table.row([name.clone(), format!("{figure:.0}"), show(ratios.get(name)), show(committed.get(name))]);
    }
    table
}
