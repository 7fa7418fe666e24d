//! What the suites share: the sample folders, and copies of them that may be changed.
#![allow(dead_code, reason = "each suite uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use sotto_import::{Conversation, Found, Message, Program, ScanError, scan};

pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// A copy of a sample, in a folder that goes with the first value.
pub fn copy(name: &str) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path().canonicalize().expect("it is there").join(name);
    copy_folder(&sample(name), &root);
    (home, root)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the sample is there") {
        let entry = entry.expect("it reads");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("it copies");
        }
    }
}

pub fn look(program: Program, folder: &Path, master: Option<&str>) -> Result<Found, ScanError> {
    scan(program, folder, master, &TimeZone::UTC)
}

pub fn found(program: Program, folder: &Path, master: Option<&str>) -> Found {
    look(program, folder, master).expect("it is the program's folder")
}

pub fn with<'a>(found: &'a Found, peer: &str) -> &'a Conversation {
    found
        .conversations
        .iter()
        .find(|conversation| conversation.peer == peer)
        .expect("the conversation")
}

pub fn messages(conversation: &Conversation) -> Vec<Message> {
    let mut reader = conversation.open();
    std::iter::from_fn(|| reader.next_message()).collect()
}

/// `> text` for own messages, `< text` for others', after the time in seconds.
pub fn shown(conversation: &Conversation) -> Vec<String> {
    messages(conversation)
        .iter()
        .map(|message| {
            let mark = if message.outgoing { '>' } else { '<' };
            format!("{} {mark} {}", message.at / 1000, message.text)
        })
        .collect()
}
