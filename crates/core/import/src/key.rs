//! By what a message or call is known again at the next reading.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// Hashes fields so that their borders count.
pub(crate) fn digest(fields: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    let mut key = [0; 16];
    for (to, from) in key.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    key
}

/// Keys of the messages of one conversation. Two that are alike to the time are told apart by their number.
pub(crate) struct Keys {
    conversation: [u8; 16],
    at: i64,
    alike: HashMap<[u8; 16], u64>,
}

/// How many messages of one moment are told apart. More than that are one text over and over.
const MOST_ALIKE: usize = 10_000;

impl Keys {
    pub fn new(program: &str, account: &str, peer: &str) -> Self {
        Self {
            conversation: digest(&[program.as_bytes(), account.as_bytes(), peer.as_bytes()]),
            at: i64::MIN,
            alike: HashMap::new(),
        }
    }

    pub fn next(&mut self, outgoing: bool, at: i64, text: &str) -> [u8; 16] {
        if self.at != at || self.alike.len() >= MOST_ALIKE {
            self.at = at;
            self.alike.clear();
        }
        let message = digest(&[
            &self.conversation,
            &[u8::from(outgoing)],
            &at.to_be_bytes(),
            text.as_bytes(),
        ]);
        let number = self.alike.entry(message).or_default();
        *number += 1;
        if *number == 1 {
            return message;
        }
        digest(&[&message, &number.to_be_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_same_key_at_every_reading_and_its_like_another() {
        let read = || {
            let mut keys = Keys::new("pidgin", "sara@example.org", "leila@example.org");
            [
                keys.next(false, 1, "ok"),
                keys.next(false, 1, "ok"),
                keys.next(true, 1, "ok"),
                keys.next(false, 2, "ok"),
            ]
        };
        let first = read();
        assert_eq!(first, read());
        for (index, key) in first.iter().enumerate() {
            assert!(!first.iter().skip(index + 1).any(|other| other == key));
        }
    }

    #[test]
    fn fields_that_only_run_together_alike_have_different_keys() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
    }
}
