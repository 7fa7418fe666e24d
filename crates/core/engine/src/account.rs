//! One account: its connection, stream, open requests, and what its modules keep in memory.

mod connection;
pub(crate) mod features;
mod inbound;
mod outbox;
mod pending;
mod problem;
mod retry;
mod session;

use std::collections::BTreeMap;
use std::time::Instant;

use sotto_api::view::{AccountState, ProblemView};
use sotto_api::AccountId;
use sotto_store::row::AccountRow;
use sotto_xmpp::{BareJid, Element, FullJid, Jid};

pub(crate) use pending::{IqReply, Pending};

/// All accounts of the open profile.
pub(crate) type Accounts = BTreeMap<AccountId, Account>;

pub(crate) struct Account {
    pub id: AccountId,
    /// Bare address.
    pub address: BareJid,
    /// As the store has it: settings, own status, whether it should be online.
    pub row: AccountRow,
    /// What the server and the own account can do; empty when offline.
    pub features: features::Features,
    /// Roster, presence, blocking, pictures.
    pub people: crate::people::State,
    …
}

impl Account {
    /// Signed in: a stanza handed over now leaves at once.
    pub fn is_online(&self) -> bool;
    /// The address of this stream; absent when offline.
    pub fn full_address(&self) -> Option<&FullJid>;
    /// Sends a stanza that is not a message of the person: those go through the outbox. Kept and sent
    /// again when the stream is interrupted and resumed; forgotten when it is lost or not there.
    pub fn send(&mut self, cx: &mut Context, stanza: Element);
    /// Sends an iq of type `get` or `set` and remembers what its reply is for. `to` absent: the own
    /// account on its server. When the account is offline the reply is `IqReply::Lost`, at once: check
    /// [`Account::is_online`] first where a person waits.
    pub fn request(&mut self, cx: &mut Context, to: Option<Jid>, kind: IqKind, payload: Element, pending: Pending);
    /// Answers an iq that came.
    pub fn reply(&mut self, cx: &mut Context, iq: &Element, payload: Option<Element>);
    pub fn reply_error(&mut self, cx: &mut Context, iq: &Element, error: StanzaError);
}
