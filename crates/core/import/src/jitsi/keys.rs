//! OTR keys in Jitsi's settings: own ones, and which fingerprints of others were verified.

use std::collections::{BTreeMap, BTreeSet};

use sotto_otr::import::{ImportedKey, ImportedTrust, jitsi_key};

use super::accounts::Accounts;
use super::properties::Properties;
use super::{PREFIX, Threads, names};
use crate::contacts::Contacts;
use crate::folder::Folder;
use crate::found::Problem;

const PROTOCOL: &str = "xmpp";
/// Letters of a fingerprint in hexadecimal.
const FINGERPRINT: usize = 40;
/// More than anybody verified.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Otr {
    pub keys: Vec<ImportedKey>,
    pub trust: Vec<ImportedTrust>,
    /// Everything that stands there was taken.
    pub all_taken: bool,
}

pub(super) fn read(
    folder: &mut Folder,
    properties: &Properties,
    accounts: &Accounts,
    contacts: &Contacts,
    threads: &Threads,
) -> Otr {
    let mut otr = Otr {
        all_taken: true,
        ..Otr::default()
    };
    let owners: BTreeMap<String, &str> = accounts
        .uids()
        .map(|(uid, address)| (names::in_key(uid), address))
        .collect();
    let people = People::new(accounts, contacts, threads);
    let mut unclear = 0_u64;
    for (key, value) in properties.iter() {
        let Some(name) = key
            .strip_prefix(PREFIX)
            .and_then(|key| key.strip_prefix("plugin.otr."))
        else {
            continue;
        };
        if let Some(id) = name.strip_suffix("_privateKey") {
            let public = properties.get(&format!("{PREFIX}plugin.otr.{id}_publicKey"));
            let owner = owners.get(id);
            let keypair = jitsi_key(value, public);
            match owner.zip(keypair.ok()) {
                Some((owner, keypair)) => otr.keys.push(ImportedKey {
                    account: (*owner).to_owned(),
                    protocol: PROTOCOL.into(),
                    keypair,
                }),
                None => {
                    let account = owner.map_or(id, |owner| *owner).to_owned();
                    folder.problem(Problem::KeyUnusable { account });
                    otr.all_taken = false;
                }
            }
        } else if let Some(name) = name.strip_suffix("_fingerprint_verified")
            && value.trim().eq_ignore_ascii_case("true")
        {
            let taken = people.verified(name);
            if taken.is_empty() || otr.trust.len() + taken.len() > MOST {
                unclear += 1;
                otr.all_taken = false;
            } else {
                otr.trust.extend(taken);
            }
        }
    }
    folder.problem(Problem::CodesUnclear { count: unclear });
    otr
}

/// Addresses as they are written into keys of settings, with the accounts that know them.
struct People {
    by_name: BTreeMap<String, BTreeSet<(String, String)>>,
    /// Those to whom one name leads: `a.b@c` and `a_b@c` look alike.
    addresses: BTreeMap<String, BTreeSet<String>>,
}

impl People {
    fn new(accounts: &Accounts, contacts: &Contacts, threads: &Threads) -> Self {
        let mut people = Self {
            by_name: BTreeMap::new(),
            addresses: BTreeMap::new(),
        };
        for address in contacts.addresses() {
            for contact in contacts.at(address) {
                if let Some(account) = accounts.of_uid(&contact.account) {
                    people.add(&account, address);
                }
            }
        }
        for (account, peer) in threads.peers() {
            people.add(account, peer);
        }
        people
    }

    fn add(&mut self, account: &str, address: &str) {
        let address = address.to_lowercase();
        let name = names::in_key(&address);
        self.addresses
            .entry(name.clone())
            .or_default()
            .insert(address.clone());
        self.by_name
            .entry(name)
            .or_default()
            .insert((account.to_owned(), address));
    }

    /// What `<contact><fingerprint>` says; nothing when it cannot be told whose it is.
    fn verified(&self, name: &str) -> Vec<ImportedTrust> {
        let Some((contact, fingerprint)) = name
            .len()
            .checked_sub(FINGERPRINT)
            .and_then(|border| name.split_at_checked(border))
        else {
            return Vec::new();
        };
        let Ok(fingerprint) = fingerprint.parse() else {
            return Vec::new();
        };
        let name = contact.to_lowercase();
        if self.addresses.get(&name).is_none_or(|all| all.len() != 1) {
            return Vec::new();
        }
        self.by_name
            .get(&name)
            .into_iter()
            .flatten()
            .map(|(account, peer)| ImportedTrust {
                peer: peer.clone(),
                account: account.clone(),
                protocol: PROTOCOL.into(),
                fingerprint,
                trust: "verified".into(),
            })
            .collect()
    }
}
