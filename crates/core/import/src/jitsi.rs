//! Jitsi's folder: `sip-communicator.properties` or `.xml`, `contactlist.xml`, `history_ver1.0`.

mod accounts;
mod history;
mod keys;
mod names;
mod password;
pub(crate) mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use self::accounts::Accounts;
use self::properties::Properties;
use crate::contacts::Contacts;
use crate::folder::{Folder, SourceFile, file_name};
use crate::found::{Calls, Conversation, Found, Problem, Program, ScanError};
use crate::reader::HistoryFile;
use crate::xml::{Token, Tokens, attribute};

pub use history::CallReader;
pub(crate) use history::{messages, parse_offset};

const SETTINGS: [&str; 2] = ["sip-communicator.properties", "sip-communicator.xml"];
const CONTACTS: &str = "contactlist.xml";
const HISTORY: &str = "history_ver1.0";
/// Conversations that are taken.
const MOST_CONVERSATIONS: usize = 50_000;

/// What keys of settings of Jitsi's own begin with.
const PREFIX: &str = "net.java.sip.communicator.";

pub(crate) fn scan(mut folder: Folder, master: Option<&str>) -> Result<Found, ScanError> {
    if !SETTINGS
        .iter()
        .chain([&CONTACTS, &HISTORY])
        .any(|name| folder.has(name))
    {
        return Err(ScanError::NotThisProgram);
    }
    let (settings_file, properties) = read_settings(&mut folder);
    let accounts = accounts::read(&mut folder, &properties, master)?;
    let contacts = read_contacts(&mut folder);
    let rooms = rooms(&properties);
    let known = names::Known::new(contacts.addresses());
    let mut threads = Threads::default();
    let messages = folder.root().join(HISTORY).join("messages");
    for local in folder.list(&messages).folders {
        for first in folder.list(&local).folders {
            read_level(
                &mut folder,
                &first,
                &accounts,
                (&contacts, &known),
                &rooms,
                &mut threads,
            );
        }
    }
    let otr = keys::read(&mut folder, &properties, &accounts, &contacts, &threads);
    let settings_file = settings_file.filter(|_| accounts.all_taken && otr.all_taken);
    let calls = read_calls(&mut folder);
    Ok(Found {
        program: Program::Jitsi,
        folder: folder.root().to_owned(),
        needs_master: accounts.needs_master,
        accounts: accounts.list,
        conversations: threads.into_conversations(),
        messages: 0,
        calls,
        keys: otr.keys,
        trust: otr.trust,
        tags: Vec::new(),
        settings_file,
        key_files: Vec::new(),
        bytes: 0,
        problems: folder.into_problems(),
    })
}

fn read_settings(folder: &mut Folder) -> (Option<SourceFile>, Properties) {
    for name in SETTINGS {
        if let Some((source, bytes)) = folder.read(name) {
            let properties = if name.ends_with(".xml") {
                Properties::from_xml(&bytes)
            } else {
                Properties::parse(&bytes)
            };
            return (Some(source), properties);
        }
    }
    (None, Properties::default())
}

fn read_contacts(folder: &mut Folder) -> Contacts {
    let mut contacts = Contacts::default();
    if let Some((_, bytes)) = folder.read(CONTACTS) {
        for token in Tokens::new(&String::from_utf8_lossy(&bytes)) {
            if let Token::Start {
                name: "contact",
                attributes,
                ..
            } = token
                && let Some(account) = attribute(attributes, "account-id")
                && let Some(address) = attribute(attributes, "address")
            {
                contacts.add(&account, &address, &[]);
            }
        }
    }
    contacts
}

/// Rooms that were saved.
fn rooms(properties: &Properties) -> BTreeSet<String> {
    properties
        .iter()
        .filter(|(key, value)| key.contains(".chatRooms.") && value.contains('@'))
        .map(|(_, value)| value.to_lowercase())
        .collect()
}

/// The conversations that were met, each with its files.
#[derive(Default)]
struct Threads {
    files: BTreeMap<(String, String), Vec<(u64, SourceFile)>>,
}

