//! What the sources and the build promise: where `unsafe` stands, how releases are built, which C code is in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{MetadataCommand, Package, TargetKind};

/// Where `unsafe` may stand, by library or program; everything else forbids it.
const UNSAFE: &[(&str, &[&str])] = &[
    // The page that holds the key, and the allocator of SQLite that wipes.
    ("sotto_store", &["src/key/database.rs", "src/wipe.rs"]),
    // What Slint makes of the window; none of ours.
    ("sotto_desktop", &["src/lib.rs"]),
];

/// Crates that find or build C code.
const BUILDERS: &[&str] = &["bindgen", "cc", "cmake", "pkg-config", "vcpkg"];

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn s_proc_03_unsafe_is_forbidden_but_in_the_named_files() {
    let mut wrong = Vec::new();
    for package in workspace() {
        let folder = package
            .manifest_path
            .parent()
            .expect("a manifest lies in a folder");
        let mut allowed: Vec<&str> = Vec::new();
        for target in &package.targets {
            let shipped = [TargetKind::Lib, TargetKind::Bin];
            if !target.kind.iter().any(|kind| shipped.contains(kind)) {
                continue;
            }
            let exception = UNSAFE.iter().find(|(name, _)| *name == target.name);
            allowed.extend(
                exception
                    .iter()
                    .flat_map(|(_, files)| files.iter().copied()),
            );
            let root = std::fs::read_to_string(&target.src_path).expect("the source reads");
            let forbids = root.contains("#![forbid(unsafe_code)]");
            if forbids != exception.is_none() {
                wrong.push(format!("{}: forbids it: {forbids}", target.src_path));
            }
        }
        for file in sources(folder.as_std_path()) {
            let inside = file.strip_prefix(folder).expect("it lies there");
            let text = std::fs::read_to_string(&file).expect("the source reads");
            let text = text.replace("forbid(unsafe_code)", "");
            // Split, so that this file does not find itself.
            let allows = text.contains(concat!("unsafe", "_code"));
            if allows != allowed.iter().any(|path| inside == Path::new(path)) {
                wrong.push(format!("{}: allows it: {allows}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn s_proc_03_releases_check_their_arithmetic() {
    let manifest = read("Cargo.toml");
    let release = &manifest["profile"]["release"];
    assert_eq!(release["overflow-checks"].as_bool(), Some(true));
    // A panic that is to be contained unwinds (S-PROC-07).
    assert_eq!(release["panic"].as_str(), Some("unwind"));
    assert_eq!(
        manifest["workspace"]["lints"]["rust"][concat!("unsafe", "_code")].as_str(),
        Some("deny")
    );
}

#[test]
fn s_proc_05_c_code_is_listed_with_its_versions() {
    let locked: BTreeMap<String, String> = read("Cargo.lock")["package"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|package| {
            let text = |key: &str| Some(package.get(key)?.as_str()?.to_owned());
            Some((text("name")?, text("version")?))
        })
        .collect();
    let document = std::fs::read_to_string(Path::new(ROOT).join("docs/hardening.md"))
        .expect("the document is part of the project");
    let listed: BTreeMap<&str, &str> = document.lines().filter_map(row).collect();
    assert!(listed.len() > 3, "{listed:?}");
    let mut wrong = Vec::new();
    for (name, version) in &listed {
        if locked.get(*name).map(String::as_str) != Some(*version) {
            wrong.push(format!("{name} is {:?}, not {version}", locked.get(*name)));
        }
    }
    for name in with_c_code() {
        if !listed.contains_key(name.as_str()) {
            wrong.push(format!("{name} is not listed"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A row of the table: a crate and its version.
fn row(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.strip_prefix("| `")?.split(" | ");
    let name = cells.next()?.strip_suffix('`')?;
    let version = cells.next()?;
    let numeric = version.starts_with(|c: char| c.is_ascii_digit());
    numeric.then_some((name, version))
}

/// Crates in the programs for Linux that build or look for C code when they are compiled.
fn with_c_code() -> Vec<String> {
    let tree = Command::new(env!("CARGO"))
        .current_dir(ROOT)
        .args([
            "tree",
            "--offline",
            "--locked",
            "--prefix",
            "depth",
            "--edges",
            "normal,build",
        ])
        .args([
            "--target",
            "x86_64-unknown-linux-gnu",
            "-p",
            "sotto",
            "-p",
            "sotto-cli",
        ])
        .output()
        .expect("cargo runs");
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let mut above: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for line in String::from_utf8(tree.stdout)
        .expect("names of crates")
        .lines()
    {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(depth) = line[..digits].parse::<usize>() else {
            continue;
        };
        let name = line[digits..].split(' ').next().unwrap_or_default();
        above.truncate(depth);
        if BUILDERS.contains(&name)
            && let Some(parent) = above.last()
            && !BUILDERS.contains(&parent.as_str())
            && !found.contains(parent)
        {
            found.push(parent.clone());
        }
        above.push(name.to_owned());
    }
    assert!(found.len() > 3, "{found:?}");
    found
}

fn read(name: &str) -> toml::Value {
    let text = std::fs::read_to_string(Path::new(ROOT).join(name)).expect("it reads");
    text.parse::<toml::Table>().expect("it is TOML").into()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder reads") {
        let path = entry.expect("the folder reads").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn workspace() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(Path::new(ROOT).join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo metadata reads this workspace");
    metadata.packages
}
