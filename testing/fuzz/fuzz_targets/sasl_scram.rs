#![no_main]

#[path = "../../../crates/proto/xmpp/tests/stream_bodies/mod.rs"]
mod stream_bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| stream_bodies::sasl_scram(data));
