#![no_main]

#[path = "../../../crates/proto/otr/tests/fuzz_bodies/mod.rs"]
mod fuzz_bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_bodies::fuzz_session(data));
