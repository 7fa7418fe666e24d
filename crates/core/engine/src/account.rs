//! One account: its connection, stream, open requests, and what its modules keep in memory.

mod connection;
pub(crate) mod features;
mod held;
mod inbound;
mod outbox;
mod pending;
mod problem;
mod record;
mod retry;
mod session;
mod settle;
pub(crate) mod view;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use sotto_api::view::ProblemView;
use sotto_api::{AccountId, QuestionId, Secret};
use sotto_store::row::AccountRow;
use sotto_xmpp::sm::ResumeState;
use sotto_xmpp::stream::ClientStream;
use sotto_xmpp::{BareJid, Element, FullJid, Jid, iq};

use crate::context::Context;
use crate::io::{LinkId, WorkId};
use crate::messages;

pub(crate) use connection::{CLOSE_WAIT, binding as tls_binding};
pub(crate) use held::HeldAccount;
#[cfg(test)]
pub(crate) use inbound::PANIC;
pub(crate) use pending::{IqReply, Pending};
pub(crate) use problem::stream_problem;

/// All accounts of the open profile.
pub(crate) type Accounts = BTreeMap<AccountId, Account>;

/// One account.
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
    /// Conversations: typing, markers, floods.
    pub messages: messages::State,
    /// Private conversations.
    pub private: crate::private::State,
    /// What went wrong last.
    pub problem: Option<ProblemView>,
    state: State,
    connection: Option<Connection>,
    retry: retry::Retry,
    passwords: Passwords,
    /// Keys that the person accepted until the program ends.
    accepted_now: Vec<[u8; 32]>,
    requests: Option<iq::Tracker<Pending>>,
    /// Something may wait in the outbox.
    outbox_awake: bool,
    /// The stream has gone on and the store does not know it yet.
    unkept: bool,
    /// It is removed with the transaction in hand.
    leaving: bool,
    /// Stanzas besides messages that the server has not confirmed; sent again on resumption.
    unacked: VecDeque<(u32, Element)>,
    /// The position of the last stream, where the store's is older on purpose (while the archive is read).
    resume: Option<ResumeState>,
    /// Nothing was heard for what was sent last.
    pub ack_overdue: bool,
    /// The server of this stream has versions of the roster (RFC 6121 §2.6).
    pub roster_versions: bool,
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Disabled,
    Connecting,
    Online,
    Waiting { retry: Instant, retry_unix_ms: i64 },
    NeedsPassword,
    NeedsAnswer(QuestionId),
    Stopped,
}

/// One connection, from the dial to the end.
struct Connection {
    link: LinkId,
    stream: Option<ClientStream>,
    /// The address of this stream, once it is bound or resumed.
    bound: Option<FullJid>,
    /// `TLS 1.3, SCRAM-SHA-256`.
    label: String,
    /// The certificate in use, to be remembered when the log-in succeeds.
    certificate: Option<sotto_api::view::CertificateSummary>,
    /// A key derivation under way and the stream's own number for it.
    scram: Option<(WorkId, u64)>,
    /// Stream management is on.
    sm: bool,
    /// The stream was resumed, and the server has confirmed nothing since.
    unproved: bool,
    /// `Close` was commanded.
    closing: bool,
    /// The position that the store has.
    saved: Option<ResumeState>,
    /// Stanzas that were handled in memory only: not yet to be confirmed to the server.
    unmarked: u32,
    /// Follows the stream for the record, while there is one.
    tap: Option<Box<sotto_xmpp::tap::Tap>>,
    /// When something must have come, or the connection counts as dead.
    probe: Option<Instant>,
}

/// The passwords of an account that are not (only) in the store.
#[derive(Default)]
struct Passwords {
    /// Given by the person, not proved yet.
    candidate: Option<Candidate>,
    /// Proved, not stored.
    proved: Option<Secret>,
    /// The proved one was removed by the person: it serves until the account signs out.
    removed: bool,
}

/// A password that the server has not accepted yet.
struct Candidate {
    password: Secret,
    /// Keep it, once it is proved.
    remember: bool,
    /// It is stored already, since there was none: a program that ends before the server has answered
    /// need not ask again. It goes again if the server refuses it.
    stored: bool,
}

impl Account {
    /// An account as the store has it, not connected yet.
    pub fn new(row: AccountRow, address: BareJid) -> Self {
        Self {
            id: row.id,
            address,
            row,
            features: features::Features::default(),
            people: crate::people::State::default(),
            messages: messages::State::default(),
            private: crate::private::State::default(),
            problem: None,
            state: State::Disabled,
            connection: None,
            retry: retry::Retry::default(),
            passwords: Passwords::default(),
            accepted_now: Vec::new(),
            requests: None,
            outbox_awake: false,
            unkept: false,
            leaving: false,
            unacked: VecDeque::new(),
            resume: None,
            ack_overdue: false,
            roster_versions: false,
        }
    }

    /// Signed in: a stanza handed over now leaves at once.
    pub fn is_online(&self) -> bool {
        self.state == State::Online
    }

    /// The server's domain.
    pub fn domain(&self) -> &str {
        self.address.domain().as_str()
    }

    /// Sends a stanza that is not a message of the person's: those go through the outbox. It is sent
    /// again when the stream is interrupted and resumed, forgotten when it is lost or not there.
    pub fn send(&mut self, cx: &mut Context, stanza: Element) {
        if let Some(stream) = self.bound_stream() {
            let sequence = stream.send(stanza.clone(), cx.now.instant);
            if sequence != 0 {
                self.unacked.push_back((sequence, stanza));
            }
        }
    }

    /// Sends an iq and remembers what its reply is for. `to` absent: the own account on its server.
    ///
    /// When the account is offline nothing is sent and `false` comes back, `pending` unheard: check
    /// [`Account::is_online`] first where a person waits.
    pub fn request(
        &mut self,
        cx: &mut Context,
        to: Option<Jid>,
        method: iq::Method,
        payload: Element,
        pending: Pending,
    ) -> bool {
        let bound = self.bound_stream().is_some();
        let Some(requests) = self.requests.as_mut().filter(|_| bound) else {
            return false;
        };
        let random = &mut *cx.effects.random;
        let iq = requests.send(method, to, payload, pending, cx.now.instant, random);
        self.send(cx, iq);
        true
    }

    fn bound_stream(&mut self) -> Option<&mut ClientStream> {
        let connection = self.connection.as_mut()?;
        connection.bound.as_ref()?;
        connection.stream.as_mut()
    }
}
