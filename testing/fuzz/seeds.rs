//! The seeds of a fuzz target, for the tests that run the targets' bodies without a fuzzer. They take
//! this file in by its path, so that no crate needs another for it.

use std::fs;
use std::path::Path;

/// The files in `testing/fuzz/seeds/TARGET`, in the order of their names.
///
/// # Panics
/// When there are fewer than three, since a test over none would prove nothing.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../testing/fuzz/seeds")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the seeds lie in the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.sort();
    assert!(files.len() >= 3, "{target} has {} seeds", files.len());
    files
        .iter()
        .map(|file| fs::read(file).expect("a readable seed"))
        .collect()
}
