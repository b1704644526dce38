//! What `SECURITY.md` and `docs/security.md` say, against the tests that they name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const CASES: u16 = 141;

struct Source {
    /// From the root, without `.rs` and without `/mod`.
    path: String,
    text: String,
}

impl Source {
    /// The comments and attributes above the function, and its first line.
    fn head(&self, name: &str) -> Option<String> {
        let lines: Vec<_> = self.text.lines().map(str::trim_start).collect();
        let at = lines.iter().position(|line| line.contains(&format!("fn {name}(")))?;
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("//") || line.starts_with('#'));
        Some(above.copied().chain([lines[at]]).collect::<Vec<_>>().join("\n"))
    }

    /// The names of all functions.
    fn functions(&self) -> impl Iterator<Item = &str> {
        let starts = self.text.match_indices("fn ").map(|(at, found)| at + found.len());
        starts.filter_map(|at| self.text[at..].split_once('(').map(|(name, _)| name)).filter(|name| is_word(name))
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn sources() -> Vec<Source> {
    let (mut folders, mut found) =
        (["crates", "tests", "fuzz"].map(|name| Path::new(ROOT).join(name)).to_vec(), vec![]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(module) = path.to_str().and_then(|path| path.strip_suffix(".rs")) {
                let text = fs::read_to_string(&path).expect("a source");
                let module = module.strip_prefix(ROOT).expect("below the root").trim_end_matches("/mod");
                found.push(Source { path: module.to_owned(), text });
            }
        }
    }
    found
}

/// Each `path::name` between backticks.
fn named(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.split_once("::"));
    quoted.filter(|(path, name)| is_word(&path.replace('/', "_")) && is_word(name)).collect()
}

/// The one source whose path ends so.
fn source<'a>(sources: &'a [Source], path: &str) -> Result<&'a Source, String> {
    let mut found = sources.iter().filter(|source| source.path.ends_with(&format!("/{path}")));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(format!("there is no {path}.rs")),
        (Some(one), Some(other)) => Err(format!("{path} is {} or {}", one.path, other.path)),
    }
}

/// The head of a test, if it is one: it has the attribute, or stands in a list of those that are run on each store.
fn test(sources: &[Source], path: &str, name: &str) -> Result<String, String> {
    let found = source(sources, path)?;
    let head = found.head(name).ok_or_else(|| format!("{path} has no {name}"))?;
    let listed_in = if found.path.contains("/suite/") { source(sources, "testkit/src/suite")? } else { found };
    let words = listed_in.text.split(|c: char| !is_word(c.encode_utf8(&mut [0; 4])));
    let times = words.filter(|word| *word == name).count();
    let is_listed = times > usize::from(std::ptr::eq(found, listed_in));
    if is_listed || head.contains("#[test]") || head.contains("::test") {
        return Ok(head);
    }
    Err(format!("{path}::{name} is no test"))
}

/// The cases that the name of a test begins with: `b22_b23_look_alikes`, `case_65_66_every_claim`.
fn numbers(name: &str) -> Vec<u16> {
    if let Some(rest) = name.strip_prefix("case_") {
        return rest.split('_').filter(|part| *part != "and").map_while(|part| part.parse().ok()).collect();
    }
    let number = |part: &str| {
        let digits = part.strip_prefix(|letter| ('a'..='j').contains(&letter))?;
        matches!(digits.len(), 2 | 3).then(|| digits.parse().ok()).flatten()
    };
    name.split('_').map_while(number).collect()
}

struct Row {
    case: u16,
    origin: String,
    tests: String,
}

fn table(text: &str) -> Vec<Row> {
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let case = cells.get(1)?.parse().ok()?;
        assert_eq!(cells.len(), 6, "the row of case {case}");
        Some(Row { case, origin: cells[3].to_owned(), tests: cells[4].to_owned() })
    });
    rows.collect()
}

fn advisories(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| ["CVE-", "GHSA-", "RUSTSEC-"].iter().any(|kind| word.starts_with(kind)))
}

#[test]
fn every_case_has_its_row() {
    let text = read("docs/security.md");
    let cases: Vec<_> = table(&text).iter().map(|row| row.case).collect();
    assert_eq!(cases, (1..=CASES).collect::<Vec<_>>());
    for row in table(&text).iter().filter(|row| named(&row.tests).is_empty()) {
        let says_why = ["n/a: ", "not yet: "].iter().any(|why| row.tests.starts_with(why));
        assert!(says_why, "case {} has neither a test nor a reason", row.case);
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let sources = sources();
    for document in ["SECURITY.md", "docs/security.md"] {
        let text = read(document);
        let named = named(&text);
        assert!(named.len() > 20, "{document} names tests");
        let missing: Vec<_> = named.into_iter().filter_map(|(path, name)| test(&sources, path, name).err()).collect();
        assert_eq!(missing, Vec::<String>::new(), "in {document}");
    }
}

#[test]
fn every_numbered_test_is_in_the_row_of_its_case() {
    let text = read("docs/security.md");
    let rows = table(&text);
    let listed: BTreeSet<_> =
        rows.iter().flat_map(|row| named(&row.tests).into_iter().map(|(_, name)| (row.case, name))).collect();
    let mut missing = BTreeSet::new();
    for source in &sources() {
        for name in source.functions() {
            let lacking = numbers(name).into_iter().filter(|case| !listed.contains(&(*case, name)));
            missing.extend(lacking.map(|case| format!("{case}: {}::{name}", source.path)));
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

/// So that whoever meets the advisory finds the test, and whoever breaks the test learns why it is there.
#[test]
fn every_advisory_is_named_at_a_test_of_its_case() {
    let (sources, text) = (sources(), read("docs/security.md"));
    let mut missing = Vec::new();
    for row in table(&text).iter().filter(|row| !named(&row.tests).is_empty()) {
        let heads = named(&row.tests).into_iter().filter_map(|(path, name)| test(&sources, path, name).ok());
        let heads: String = heads.collect();
        let shown = |id: &str| heads.contains(id) || heads.contains(&id.to_lowercase().replace('-', "_"));
        missing.extend(advisories(&row.origin).filter(|id| !shown(id)).map(|id| format!("{}: {id}", row.case)));
    }
    assert_eq!(missing, Vec::<String>::new());
}
