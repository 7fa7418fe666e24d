//! What a shell shows of an import.

use sotto_api::view::ImportView;

use super::Import;
use crate::words::import as say;

impl Import {
    pub(super) fn view(&self) -> ImportView {
        let found = self.found.as_deref();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut problems: Vec<String> = found
            .into_iter()
            .flat_map(|found| &found.problems)
            .map(say::problem)
            .collect();
        problems.extend(say::left(&self.progress.taken()));
        ImportView {
            id: self.id,
            program: self.program,
            folder: found.map_or_else(String::new, |found| {
                crate::text::clean(&found.folder.to_string_lossy())
            }),
            state: self.state(),
            accounts: found.map_or_else(Vec::new, |found| {
                let accounts = found.accounts.iter();
                accounts
                    .map(|account| crate::text::clean_line(&account.address))
                    .collect()
            }),
            passwords: found.map_or(0, |found| {
                let accounts = found.accounts.iter();
                count(accounts.filter(|a| a.password.is_some()).count())
            }),
            needs_master: found.is_some_and(|found| found.needs_master),
            conversations: found.map_or(0, |found| count(found.conversations.len())),
            messages: found.map_or(0, |found| found.messages),
            calls: found.map_or(0, |found| found.calls.count),
            own_keys: found.map_or(0, |found| count(found.keys.len())),
            verified_keys: found.map_or(0, |found| {
                let trust = found.trust.iter();
                count(trust.filter(|trust| !trust.trust.is_empty()).count())
            }),
            bytes: found.map_or(0, |found| found.bytes),
            problems,
            text: self.text.clone(),
            shred_text: say::before_shredding(self.progress.taken_files()),
        }
    }
}
