//! Readers of single files, for tests that damage them.

use std::io::Cursor;
use std::path::PathBuf;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::found::{Conversation, Program};
use crate::reader::{Piece, Pieces};

/// Reads messages of Jitsi's. How many there were.
pub fn jitsi_messages(bytes: &[u8]) -> usize {
    drain(Box::new(crate::jitsi::messages(Box::new(Cursor::new(
        bytes.to_vec(),
    )))))
}

/// Reads a log of Pidgin's with this name. How many messages there were.
pub fn pidgin_log(name: &str, bytes: &[u8]) -> usize {
    let conversation = Conversation {
        account: "sara@example.org".into(),
        peer: "leila@example.org".into(),
        messages: 0,
        program: Program::Pidgin,
        files: Vec::new(),
        own_names: vec!["sara@example.org".into(), "Sara".into()],
        peer_names: vec!["leila@example.org".into(), "Leila".into()],
    };
    let begun = (
        DateTime::constant(2014, 3, 21, 14, 32, 10, 0),
        TimeZone::UTC,
    );
    drain(crate::pidgin::log(
        Box::new(Cursor::new(bytes.to_vec())),
        &PathBuf::from(name),
        begun,
        &conversation,
    ))
}

fn drain(mut pieces: Box<dyn Pieces>) -> usize {
    let mut messages = 0;
    while let Ok(Some(piece)) = pieces.next() {
        messages += usize::from(matches!(piece, Piece::Message(_)));
    }
    messages
}
