//! `accounts.xml`.

use zeroize::Zeroizing;

use super::{ACCOUNTS, bare};
use crate::folder::{Folder, SourceFile};
use crate::found::{Account, Password, Problem};
use crate::xml::{Token, Tokens, attribute, decode};

/// More accounts than anybody has.
const MOST: usize = 500;
/// The longest value that is of use, in bytes.
const LONGEST: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Accounts {
    pub list: Vec<Account>,
    /// Names under which each account writes: address, name of its own.
    names: Vec<(String, Vec<String>)>,
    pub file: Option<SourceFile>,
    /// Every account in the file is on XMPP.
    pub all_taken: bool,
}

impl Accounts {
    /// Under which names the lines of an account stand in logs.
    pub fn names(&self, address: &str) -> Vec<String> {
        let mut names = vec![address.to_owned()];
        for (known, more) in &self.names {
            if known == address {
                names.extend(more.iter().cloned());
            }
        }
        names
    }
}

#[derive(Default)]
struct Entry {
    protocol: String,
    name: String,
    password: Zeroizing<String>,
    alias: String,
    connect_server: String,
    port: String,
}

pub(super) fn read(folder: &mut Folder) -> Accounts {
    let mut accounts = Accounts {
        all_taken: true,
        ..Accounts::default()
    };
    let Some((source, bytes)) = folder.read(ACCOUNTS) else {
        return accounts;
    };
    let text = crate::folder::text(&bytes);
    let mut entry: Option<Entry> = None;
    let mut depth = 0_usize;
    let mut field: Option<String> = None;
    for token in Tokens::new(&text) {
        match token {
            Token::Start { empty: true, .. } => {}
            Token::Start {
                name, attributes, ..
            } => {
                depth += 1;
                if name == "account" && depth == 2 {
                    entry = Some(Entry::default());
                }
                field = if name == "setting" {
                    attribute(attributes, "name")
                } else if depth == 3 {
                    Some(name.to_owned())
                } else {
                    None
                };
            }
            Token::End(name) => {
                field = None;
                if name == "account"
                    && depth == 2
                    && let Some(entry) = entry.take()
                {
                    add(folder, &mut accounts, entry);
                }
                depth = depth.saturating_sub(1);
            }
            Token::Text(text) | Token::Cdata(text) if text.len() <= LONGEST => {
                let (Some(entry), Some(field)) = (&mut entry, &field) else {
                    continue;
                };
                match field.as_str() {
                    "protocol" => entry.protocol = decode(text).trim().to_owned(),
                    "name" => entry.name = decode(text).trim().to_owned(),
                    "password" => entry.password = Zeroizing::new(decode(text)),
                    "alias" => entry.alias = decode(text).trim().to_owned(),
                    "connect_server" => entry.connect_server = decode(text).trim().to_owned(),
                    "port" => entry.port = decode(text).trim().to_owned(),
                    _ => {}
                }
            }
            Token::Text(_) | Token::Cdata(_) => accounts.all_taken = false,
        }
    }
    // Cut off in the middle.
    accounts.all_taken &= entry.is_none();
    accounts.file = Some(source);
    accounts
}

fn add(folder: &mut Folder, accounts: &mut Accounts, entry: Entry) {
    if accounts.list.len() >= MOST {
        folder.problem(Problem::TooMany);
        accounts.all_taken = false;
        return;
    }
    let is_xmpp = matches!(entry.protocol.as_str(), "prpl-jabber" | "jabber");
    let address = bare(&entry.name);
    let whole = address
        .split_once('@')
        .is_some_and(|(local, server)| !local.is_empty() && !server.is_empty());
    if !is_xmpp || !whole {
        if !entry.name.is_empty() {
            folder.problem(Problem::OtherNetwork {
                account: entry.name,
                network: entry.protocol.trim_start_matches("prpl-").to_owned(),
            });
        }
        accounts.all_taken = false;
        return;
    }
    let mut names = vec![entry.name];
    names.extend(Some(entry.alias).filter(|alias| !alias.is_empty()));
    accounts.names.push((address.clone(), names));
    if accounts.list.iter().any(|known| known.address == address) {
        return;
    }
    let server = Some(entry.connect_server).filter(|host| !host.is_empty());
    accounts.list.push(Account {
        address,
        password: Some(entry.password)
            .filter(|password| !password.is_empty())
            .map(Password::new),
        server: server.map(|host| (host, entry.port.parse().unwrap_or(5222))),
    });
}
