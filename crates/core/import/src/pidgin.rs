//! Pidgin's folder: `accounts.xml`, `blist.xml`, `logs/jabber/<account>/<peer>/<date>.<zone>.{html,txt}`, and
//! libotr's files.

mod accounts;
mod clock;
mod log;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sotto_otr::import;

use self::accounts::Accounts;
use crate::contacts::Contacts;
use crate::folder::{Folder, SourceFile, file_name};
use crate::found::{Calls, Conversation, Found, Problem, Program, ScanError};
use crate::reader::HistoryFile;
use crate::xml::{Token, Tokens, attribute, decode};

pub(crate) use log::log;

const ACCOUNTS: &str = "accounts.xml";
const CONTACTS: &str = "blist.xml";
const LOGS: &str = "logs";
const PRIVATE_KEY: &str = "otr.private_key";
const FINGERPRINTS: &str = "otr.fingerprints";
const INSTANCE_TAGS: &str = "otr.instance_tags";
/// Conversations that are taken.
const MOST_CONVERSATIONS: usize = 50_000;

pub(crate) fn scan(mut folder: Folder, zone: &TimeZone) -> Result<Found, ScanError> {
    if ![ACCOUNTS, LOGS, PRIVATE_KEY, FINGERPRINTS]
        .iter()
        .any(|name| folder.has(name))
    {
        return Err(ScanError::NotThisProgram);
    }
    let accounts = accounts::read(&mut folder);
    let contacts = read_contacts(&mut folder);
    let conversations = read_logs(&mut folder, &accounts, &contacts, zone);
    let mut found = Found {
        program: Program::Pidgin,
        folder: folder.root().to_owned(),
        needs_master: false,
        conversations,
        messages: 0,
        calls: Calls::default(),
        keys: Vec::new(),
        trust: Vec::new(),
        tags: Vec::new(),
        settings_file: accounts.file.filter(|_| accounts.all_taken),
        accounts: accounts.list,
        key_files: Vec::new(),
        bytes: 0,
        problems: Vec::new(),
    };
    read_keys(&mut folder, &mut found);
    found.problems = folder.into_problems();
    Ok(found)
}

/// An address without its resource, in lower case as Pidgin compares it.
pub(crate) fn bare(address: &str) -> String {
    address
        .split('/')
        .next()
        .unwrap_or(address)
        .trim()
        .to_lowercase()
}

fn read_contacts(folder: &mut Folder) -> Contacts {
    /// One name of a person is not longer.
    const LONGEST_NAME: usize = 1024;
    let mut contacts = Contacts::default();
    let Some((_, bytes)) = folder.read(CONTACTS) else {
        return contacts;
    };
    let mut account: Option<String> = None;
    let mut address = String::new();
    let mut names: Vec<String> = Vec::new();
    let mut field: Option<&str> = None;
    let text = String::from_utf8_lossy(&bytes);
    for token in Tokens::new(&text) {
        match token {
            Token::Start {
                name: "buddy",
                attributes,
                empty: false,
            } => {
                account = attribute(attributes, "account");
                address.clear();
                names.clear();
            }
            Token::Start {
                name: "setting",
                attributes,
                empty: false,
            } => {
                let servernick = attribute(attributes, "name").as_deref() == Some("servernick");
                field = servernick.then_some("alias");
            }
            Token::Start { name, .. } => field = Some(name),
            Token::Text(text) if text.len() <= LONGEST_NAME => match field {
                Some("name") => address = decode(text),
                Some("alias") => names.push(decode(text)),
                _ => {}
            },
            Token::End("buddy") => {
                if let Some(account) = account.take()
                    && !address.is_empty()
                {
                    contacts.add(&bare(&account), &bare(&address), &names);
                }
            }
            Token::End(_) => field = None,
            Token::Text(_) | Token::Cdata(_) => {}
        }
    }
    contacts
}

fn read_logs(
    folder: &mut Folder,
    accounts: &Accounts,
    contacts: &Contacts,
    zone: &TimeZone,
) -> Vec<Conversation> {
    let mut threads: BTreeMap<(String, String), Vec<HistoryFile>> = BTreeMap::new();
    let logs = folder.root().join(LOGS);
    for network in folder.list(&logs).folders {
        let is_xmpp = file_name(&network) == Some("jabber");
        for account_folder in folder.list(&network).folders {
            let peers = folder.list(&account_folder).folders;
            if !is_xmpp {
                let count = peers.len() as u64;
                folder.problem(Problem::OtherConversations { count });
                continue;
            }
            let account = file_name(&account_folder).map(|name| bare(&unescape(name)));
            for path in peers {
                let Some(name) = file_name(&path) else {
                    folder.problem(Problem::ConversationsUnclear { count: 1 });
                    continue;
                };
                if name.ends_with(".chat") {
                    folder.problem(Problem::Rooms { count: 1 });
                    continue;
                }
                // What happened to the connection, not what was said.
                if name == ".system" {
                    continue;
                }
                let peer = bare(&unescape(name));
                let Some(account) = account.as_deref().filter(|name| name.contains('@')) else {
                    folder.problem(Problem::ConversationsUnclear { count: 1 });
                    continue;
                };
                let place = (account.to_owned(), peer);
                if !threads.contains_key(&place) && threads.len() >= MOST_CONVERSATIONS {
                    folder.problem(Problem::TooMany);
                    break;
                }
                let files = threads.entry(place).or_default();
                read_thread(folder, &path, zone, files);
            }
        }
    }
    threads
        .into_iter()
        .map(|((account, peer), mut files)| {
            files.sort_by_cached_key(begun);
            let own_names = accounts.names(&account);
            let mut peer_names = vec![peer.clone()];
            for contact in contacts.at(&peer) {
                peer_names.extend(contact.names.iter().cloned());
            }
            // One name for both tells nobody.
            peer_names.retain(|name| !own_names.contains(name));
            Conversation {
                account,
                peer,
                messages: 0,
                program: Program::Pidgin,
                files,
                own_names,
                peer_names,
            }
        })
        .collect()
}

