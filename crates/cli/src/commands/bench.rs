//! `vestibule bench`: how many passwords this machine hashes, and which parameters it could afford.

use crate::config::{Config, Inputs, duration};
use crate::failure::Failure;
use crate::output;
use crate::wire::{WireError, cost};
use std::thread;
use std::time::{Duration, Instant};
use vestibule_infrastructure::crypto::{
    Argon2Cost, Argon2Error, Argon2Implementation, Argon2Trial, ComputationError, suggest_cost,
};

/// Longer than a hash takes, so that a part of one does not count.
const LONG_ENOUGH: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
#[command(after_help = "Hashes as the service does, for a few seconds and without a database. On a machine that does \
                        nothing else it says how many logins a second to expect; everything else in a login takes less \
                        than a tenth of the time of its hash.

Examples:
  vestibule bench
  vestibule bench --target 100ms")]
pub(crate) struct BenchArgs {
    /// How long a hash may take with the parameters that are suggested
    #[arg(long, value_name = "DURATION", default_value = "250ms", value_parser = target)]
    target: Duration,
}

fn target(text: &str) -> Result<Duration, String> {
    duration(Duration::from_millis(1), Duration::from_secs(10))(text)
}

pub(crate) fn run(inputs: &Inputs, args: &BenchArgs) -> Result<(), Failure> {
    let config = super::load(inputs)?;
    configured(&config)?;
    suggested(&config, args.target)
}

fn configured(config: &Config) -> Result<(), Failure> {
    let (cost, threads) = (cost(config), config.passwords.hash_threads);
    let implementation = Argon2Implementation::choose(config.passwords.hashing, cost).map_err(failed)?.implementation;
    let one = typical(implementation, cost).map_err(failed)?;
    output::line(format_args!("implementation  {implementation}"))?;
    output::line(format_args!("parameters      {cost}"))?;
    if implementation == Argon2Implementation::Reference {
        output::line(format_args!("one hash        {}", milliseconds(one)))?;
    } else {
        let reference = typical(Argon2Implementation::Reference, cost).map_err(failed)?;
        let (one, reference) = (milliseconds(one), milliseconds(reference));
        output::line(format_args!("one hash        {one}; the reference takes {reference}"))?;
    }
    let all = at_once(implementation, cost, threads).map_err(failed)?;
    let alone = per_second(one);
    output::line(format_args!(
        "logins          {alone:.1} a second on one core; {all:.1} with passwords.hash_threads = {threads}"
    ))?;
    let (each, whole) = (mebibytes(cost.memory_kib), mebibytes(cost.memory_kib.saturating_mul(threads)));
    Ok(output::line(format_args!("memory          {each} for each thread while it hashes, {whole} for {threads}"))?)
}

fn suggested(config: &Config, target: Duration) -> Result<(), Failure> {
    let hashing = config.passwords.hashing;
    let implementation = Argon2Implementation::choose(hashing, Argon2Cost::MINIMUM).map_err(failed)?.implementation;
    let (cost, took) = suggest_cost(target, |cost| typical(implementation, cost)).map_err(failed)?;
    let (rate, memory) = (per_second(took), mebibytes(cost.memory_kib));
    let Argon2Cost { memory_kib, iterations, parallelism } = cost;
    output::line(format_args!(
        "\nFor about {} a hash ({}: {rate:.1} logins a second on one core, {memory} for each thread):\n
[passwords]\nmemory_kib = {memory_kib}\niterations = {iterations}\nparallelism = {parallelism}",
        milliseconds(target),
        milliseconds(took),
    ))?;
    if cost == Argon2Cost::MINIMUM && took > target {
        output::note("less than this is too cheap to guess against");
    }
    Ok(())
}

/// The median of some hashes, without the first, which takes the memory.
fn typical(implementation: Argon2Implementation, cost: Argon2Cost) -> Result<Duration, ComputationError> {
    let mut trial = Argon2Trial::new(implementation, cost);
    trial.hash()?;
    let began = Instant::now();
    let mut times = vec![trial.hash()?, trial.hash()?, trial.hash()?];
    while began.elapsed() < LONG_ENOUGH / 2 {
        times.push(trial.hash()?);
    }
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    Ok(*median)
}

/// Hashes a second in all threads together.
fn at_once(implementation: Argon2Implementation, cost: Argon2Cost, threads: u32) -> Result<f64, ComputationError> {
    let rate = || -> Result<f64, ComputationError> {
        let mut trial = Argon2Trial::new(implementation, cost);
        trial.hash()?;
        let (began, mut hashes) = (Instant::now(), 0_u32);
        while began.elapsed() < LONG_ENOUGH {
            trial.hash()?;
            hashes += 1;
        }
        Ok(f64::from(hashes) / began.elapsed().as_secs_f64())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(rate)).collect();
        // A panic has been logged where it happened, and its thread hashed nothing.
        threads.into_iter().map(|thread| thread.join().unwrap_or(Ok(0.0))).sum()
    })
}

fn per_second(each: Duration) -> f64 {
    1.0 / each.as_secs_f64()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

fn mebibytes(kib: u32) -> String {
    format!("{:.0} MiB", f64::from(kib) / 1_024.0)
}

fn failed(error: ComputationError) -> Failure {
    WireError::from(Argon2Error::Calibration(error)).into()
}
