//! Files that were damaged in every way: no panic, no hang, and nothing grows.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{copy, look, sample};
use sotto_import::{LONGEST_RECORD, Program, fuzz};

/// How many damaged copies of each history are read.
const COPIES: u32 = 10_000;
/// How many of each file of settings: for each the whole folder is looked at.
const SETTINGS_COPIES: u32 = 200;

/// SplitMix64: the same damage at every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or_default()
    }

    /// Flips, cuts, doubles and swaps a few pieces.
    fn damage(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let length = self.below(64).min(bytes.len() - at);
            match self.below(6) {
                0 => {
                    let value = self.next() as u8;
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = value;
                    }
                }
                1 => bytes.truncate(at),
                2 => drop(bytes.drain(at..at + length)),
                3 => {
                    let piece = bytes.get(at..at + length).unwrap_or_default().to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                4 => {
                    const PIECES: [&[u8]; 16] = [
                        b"<",
                        b">",
                        b"\"",
                        b"]]>",
                        b"<![CDATA[",
                        b"<record",
                        b"</record>",
                        b"&#0;",
                        b"&#xffffffff;",
                        b"\xff\xfe",
                        b"\0\0\0\0",
                        b"\n",
                        b"\\u",
                        b"(99:99)",
                        b"\xd9\xa1",
                        b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
                    ];
                    let piece = PIECES.get(self.below(PIECES.len())).copied();
                    bytes.splice(at..at, piece.unwrap_or_default().iter().copied());
                }
                _ => bytes.reverse(),
            }
        }
        bytes
    }
}

fn read(path: &str) -> Vec<u8> {
    fs::read(sample(path)).expect("the sample is there")
}

fn samples(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("it reads") {
        let path = entry.expect("it reads").path();
        if path.is_dir() {
            found.extend(samples(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn damaged_histories_of_jitsi_are_read_to_their_end() {
    let mut chance = Chance(1);
    let history = sample("jitsi-2.8").join("history_ver1.0/messages");
    for path in samples(&history, ".xml") {
        let original = fs::read(path).expect("it reads");
        for _ in 0..COPIES {
            fuzz::jitsi_messages(&chance.damage(&original));
        }
    }
}

#[test]
fn damaged_logs_of_pidgin_are_read_to_their_end() {
    let mut chance = Chance(2);
    let logs = sample("pidgin-2.14").join("logs/jabber/sara@example.org/leila@example.org");
    for path in samples(&logs, "") {
        let name = path.to_string_lossy().into_owned();
        let original = fs::read(path).expect("it reads");
        for _ in 0..COPIES {
            fuzz::pidgin_log(&name, &chance.damage(&original));
        }
    }
}

#[test]
fn damaged_settings_contacts_keys_and_calls_are_looked_at_without_harm() {
    let mut chance = Chance(3);
    for (program, folder, files) in [
        (
            Program::Jitsi,
            "jitsi-2.8",
            &[
                "sip-communicator.properties",
                "contactlist.xml",
                "history_ver1.0/callhistory/default/default/1395410400000.xml",
            ][..],
        ),
        (
            Program::Jitsi,
            "sip-communicator-1.0",
            &["sip-communicator.xml"][..],
        ),
        (
            Program::Pidgin,
            "pidgin-2.14",
            &[
                "accounts.xml",
                "blist.xml",
                "otr.private_key",
                "otr.fingerprints",
                "otr.instance_tags",
            ][..],
        ),
    ] {
        for file in files {
            let original = read(&format!("{folder}/{file}"));
            let home = tempfile::tempdir().expect("a folder");
            let place = home.path().join(file);
            fs::create_dir_all(place.parent().expect("a folder")).expect("folders");
            // Something that makes it the program's folder, whatever becomes of the file.
            fs::create_dir_all(home.path().join("history_ver1.0")).expect("a folder");
            fs::create_dir_all(home.path().join("logs")).expect("a folder");
            for round in 0..SETTINGS_COPIES {
                fs::write(&place, chance.damage(&original)).expect("it writes");
                let master = (round % 2 == 0).then_some("swordfish");
                // That the master password is wrong is an answer as well.
                if let Ok(found) = look(program, home.path(), master) {
                    assert!(found.accounts.len() < 100 && found.problems.len() < 300);
                }
            }
        }
    }
}

#[test]
fn piles_of_openings_and_endless_lines_take_no_longer_than_their_length() {
    for piece in [
        "<record",
        "<record>",
        "<record timestamp='",
        "<a \">'",
        "]]>",
        "&",
        "<![CDATA[",
    ] {
        fuzz::jitsi_messages(piece.repeat(2_000_000 / piece.len()).as_bytes());
    }
    for piece in [
        "(14:32:22) Leila: x\n",
        "(14:32:22) ",
        "<font color=\"#A82F2F\"><font size=\"2\">(14:32:22)</font> <b>Leila:</b></font> <a href='<a ",
        "<font size=\"2\">(",
        "\n",
    ] {
        let pile = piece.repeat(2_000_000 / piece.len());
        fuzz::pidgin_log("a.txt", pile.as_bytes());
        fuzz::pidgin_log("a.html", pile.as_bytes());
    }
}

#[test]
fn no_message_is_longer_than_the_bound() {
    let (_home, root) = copy("pidgin-2.14");
    let log =
        root.join("logs/jabber/sara@example.org/leila@example.org/2014-03-24.090000+0100CET.txt");
    let mut text = String::from("(09:00:00) Leila: ");
    for _ in 0..10 {
        text.push_str(&"x".repeat(LONGEST_RECORD / 4));
        text.push('\n');
    }
    text.push_str("(09:00:01) Leila: short\n");
    fs::write(&log, text).expect("it writes");
    let found = common::found(Program::Pidgin, &root, None);
    let all = common::messages(common::with(&found, "leila@example.org"));
    assert_eq!(all.len(), 13);
    assert!(
        all.iter()
            .all(|message| message.text.len() <= LONGEST_RECORD)
    );
    assert!(all.iter().any(|message| message.text == "short"));
}
