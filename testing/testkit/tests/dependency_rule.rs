//! Keeps the rule of ARCHITECTURE.md: `apps → core → proto`, never back; shells know `api` and `runtime` only.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Which crates of ours each crate of ours may use, in what it ships. Tests may also use the test kit.
const ALLOWED: &[(&str, &[&str])] = &[
    ("sotto-xmpp", &[]),
    ("sotto-otr", &[]),
    ("sotto-api", &[]),
    ("sotto-store", &["sotto-api"]),
    ("sotto-import", &["sotto-otr"]),
    (
        "sotto-engine",
        &[
            "sotto-api",
            "sotto-store",
            "sotto-import",
            "sotto-xmpp",
            "sotto-otr",
        ],
    ),
    (
        "sotto-runtime",
        &["sotto-api", "sotto-store", "sotto-engine", "sotto-xmpp"],
    ),
    ("sotto", &["sotto-api", "sotto-runtime"]),
    ("sotto-cli", &["sotto-api", "sotto-runtime"]),
];

/// Crates that no pure protocol crate may use: they do I/O or start tasks.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio-rustls",
    "rustls",
    "hickory-resolver",
    "rusqlite",
    "rustix",
    "getrandom",
    "keyring",
];

#[test]
fn crates_use_only_what_the_architecture_allows() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = ALLOWED
        .iter()
        .map(|(name, uses)| (*name, uses.iter().copied().collect()))
        .collect();
    let mut broken = Vec::new();
    for package in workspace() {
        let testing = package.manifest_path.as_str().contains("/testing/");
        let Some(allowed) = allowed.get(package.name.as_str()) else {
            if !testing {
                broken.push(format!("{} is not in the table of this test", package.name));
            }
            continue;
        };
        for dependency in ours(&package, &[DependencyKind::Normal, DependencyKind::Build]) {
            if !allowed.contains(dependency.as_str()) {
                broken.push(format!("{} must not use {dependency}", package.name));
            }
        }
        for dependency in ours(&package, &[DependencyKind::Development]) {
            if !allowed.contains(dependency.as_str()) && dependency != "sotto-testkit" {
                broken.push(format!(
                    "tests of {} must not use {dependency}",
                    package.name
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn protocol_crates_use_nothing_that_does_io() {
    let mut broken = Vec::new();
    for package in workspace() {
        if !package.manifest_path.as_str().contains("/crates/proto/") {
            continue;
        }
        for dependency in &package.dependencies {
            if dependency.kind == DependencyKind::Normal
                && IMPURE.contains(&dependency.name.as_str())
            {
                broken.push(format!("{} must not use {}", package.name, dependency.name));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn workspace() -> Vec<cargo_metadata::Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo metadata reads this workspace");
    metadata.packages
}

fn ours(package: &cargo_metadata::Package, kinds: &[DependencyKind]) -> Vec<String> {
    package
        .dependencies
        .iter()
        .filter(|d| kinds.contains(&d.kind) && (d.name == "sotto" || d.name.starts_with("sotto-")))
        .map(|d| d.name.clone())
        .collect()
}
