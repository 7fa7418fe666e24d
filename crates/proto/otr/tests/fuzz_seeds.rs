//! The fuzz targets as plain tests: over the seeds in `testing/fuzz/seeds` and mutations of each.

#![allow(
    clippy::disallowed_methods,
    reason = "a virtual clock begins at some instant"
)]

mod fuzz_bodies;
#[path = "../../../../testing/fuzz/seeds.rs"]
mod seeds;

use fuzz_bodies::Random;

fn over_seeds(target: &str, mutations: u32, body: fn(&[u8])) {
    for seed in seeds::seeds(target) {
        body(&seed);
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        for _ in 0..mutations {
            let mut bytes = seed.clone();
            for _ in 0..=random.next() % 4 {
                let at = usize::try_from(random.next() >> 1).expect("64-bit tests");
                let at = at % bytes.len().max(1);
                match random.next() % 3 {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at.min(bytes.len()), random.next().to_le_bytes()[2]),
                    _ => {
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte ^= 1 << (random.next() % 8);
                        }
                    }
                }
            }
            body(&bytes);
        }
    }
}

#[test]
fn any_text_may_come_in() {
    over_seeds("otr_receive", 60, fuzz_bodies::fuzz_receive);
}

#[test]
fn any_order_of_events_may_happen() {
    over_seeds("otr_session", 20, fuzz_bodies::fuzz_session);
}
