//! Accounts in Jitsi's settings, and their passwords.

use std::collections::BTreeMap;

use super::password::{Vault, unwrap};
use super::properties::Properties;
use super::{PREFIX, names};
use crate::contacts::Contacts;
use crate::folder::Folder;
use crate::found::{Account, Password, Problem, ScanError};

/// More accounts than anybody has.
const MOST: usize = 500;

/// What was found, and how Jitsi names it.
pub(super) struct Accounts {
    pub list: Vec<Account>,
    /// The unique name of each: `Jabber:sara@example.org@example.org`, with its address.
    uids: Vec<(String, String)>,
    pub needs_master: bool,
    /// Every account is on XMPP, and its password, if it has one, was read.
    pub all_taken: bool,
}

impl Accounts {
    /// The address of the account with this name.
    pub fn of_uid(&self, uid: &str) -> Option<String> {
        let known = self.uids.iter().find(|(known, _)| known == uid);
        known
            .map(|(_, address)| address.clone())
            .or_else(|| address_of_uid(uid))
    }

    /// The names and addresses of all.
    pub fn uids(&self) -> impl Iterator<Item = (&str, &str)> {
        self.uids
            .iter()
            .map(|(uid, address)| (uid.as_str(), address.as_str()))
    }

    /// The address of the account that a folder of the history is named after: one of the settings, or one that
    /// was removed from them.
    pub fn of_folder(&self, name: &str) -> Option<String> {
        let known = self
            .uids
            .iter()
            .find(|(uid, _)| uid == name || names::folder(uid) == name);
        if let Some((_, address)) = known {
            return Some(address.clone());
        }
        address_of_uid(&names::original(name, &names::Known::default())?)
    }

    /// The one account on which somebody is in the contact list; else the only one there is.
    pub fn of_contact(&self, contacts: &Contacts, peer: &str) -> Option<String> {
        let mut accounts: Vec<String> = contacts
            .at(peer)
            .iter()
            .filter_map(|contact| self.of_uid(&contact.account))
            .collect();
        accounts.sort_unstable();
        accounts.dedup();
        match (accounts.as_slice(), self.list.as_slice()) {
            ([one], _) => Some(one.clone()),
            ([], [one]) => Some(one.address.clone()),
            _ => None,
        }
    }
}

/// The address in `Jabber:sara@example.org@example.org`; the server's name behind it may be missing.
fn address_of_uid(uid: &str) -> Option<String> {
    let rest = uid.strip_prefix("Jabber:")?;
    let (local, servers) = rest.split_once('@')?;
    let server = servers.split('@').next().filter(|name| !name.is_empty())?;
    (!local.is_empty()).then(|| format!("{local}@{server}"))
}

/// Reads accounts and passwords.
///
/// # Errors
///
/// [`ScanError::WrongMaster`] for a master password that does not fit.
pub(super) fn read(
    folder: &mut Folder,
    properties: &Properties,
    master: Option<&str>,
) -> Result<Accounts, ScanError> {
    let proof = properties.get(&format!("{PREFIX}impl.credentialsstorage.MASTER"));
    let vault = match (proof, master) {
        (Some(_), None) => None,
        (Some(proof), Some(master)) => {
            let vault = Vault::new(Some(master));
            if !vault.fits(proof) {
                return Err(ScanError::WrongMaster);
            }
            Some(vault)
        }
        (None, _) => Some(Vault::new(None)),
    };
    let mut accounts = Accounts {
        list: Vec::new(),
        uids: Vec::new(),
        needs_master: false,
        all_taken: true,
    };
    for ((protocol, _), fields) in sections(properties) {
        if accounts.list.len() >= MOST {
            folder.problem(Problem::TooMany);
            accounts.all_taken = false;
            break;
        }
        let field = |name: &str| fields.get(name).copied().filter(|value| !value.is_empty());
        let uid = field("ACCOUNT_UID").unwrap_or_default();
        let user = field("USER_ID").unwrap_or_default();
        let named = uid.split_once(':').map_or(protocol, |(network, _)| network);
        let address = if protocol == "jabber" && (named == "Jabber" || named == "jabber") {
            let user = user.split('/').next().unwrap_or_default();
            match user.split_once('@') {
                Some((local, server)) if !local.is_empty() && !server.is_empty() => {
                    Some(user.to_owned())
                }
                _ => address_of_uid(uid),
            }
        } else {
            None
        };
        let Some(address) = address else {
            let account = [user, uid].into_iter().find(|name| !name.is_empty());
            if let Some(account) = account {
                folder.problem(Problem::OtherNetwork {
                    account: account.to_owned(),
                    network: named.to_owned(),
                });
                accounts.all_taken = false;
            }
            continue;
        };
        let sealed = field("ENCRYPTED_PASSWORD");
        let password = match (sealed, &vault) {
            (Some(sealed), Some(vault)) => {
                let password = vault.decrypt(sealed);
                if password.is_none() {
                    let account = address.clone();
                    folder.problem(Problem::PasswordUnreadable { account });
                    accounts.all_taken = false;
                }
                password
            }
            (Some(_), None) => {
                accounts.needs_master = true;
                accounts.all_taken = false;
                None
            }
            (None, _) => field("PASSWORD").and_then(unwrap),
        };
        if !uid.is_empty() {
            accounts.uids.push((uid.to_owned(), address.clone()));
        }
        let server = field("IS_SERVER_OVERRIDDEN")
            .filter(|value| value.eq_ignore_ascii_case("true"))
            .and_then(|_| field("SERVER_ADDRESS"))
            .map(|host| {
                let port = field("SERVER_PORT").and_then(|port| port.trim().parse().ok());
                (host.to_owned(), port.unwrap_or(5222))
            });
        if !accounts.list.iter().any(|known| known.address == address) {
            accounts.list.push(Account {
                address,
                password: password.filter(|word| !word.is_empty()).map(Password::new),
                server,
            });
        }
    }
    Ok(accounts)
}

/// `…impl.protocol.<protocol>.acc<number>.<field>`, by protocol and account.
fn sections(properties: &Properties) -> BTreeMap<(&str, &str), BTreeMap<&str, &str>> {
    let mut sections: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for (key, value) in properties.iter() {
        let Some(rest) = key
            .strip_prefix(PREFIX)
            .and_then(|key| key.strip_prefix("impl.protocol."))
        else {
            continue;
        };
        let mut parts = rest.splitn(3, '.');
        if let (Some(protocol), Some(account), Some(field)) =
            (parts.next(), parts.next(), parts.next())
            && account
                .strip_prefix("acc")
                .is_some_and(|number| number.parse::<u64>().is_ok())
        {
            sections
                .entry((protocol, account))
                .or_default()
                .insert(field, value);
        }
    }
    sections
}
