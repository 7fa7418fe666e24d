//! What is left in the memory of the process after the profile is closed: no key, no passphrase.
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::os::unix::fs::FileExt;

use common::{Profile, account, add, incoming};
use sotto_api::{Protection, Secret};
use sotto_store::{KeyFile, Store};

/// Bytes to look for, kept so that looking does not find the list itself.
struct Hidden(Vec<u8>);

impl Hidden {
    fn new(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|byte| byte ^ 0x55).collect())
    }

    fn count_in(&self, memory: &[u8]) -> usize {
        memory
            .windows(self.0.len())
            .filter(|window| {
                window
                    .iter()
                    .zip(&self.0)
                    .all(|(found, hidden)| found ^ 0x55 == *hidden)
            })
            .count()
    }
}

/// How often each stands in the writable memory of this process.
fn occurrences(hidden: &[Hidden]) -> Vec<usize> {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("proc");
    let memory = File::open("/proc/self/mem").expect("proc");
    let mut counts = vec![0; hidden.len()];
    for line in maps.lines() {
        let mut parts = line.split_whitespace();
        let (Some(range), Some(rights)) = (parts.next(), parts.next()) else {
            continue;
        };
        if !rights.starts_with("rw") || line.ends_with("[vvar]") {
            continue;
        }
        let (start, end) = range.split_once('-').expect("a range");
        let start = u64::from_str_radix(start, 16).expect("a number");
        let end = u64::from_str_radix(end, 16).expect("a number");
        let mut bytes = vec![0; usize::try_from(end - start).expect("it fits")];
        let read = memory.read_at(&mut bytes, start).unwrap_or(0);
        for (count, hidden) in counts.iter_mut().zip(hidden) {
            *count += hidden.count_in(&bytes[..read]);
        }
        // Or the next buffer holds what this one saw.
        bytes.fill(0);
    }
    counts
}

#[test]
fn s_store_08_10_no_key_and_no_passphrase_is_left_in_memory() {
    let profile = Profile::new();
    // Built here, so that the constant part of the program does not hold it.
    let words: String = ["correct", "horse", "battery", "staple"]
        .map(str::to_uppercase)
        .join("/");
    let passphrase = Hidden::new(words.as_bytes());
    let protection = Protection::Passphrase {
        passphrase: Secret::new(words),
    };
    let (_, key) = KeyFile::create_job(&profile.dir, protection)
        .run()
        .expect("it makes");
    let file = KeyFile::load(&profile.dir)
        .expect("it loads")
        .expect("a key file");

    let store = Store::open(&profile.dir, &key).expect("it opens");
    let conversation = store
        .conversation_open(account(&store), "leila@example.org")
        .expect("it opens");
    add(&store, &incoming(conversation, "hello"));

    let (raw, hexadecimal) = sotto_store::key_bytes_for_tests(&key, |bytes| {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let hidden = (Hidden::new(bytes), Hidden::new(digits.as_bytes()));
        let mut digits = digits.into_bytes();
        digits.fill(0);
        drop(digits);
        hidden
    });
    let hidden = [raw, hexadecimal, passphrase];
    assert!(
        occurrences(&hidden)[0] > 0,
        "the key in use is found: the test looks in the right place"
    );

    store.close().expect("it closes");
    drop(key);
    drop(file);
    assert_eq!(
        occurrences(&hidden),
        [0, 0, 0],
        "key, key in hexadecimal, passphrase"
    );
}
