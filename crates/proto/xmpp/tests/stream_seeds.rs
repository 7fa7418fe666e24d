//! The fuzz targets of the stream as plain tests: over the seeds in `testing/fuzz/seeds`, and over
//! simple mutations of each.

#![allow(
    clippy::disallowed_methods,
    reason = "a virtual clock begins at some instant"
)]

mod stream_bodies;

use std::fs;
use std::path::Path;

/// Runs a target over its seeds, their beginnings, and each with a byte changed.
fn over_seeds(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../testing/fuzz/seeds")
        .join(target);
    let mut seeds = 0;
    for entry in fs::read_dir(&folder).expect("the seeds lie in the repository") {
        let seed = fs::read(entry.expect("a readable folder").path()).expect("a readable seed");
        seeds += 1;
        body(&seed);
        let step = seed.len() / 100 + 1;
        for at in (0..seed.len()).step_by(step) {
            body(&seed[..at]);
            for change in [0x01, 0x20, 0x80, 0xff] {
                let mut changed = seed.clone();
                changed[at] ^= change;
                body(&changed);
            }
        }
    }
    assert!(seeds >= 3, "{target} has {seeds} seeds");
}

#[test]
fn fuzz_target_xml_stream_holds_over_its_seeds() {
    over_seeds("xml_stream", stream_bodies::xml_stream);
}

#[test]
fn fuzz_target_stream_session_holds_over_its_seeds() {
    over_seeds("stream_session", stream_bodies::stream_session);
}

#[test]
fn fuzz_target_sasl_scram_holds_over_its_seeds() {
    over_seeds("sasl_scram", stream_bodies::sasl_scram);
}
