//! One command's talk with the engine: open the profile, find the account, wait for what was asked.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use sotto_api::view::{AccountState, AccountView, ConversationView, ProfileState, ProtectionKind};
use sotto_api::{AccountId, ApiError, ConversationId, ErrorKind, Event, Reply, Request};

use crate::failure::{Done, Failure};
use crate::output::Output;
use crate::secrets::Asker;

mod certificate;

/// How often a person may mistype a passphrase before the command gives up.
const PASSPHRASE_TRIES: usize = 3;

/// The engine as a command sees it; a test puts a script in its place.
pub trait Api {
    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// As the engine refuses.
    fn call(&self, request: Request) -> Result<Reply, ApiError>;
}

/// What a command works with.
pub struct Session<'a, W> {
    /// The engine.
    pub api: &'a dyn Api,
    /// What changed, in order.
    pub events: &'a Receiver<Event>,
    /// Where secrets and answers come from.
    pub asker: &'a mut dyn Asker,
    /// Where results go.
    pub out: Output<W>,
    /// SHA-256 of certificates, or of their keys, that are accepted without asking.
    pub accept: Vec<String>,
    /// The longest wait for a server.
    pub limit: Duration,
    /// The person's zone.
    pub zone: TimeZone,
}

/// What to do about an account that waits for its next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTrouble {
    /// Wait for it, up to the limit.
    Wait,
    /// Tell at once: somebody has just typed the address.
    Tell,
}

