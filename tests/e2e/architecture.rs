//! The arrows between the crates, `cli → {api, infrastructure, sqlite} → domain` and
//! `infrastructure → argon2id`, and what they are built from.

use cargo_metadata::semver::Version;
use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn workspace() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let mut command = MetadataCommand::new();
    command.manifest_path(manifest).features(CargoOpt::AllFeatures).other_options(["--locked".to_owned()]);
    command.exec().expect("the workspace's metadata")
}

/// The workspace's own crates that `name` is built from.
fn arrows<'a>(metadata: &'a Metadata, name: &str) -> BTreeSet<&'a str> {
    let package = metadata.workspace_packages().into_iter().find(|package| package.name == name);
    let dependencies = &package.unwrap_or_else(|| panic!("there is no crate {name}")).dependencies;
    let own: BTreeSet<_> = metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    let built_from = dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    built_from.map(|dependency| dependency.name.as_str()).filter(|name| own.contains(name)).collect()
}

/// Every crate that `name` is built from, at any depth.
fn tree(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let nodes = &metadata.resolve.as_ref().expect("a resolved graph").nodes;
    let package = metadata.workspace_packages().into_iter().find(|package| package.name == name).expect("the crate");
    let (mut pending, mut seen) = (vec![package.id.clone()], BTreeSet::new());
    while let Some(id) = pending.pop() {
        let node = nodes.iter().find(|node| node.id == id).expect("a node");
        let built_from = node
            .deps
            .iter()
            .filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development));
        pending.extend(built_from.map(|dependency| dependency.pkg.clone()).filter(|id| seen.insert(id.clone())));
    }
    seen.iter().map(|id| metadata[id].name.to_string()).collect()
}

#[test]
fn arrows_run_one_way() {
    let metadata = workspace();
    for (name, built_from) in [
        ("vestibule-argon2id", &[][..]),
        ("vestibule-domain", &[]),
        ("vestibule-api", &["vestibule-domain"]),
        ("vestibule-infrastructure", &["vestibule-argon2id", "vestibule-domain"]),
        ("vestibule-sqlite", &["vestibule-domain"]),
        ("vestibule", &["vestibule-api", "vestibule-domain", "vestibule-infrastructure", "vestibule-sqlite"]),
    ] {
        assert_eq!(arrows(&metadata, name), built_from.iter().copied().collect(), "of {name}");
    }
}

#[test]
fn two_files_alone_are_let_off_the_ban_on_unsafe_code() {
    let crates = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates"));
    let mut pending = vec![crates.to_owned()];
    let mut let_off = Vec::new();
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && fs::read_to_string(&path).unwrap().contains("expect(unsafe_code")
            {
                let_off.push(path.strip_prefix(crates).unwrap().to_owned());
            }
        }
    }
    let_off.sort();
    assert_eq!(let_off, [Path::new("argon2id/src/avx2/mod.rs"), Path::new("cli/src/c_library.rs")]);
    let argon2id = fs::read_to_string(crates.join(&let_off[0])).unwrap();
    assert_eq!(argon2id.matches("unsafe {").count(), 1, "docs/decisions/0031");
}

#[test]
fn the_domain_knows_no_http_no_sql_and_no_runtime() {
    let tree = tree(&workspace(), "vestibule-domain");
    for stranger in ["axum", "http", "hyper", "reqwest", "sqlx", "sqlx-core", "tokio", "tower"] {
        assert!(!tree.contains(stranger), "the domain is built from {stranger}");
    }
}

#[test]
fn the_api_knows_no_sql() {
    let tree = tree(&workspace(), "vestibule-api");
    let sql: Vec<_> = tree.iter().filter(|name| name.contains("sqlx") || name.contains("sqlite")).collect();
    assert_eq!(sql, Vec::<&String>::new());
}

#[test]
fn the_binary_has_neither_openssl_nor_the_rsa_crate() {
    let tree = tree(&workspace(), "vestibule");
    for banned in ["native-tls", "openssl", "openssl-sys", "rsa"] {
        assert!(!tree.contains(banned), "the binary is built from {banned}");
    }
}

/// RUSTSEC-2021-0020, RUSTSEC-2021-0078 (hyper), CVE-2022-3212 (axum-core), RUSTSEC-2024-0003, RUSTSEC-2024-0332,
/// RUSTSEC-2026-0258 (h2), RUSTSEC-2024-0363 (sqlx), RUSTSEC-2024-0421 (idna), CVE-2025-58160 (tracing-subscriber),
/// CVE-2026-25537 (jsonwebtoken; it is in no list that `cargo deny` reads).
#[test]
fn r38_nothing_older_is_built_in_than_what_mended_its_last_flaw() {
    let metadata = workspace();
    for (name, floor) in [
        ("axum-core", Version::new(0, 5, 0)),
        ("bytes", Version::new(1, 11, 1)),
        ("h2", Version::new(0, 4, 20)),
        ("hyper", Version::new(1, 12, 0)),
        ("idna", Version::new(1, 0, 3)),
        ("jsonwebtoken", Version::new(11, 0, 0)),
        ("sqlx", Version::new(0, 8, 1)),
        ("tracing-subscriber", Version::new(0, 3, 20)),
    ] {
        let versions = metadata.packages.iter().filter(|package| package.name == name).map(|package| &package.version);
        let oldest = versions.min().unwrap_or_else(|| panic!("{name} is not built in"));
        assert!(*oldest >= floor, "{name} {oldest} is older than {floor}");
    }
    // Not built in today, and not to come in by the back door.
    for (name, floor) in [
        ("ed25519-dalek", Version::new(2, 0, 0)),
        ("lettre", Version::new(0, 11, 22)),
        ("time", Version::new(0, 3, 47)),
    ] {
        let mut versions = metadata.packages.iter().filter(|package| package.name == name);
        assert!(versions.all(|package| package.version >= floor), "{name} is older than {floor}");
    }
}
