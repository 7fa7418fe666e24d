//! What an account has in memory only, across a lock of the profile.

use serde::{Deserialize, Serialize};
use sotto_api::view::ProblemView;
use sotto_api::{AccountId, Secret};

use super::{Account, Candidate, State};

/// To be sealed before the profile's key is given up.
#[derive(Serialize, Deserialize)]
pub(crate) struct HeldAccount {
    pub account: AccountId,
    /// A password that was not proved: whether to keep it, and whether it is stored already.
    candidate: Option<(Secret, bool, bool)>,
    /// One that was, and is not stored.
    proved: Option<Secret>,
    /// The person removed that one: it ends with the session.
    removed: bool,
    /// Keys of certificates that were accepted until the program ends.
    accepted_now: Vec<[u8; 32]>,
    /// Why it does not try by itself: the person was asked for something and has not answered.
    rest: Option<Rest>,
}

#[derive(Serialize, Deserialize)]
struct Rest {
    needs_password: bool,
    problem: Option<ProblemView>,
}

impl Account {
    /// What would be lost with the memory.
    pub fn hold(&self) -> HeldAccount {
        let candidate = self.passwords.candidate.as_ref();
        let rest = self.rests().then(|| Rest {
            needs_password: self.state == State::NeedsPassword,
            problem: self.problem.clone(),
        });
        HeldAccount {
            account: self.id,
            candidate: candidate.map(|held| (held.password.clone(), held.remember, held.stored)),
            proved: self.passwords.proved.clone(),
            removed: self.passwords.removed,
            accepted_now: self.accepted_now.clone(),
            rest,
        }
    }

    /// Takes it back, before the account goes online.
    pub fn restore(&mut self, held: HeldAccount) {
        self.passwords.candidate = held
            .candidate
            .map(|(password, remember, stored)| Candidate {
                password,
                remember,
                stored,
            });
        self.passwords.proved = held.proved;
        self.passwords.removed = held.removed;
        self.accepted_now = held.accepted_now;
        if let Some(rest) = held.rest {
            self.problem = rest.problem;
            self.state = if rest.needs_password {
                State::NeedsPassword
            } else {
                State::Stopped
            };
        }
    }

    /// Nothing is tried until the person says something.
    pub fn rests(&self) -> bool {
        matches!(self.state, State::NeedsPassword | State::Stopped)
    }
}
