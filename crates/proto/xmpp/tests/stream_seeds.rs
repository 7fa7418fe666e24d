//! The fuzz targets of the stream as plain tests: over the seeds in `testing/fuzz/seeds`, and over
//! simple mutations of each.

#![allow(
    clippy::disallowed_methods,
    reason = "a virtual clock begins at some instant"
)]

#[path = "../../../../testing/fuzz/seeds.rs"]
mod seeds;
mod stream_bodies;

/// Runs a target over its seeds, their beginnings, and each with a byte changed.
fn over_seeds(target: &str, body: fn(&[u8])) {
    for seed in seeds::seeds(target) {
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
