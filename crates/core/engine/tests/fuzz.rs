//! The fuzz targets' bodies over their seeds, and over seeds with changed bytes.

mod fuzz_bodies;

use std::path::Path;

fn changed(bytes: &[u8], body: impl Fn(&[u8])) {
    body(bytes);
    let mut state = bytes.len() as u64 + 1;
    for _ in 0..5 {
        let mut copy = bytes.to_vec();
        for _ in 0..3 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let place = (state >> 33) as usize % copy.len().max(1);
            if let Some(byte) = copy.get_mut(place) {
                *byte ^= (state >> 24) as u8;
            }
        }
        body(&copy);
        copy.truncate(copy.len() / 2);
        body(&copy);
    }
}

#[test]
fn texts() {
    for line in include_str!("data/blns.txt").lines() {
        changed(line.as_bytes(), fuzz_bodies::text);
    }
}

#[test]
fn pictures() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for folder in ["pngsuite/ok", "pictures"] {
        for entry in std::fs::read_dir(data.join(folder)).expect("it is part of the crate") {
            let bytes = std::fs::read(entry.expect("it reads").path()).expect("it reads");
            changed(&bytes, fuzz_bodies::picture);
        }
    }
}