fn begun(file: &HistoryFile) -> i64 {
    let (at, zone) = &file.begun;
    let at = zone.to_timestamp(*at);
    at.map_or(i64::MIN, |at| at.as_millisecond())
}

fn read_thread(folder: &mut Folder, path: &Path, zone: &TimeZone, files: &mut Vec<HistoryFile>) {
    for path in folder.list(path).files {
        let begun = file_name(&path).and_then(|name| parse_name(name, zone));
        let Some(begun) = begun else {
            let name = folder.name(&path);
            folder.problem(Problem::FileUnreadable { name });
            continue;
        };
        if let Some(source) = folder.source(&path) {
            files.push(HistoryFile { source, begun });
        }
    }
}

/// `2014-03-21.143210+0100CET.html`, and without a zone as older versions wrote it.
fn parse_name(name: &str, system: &TimeZone) -> Option<(DateTime, TimeZone)> {
    let name = name
        .strip_suffix(".html")
        .or_else(|| name.strip_suffix(".txt"))?;
    let number = |range: std::ops::Range<usize>| -> Option<i16> {
        let digits = name.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let small = |range| number(range).and_then(|value| i8::try_from(value).ok());
    let marks: Vec<u8> = [4, 7, 10]
        .into_iter()
        .filter_map(|at| name.as_bytes().get(at).copied())
        .collect();
    if marks != *b"--." {
        return None;
    }
    let at = DateTime::new(
        number(0..4)?,
        small(5..7)?,
        small(8..10)?,
        small(11..13)?,
        small(13..15)?,
        small(15..17)?,
        0,
    )
    .ok()?;
    let zone = name.get(17..22).and_then(crate::jitsi::parse_offset);
    let zone = zone.map_or_else(|| system.clone(), TimeZone::fixed);
    Some((at, zone))
}

/// `%2f` in a folder's name stands for a character that names of files cannot have.
fn unescape(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn read_keys(folder: &mut Folder, found: &mut Found) {
    if let Some((source, text)) = read_text(folder, PRIVATE_KEY) {
        match import::private_keys(&text) {
            Ok(keys) => {
                found.keys = keys;
                found.key_files.push(source);
            }
            Err(import::ImportError::Empty) => {}
            Err(_) => folder.problem(Problem::KeyUnusable {
                account: PRIVATE_KEY.into(),
            }),
        }
    }
    if let Some((source, text)) = read_text(folder, FINGERPRINTS) {
        match import::fingerprints(&text) {
            Ok(trust) => {
                found.trust = trust;
                found.key_files.push(source);
            }
            Err(_) => folder.problem(Problem::FileTooLarge {
                name: FINGERPRINTS.into(),
            }),
        }
    }
    if let Some((source, text)) = read_text(folder, INSTANCE_TAGS) {
        match import::instance_tags(&text) {
            Ok(tags) => {
                found.tags = tags;
                found.key_files.push(source);
            }
            Err(_) => folder.problem(Problem::FileTooLarge {
                name: INSTANCE_TAGS.into(),
            }),
        }
    }
}

fn read_text(folder: &mut Folder, name: &str) -> Option<(SourceFile, zeroize::Zeroizing<String>)> {
    let (source, bytes) = folder.read(name)?;
    Some((source, crate::folder::text(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_log_says_when_it_began_and_in_which_zone() {
        let utc = TimeZone::UTC;
        let (at, zone) = parse_name("2014-03-21.143210+0100CET.html", &utc).expect("it reads");
        assert_eq!(
            zone.to_timestamp(at).expect("in range").as_millisecond(),
            1_395_408_730_000
        );
        let (at, zone) = parse_name("2005-01-02.030405.txt", &utc).expect("it reads");
        assert_eq!(
            zone.to_timestamp(at).expect("in range").as_millisecond(),
            1_104_635_045_000
        );
        for wrong in [
            "",
            "x.html",
            "2014-03-21.html",
            "2014-99-21.143210.html",
            "é014-03-21.143210.html",
        ] {
            assert!(parse_name(wrong, &utc).is_none(), "{wrong}");
        }
    }

    #[test]
    fn characters_that_no_file_can_have_come_back() {
        assert_eq!(unescape("a%2fb%40c%"), "a/b@c%");
        assert_eq!(unescape("%d8%b3"), "س");
    }
}
