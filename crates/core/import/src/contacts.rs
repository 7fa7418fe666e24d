//! The people in the other program's contact list: whose account they are on, and what they are called.

use std::collections::HashMap;

/// More contacts than anybody has.
const MOST: usize = 100_000;
/// More names than a contact has.
const MOST_NAMES: usize = 16;

/// Contacts by address, in lower case.
#[derive(Default)]
pub(crate) struct Contacts {
    by_address: HashMap<String, Vec<Contact>>,
    count: usize,
}

pub(crate) struct Contact {
    /// The own account, as that program names it.
    pub account: String,
    pub names: Vec<String>,
}

impl Contacts {
    pub fn add(&mut self, account: &str, address: &str, names: &[String]) {
        let contacts = self.by_address.entry(address.to_lowercase()).or_default();
        let known = contacts.iter_mut().find(|known| known.account == account);
        let names = names.iter().filter(|name| !name.trim().is_empty());
        if let Some(contact) = known {
            let room = MOST_NAMES.saturating_sub(contact.names.len());
            contact.names.extend(names.take(room).cloned());
        } else if self.count < MOST {
            self.count += 1;
            contacts.push(Contact {
                account: account.to_owned(),
                names: names.take(MOST_NAMES).cloned().collect(),
            });
        }
    }

    /// Those with this address, one for each own account.
    pub fn at(&self, address: &str) -> &[Contact] {
        self.by_address
            .get(&address.to_lowercase())
            .map_or(&[], Vec::as_slice)
    }

    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.by_address.keys().map(String::as_str)
    }
}
