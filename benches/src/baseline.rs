//! Whether a function got slower than it was, on whatever machine: by its ratio to a floor of the same run.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// Nanoseconds, or how many, by name.
pub type Figures = BTreeMap<String, f64>;

/// What cannot be done for less. The yardstick of what has no other floor is the SHA-256 of 64 bytes.
pub fn floor_of(name: &str) -> Option<&'static str> {
    let (area, rest) = name.split_once('/')?;
    match area {
        "floor" | "allocations" => None,
        "token" if rest.ends_with("sign") => Some("floor/Ed25519/sign"),
        "token" => Some("floor/Ed25519/verify"),
        "http" => Some("floor/hello"),
        "read" => Some("floor/select"),
        "write" => Some("floor/commit"),
        "hash" => Some("hash/reference/m=19456,t=2,p=1"),
        _ => Some("floor/sha256"),
    }
}

/// Every figure by its floor; counts as they are.
pub fn ratios(figures: &Figures) -> Figures {
    let ratio = |(name, value): (&String, &f64)| {
        let by = match floor_of(name) {
            Some(floor) => *figures.get(floor)?,
            None if name.starts_with("allocations/") => 1.0,
            None => return None,
        };
        Some((name.clone(), value / by))
    };
    figures.iter().filter_map(ratio).collect()
}

/// The medians that Criterion left in a folder, in nanoseconds.
///
/// # Errors
/// If the folder cannot be read, or holds what Criterion never wrote.
pub fn medians(folder: &Path) -> io::Result<Figures> {
    let mut figures = Figures::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.ends_with("new") {
                let benchmark = json(&path.join("benchmark.json"))?;
                let estimates = json(&path.join("estimates.json"))?;
                let name = benchmark.get("full_id").and_then(Value::as_str);
                let median = estimates.pointer("/median/point_estimate").and_then(Value::as_f64);
                let (Some(name), Some(median)) = (name, median) else { return Err(io::ErrorKind::InvalidData.into()) };
                figures.insert(name.to_owned(), median);
            } else if path.is_dir() {
                pending.push(path);
            }
        }
    }
    Ok(figures)
}

/// # Errors
/// If there is no such file, or it is no object of numbers.
pub fn read(path: &Path) -> io::Result<Figures> {
    let value = json(path)?;
    let members = value.as_object().ok_or(io::ErrorKind::InvalidData)?;
    let figure = |(name, value): (&String, &Value)| Some((name.clone(), value.as_f64()?));
    members.iter().map(|member| figure(member).ok_or_else(|| io::ErrorKind::InvalidData.into())).collect()
}

/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, ratios: &Figures) -> io::Result<()> {
    let rounded = |(name, ratio): (&String, &f64)| (name.clone(), Value::from((ratio * 1e4).round() / 1e4));
    let object: Map<_, _> = ratios.iter().map(rounded).collect();
    fs::write(path, serde_json::to_string_pretty(&object)? + "\n")
}

fn json(path: &Path) -> io::Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

/// Those that are worse than they were by more than the tolerance, each with what it was and what it is.
pub fn worse<'a>(was: &'a Figures, is: &Figures, tolerance: f64) -> Vec<(&'a str, f64, f64)> {
    let pair = |(name, was): (&'a String, &f64)| Some((name.as_str(), *was, *is.get(name)?));
    was.iter().filter_map(pair).filter(|(_, was, is)| *is > was * tolerance).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(figures: &[(&str, f64)]) -> Figures {
        figures.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn a_machine_that_is_twice_as_slow_has_the_same_ratios() {
        let run = |speed: f64| figures(&[("floor/sha256", 100.0 * speed), ("email/parse", 250.0 * speed)]);
        assert_eq!(ratios(&run(1.0)), figures(&[("email/parse", 2.5)]));
        assert_eq!(ratios(&run(1.0)), ratios(&run(2.0)));
    }

    #[test]
    fn allocations_are_counted_not_compared_with_a_floor() {
        assert_eq!(ratios(&figures(&[("allocations/me", 40.0)])), figures(&[("allocations/me", 40.0)]));
    }

    #[test]
    fn only_what_got_worse_by_more_than_the_tolerance_is_told() {
        let was = figures(&[("a", 1.0), ("b", 1.0), ("c", 1.0), ("gone", 1.0)]);
        let is = figures(&[("a", 1.4), ("b", 1.2), ("c", 0.5), ("new", 9.0)]);
        assert_eq!(worse(&was, &is, 1.3), [("a", 1.0, 1.4)]);
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let path = std::env::temp_dir().join(format!("vestibule-baseline-{}.json", std::process::id()));
        let ratios = figures(&[("token/EdDSA/verify", 1.2345)]);
        write(&path, &ratios).unwrap();
        assert_eq!(read(&path).unwrap(), ratios);
        fs::remove_file(&path).unwrap();
    }
}