impl Threads {
    fn peers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .keys()
            .map(|(account, peer)| (account.as_str(), peer.as_str()))
    }

    fn into_conversations(self) -> Vec<Conversation> {
        self.files
            .into_iter()
            .map(|((account, peer), mut files)| {
                files.sort_by_key(|(begun, _)| *begun);
                Conversation {
                    account,
                    peer,
                    messages: 0,
                    program: Program::Jitsi,
                    files: files
                        .into_iter()
                        .map(|(_, source)| HistoryFile {
                            source,
                            begun: (DateTime::MIN, TimeZone::UTC),
                        })
                        .collect(),
                    own_names: Vec::new(),
                    peer_names: Vec::new(),
                }
            })
            .collect()
    }
}

/// A folder below the local one: an account with its conversations, or, as older versions had it, a conversation.
fn read_level(
    folder: &mut Folder,
    path: &Path,
    accounts: &Accounts,
    (contacts, known): (&Contacts, &names::Known),
    rooms: &BTreeSet<String>,
    threads: &mut Threads,
) {
    let listing = folder.list(path);
    if has_history(&listing.files) {
        let peer = file_name(path).and_then(|name| names::original(name, known));
        let account = peer
            .as_deref()
            .and_then(|peer| accounts.of_contact(contacts, peer));
        read_thread(
            folder,
            &listing.files,
            account,
            peer,
            rooms,
            contacts,
            threads,
        );
    }
    if listing.folders.is_empty() {
        return;
    }
    let account = match file_name(path).and_then(|name| accounts.of_folder(name)) {
        Some(account) => account,
        None => {
            let count = listing.folders.len() as u64;
            folder.problem(Problem::OtherConversations { count });
            return;
        }
    };
    for path in listing.folders {
        let files = folder.list(&path).files;
        if has_history(&files) {
            let peer = file_name(&path).and_then(|name| names::original(name, known));
            let account = Some(account.clone());
            read_thread(folder, &files, account, peer, rooms, contacts, threads);
        }
    }
}

fn read_thread(
    folder: &mut Folder,
    files: &[std::path::PathBuf],
    account: Option<String>,
    peer: Option<String>,
    rooms: &BTreeSet<String>,
    contacts: &Contacts,
    threads: &mut Threads,
) {
    let Some((account, peer)) = account.zip(peer) else {
        folder.problem(Problem::ConversationsUnclear { count: 1 });
        return;
    };
    if is_room(&peer, rooms, contacts) {
        folder.problem(Problem::Rooms { count: 1 });
        return;
    }
    let place = (account, peer);
    if !threads.files.contains_key(&place) && threads.files.len() >= MOST_CONVERSATIONS {
        folder.problem(Problem::TooMany);
        return;
    }
    let known = threads.files.entry(place).or_default();
    for path in files {
        if let Some(begun) = begun(path)
            && let Some(source) = folder.source(path)
        {
            known.push((begun, source));
        }
    }
}

/// Whether it is a room or somebody in a room: it was saved as one, or its server's name says so.
fn is_room(peer: &str, rooms: &BTreeSet<String>, contacts: &Contacts) -> bool {
    let bare = peer.split('/').next().unwrap_or(peer).to_lowercase();
    if rooms.contains(&bare) {
        return true;
    }
    let service = bare.split_once('@').map_or("", |(_, domain)| domain);
    let first = service.split('.').next().unwrap_or_default();
    let usual = ["conference", "conf", "muc", "rooms", "chat", "groupchat"];
    service.contains('.') && usual.contains(&first) && contacts.at(&bare).is_empty()
}

/// When a file was begun, by its name: `<milliseconds since 1970>.xml`.
fn begun(path: &Path) -> Option<u64> {
    file_name(path)?.strip_suffix(".xml")?.parse().ok()
}

fn has_history(files: &[std::path::PathBuf]) -> bool {
    files.iter().any(|path| begun(path).is_some())
}

fn read_calls(folder: &mut Folder) -> Calls {
    let place = folder
        .root()
        .join(HISTORY)
        .join("callhistory/default/default");
    let mut files: Vec<(u64, SourceFile)> = Vec::new();
    for path in folder.list(&place).files {
        if let Some(begun) = begun(&path)
            && let Some(source) = folder.source(&path)
        {
            files.push((begun, source));
        }
    }
    files.sort_by_key(|(begun, _)| *begun);
    Calls {
        count: 0,
        files: files.into_iter().map(|(_, source)| source).collect(),
    }
}