impl<W: Write> Session<'_, W> {
    /// Sends a request.
    ///
    /// # Errors
    /// As the engine refuses.
    pub fn call(&self, request: Request) -> Done<Reply> {
        Ok(self.api.call(request)?)
    }

    /// Opens the profile, asking for its passphrase where it has one.
    ///
    /// # Errors
    /// There is no profile, or the passphrase is wrong.
    pub fn open(&mut self) -> Done {
        let Reply::Profile(view) = self.call(Request::ProfileStatus {})? else {
            return Err(unexpected());
        };
        match view.state {
            ProfileState::Open => Ok(()),
            ProfileState::Absent => Err(Failure::Refused(ApiError::new(
                ErrorKind::NoProfile,
                format!(
                    "There is no profile in {} yet. Make one with: sotto-cli profile create",
                    view.folder
                ),
            ))),
            ProfileState::Locked if view.protection == Some(ProtectionKind::Passphrase) => {
                self.unlock()
            }
            ProfileState::Locked => self.opening(),
        }
    }

    /// Waits for a profile without a passphrase, which opens by itself at the start.
    fn opening(&self) -> Done {
        let deadline = self.deadline();
        loop {
            // What keeps it from opening is said to whoever asks for something that is inside.
            match self.call(Request::AccountList {}) {
                Err(Failure::Refused(error)) if error.kind == ErrorKind::Locked => {
                    if self.next_event(deadline).is_none() {
                        return Err(error.into());
                    }
                }
                Err(failure) => return Err(failure),
                Ok(_) => return Ok(()),
            }
        }
    }

    fn unlock(&mut self) -> Done {
        let mut tries = 0;
        loop {
            let passphrase = self.asker.secret("Passphrase of the profile")?;
            tries += 1;
            match self.api.call(Request::ProfileUnlock { passphrase }) {
                Ok(_) => return Ok(()),
                Err(error)
                    if error.kind == ErrorKind::WrongPassphrase
                        && self.asker.interactive()
                        && tries < PASSPHRASE_TRIES =>
                {
                    self.out.remark(&error.message);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// All accounts.
    ///
    /// # Errors
    /// As the engine refuses.
    pub fn accounts(&self) -> Done<Vec<AccountView>> {
        match self.call(Request::AccountList {})? {
            Reply::Accounts(accounts) => Ok(accounts),
            _ => Err(unexpected()),
        }
    }

    /// One account by its id.
    ///
    /// # Errors
    /// When it is gone.
    pub fn account(&self, id: AccountId) -> Done<AccountView> {
        self.accounts()?
            .into_iter()
            .find(|a| a.id == id)
            .ok_or_else(|| not_found("The account was removed meanwhile."))
    }

    /// One account by its address.
    ///
    /// # Errors
    /// When there is none with it.
    pub fn account_at(&self, address: &str) -> Done<AccountView> {
        self.accounts()?
            .into_iter()
            .find(|a| a.address.eq_ignore_ascii_case(address))
            .ok_or_else(|| not_found(&format!("There is no account {address} here.")))
    }

    /// The account by which to reach `peer`: the one named; else the only one; else the one that has `peer`
    /// in its list.
    ///
    /// # Errors
    /// When that leaves none, or several.
    pub fn account_for(&self, peer: &str, named: Option<&str>) -> Done<AccountView> {
        if let Some(address) = named {
            return self.account_at(address);
        }
        let accounts = self.accounts()?;
        if accounts.is_empty() {
            return Err(not_found(
                "There is no account yet. Add one with: sotto-cli account add ADDRESS",
            ));
        }
        let holders = self.holders(peer)?;
        let mut fitting: Vec<AccountView> = if accounts.len() == 1 {
            accounts
        } else {
            accounts
                .into_iter()
                .filter(|a| holders.contains(&a.id))
                .collect()
        };
        match (fitting.pop(), fitting.is_empty()) {
            (Some(account), true) => Ok(account),
            _ => Err(Failure::Usage(
                "There are several accounts. Say which with --account ADDRESS.".to_owned(),
            )),
        }
    }

    /// The accounts that have this address in their contact list.
    fn holders(&self, peer: &str) -> Done<Vec<AccountId>> {
        let reply = self.call(Request::ContactList {
            filter: String::new(),
            offline: Some(true),
        })?;
        let Reply::Contacts(groups) = reply else {
            return Err(unexpected());
        };
        Ok(groups
            .iter()
            .flat_map(|group| &group.contacts)
            .flat_map(|contact| &contact.addresses)
            .filter(|a| a.address.eq_ignore_ascii_case(peer))
            .map(|a| a.account)
            .collect())
    }

    /// The conversation with `peer`.
    ///
    /// # Errors
    /// As [`Self::account_for`], or as the engine refuses.
    pub fn conversation(&self, peer: &str, named: Option<&str>) -> Done<ConversationView> {
        let account = self.account_for(peer, named)?.id;
        let address = peer.to_owned();
        match self.call(Request::ConversationOpen { account, address })? {
            Reply::Conversation(view) => Ok(view),
            _ => Err(unexpected()),
        }
    }

    /// A conversation as it stands now.
    ///
    /// # Errors
    /// As the engine refuses.
    pub fn conversation_now(&self, conversation: ConversationId) -> Done<ConversationView> {
        match self.call(Request::ConversationView { conversation })? {
            Reply::Conversation(view) => Ok(view),
            _ => Err(unexpected()),
        }
    }

    /// Waits until the account is signed in; asks for what it waits for, where somebody can be asked.
    ///
    /// # Errors
    /// When it cannot sign in, or not within the limit.
    pub fn online(&mut self, id: AccountId, trouble: OnTrouble) -> Done<AccountView> {
        let deadline = self.deadline();
        let mut asked_password = false;
        loop {
            let view = self.account(id)?;
            match view.state {
                AccountState::Online => return Ok(view),
                AccountState::Disabled => {
                    return Err(Failure::Usage(format!(
                        "{0} is switched off. Switch it on with: sotto-cli account enable {0}",
                        view.address
                    )));
                }
                AccountState::Stopped => return Err(problem_of(view)),
                AccountState::Waiting { .. } if trouble == OnTrouble::Tell => {
                    return Err(problem_of(view));
                }
                AccountState::NeedsPassword => {
                    if asked_password || !self.asker.interactive() {
                        return Err(problem_of(view));
                    }
                    asked_password = true;
                    if let Some(problem) = &view.problem {
                        self.out
                            .remark(&Failure::Problem(problem.clone()).sentence());
                    }
                    let password = self
                        .asker
                        .secret(&format!("Password of {}", view.address))?;
                    self.call(Request::AccountPassword {
                        account: id,
                        password,
                        remember: view.remembered,
                    })?;
                    continue;
                }
                AccountState::NeedsAnswer => {
                    self.answer_certificate(Some(id))?;
                    continue;
                }
                AccountState::Connecting | AccountState::Waiting { .. } => {}
            }
            if self.next_event(deadline).is_none() {
                let view = self.account(id)?;
                return match view.state {
                    AccountState::Online => Ok(view),
                    _ if view.problem.is_some() => Err(problem_of(view)),
                    _ => Err(Failure::TimedOut(format!(
                        "{} was not signed in within {} seconds.",
                        view.address,
                        self.limit.as_secs()
                    ))),
                };
            }
        }
    }

    /// The moment at which the limit is reached.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.limit
    }

    /// The next event; `None` when none comes in time.
    pub fn next_event(&self, deadline: Instant) -> Option<Event> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.events.recv_timeout(left).ok()
    }

    /// The next event, however long it takes; `None` when the engine has ended.
    pub fn wait_event(&self) -> Option<Event> {
        loop {
            match self.events.recv_timeout(Duration::from_secs(3_600)) {
                Ok(event) => return Some(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}

/// The failure of an account that is not signed in.
fn problem_of(view: AccountView) -> Failure {
    match view.problem {
        Some(problem) => Failure::Problem(problem),
        None => Failure::Refused(ApiError::new(
            ErrorKind::Offline,
            format!("{}: {}", view.address, view.state_text),
        )),
    }
}

/// An error of kind *not found*.
pub fn not_found(words: &str) -> Failure {
    Failure::Refused(ApiError::new(ErrorKind::NotFound, words))
}

/// The engine answered with another kind of reply than its interface promises.
pub fn unexpected() -> Failure {
    Failure::Refused(ApiError::new(
        ErrorKind::Internal,
        "Sotto gave an answer that does not fit the question. This is a fault of Sotto's.",
    ))
}

#[cfg(test)]
mod tests;
