//! The arrows between the crates: `cli → {api, infrastructure, sqlite} → domain`.

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand};
use std::collections::BTreeSet;

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
        ("vestibule-domain", &[][..]),
        ("vestibule-api", &["vestibule-domain"]),
        ("vestibule-infrastructure", &["vestibule-domain"]),
        ("vestibule-sqlite", &["vestibule-domain"]),
        ("vestibule", &["vestibule-api", "vestibule-domain", "vestibule-infrastructure", "vestibule-sqlite"]),
    ] {
        assert_eq!(arrows(&metadata, name), built_from.iter().copied().collect(), "of {name}");
    }
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
