//! Private conversations: OTR over any account that carries text, the policy that holds, trust in keys.
//!
//! It stands above the networks: texts come in and go out through [`outgoing`] and [`incoming`], and the
//! network only wraps them. What may leave is decided in [`policy`] alone.

mod again;
mod alert;
mod control;
mod events;
pub(crate) mod forget;
mod html;
pub(crate) mod import;
pub(crate) mod incoming;
mod keys;
pub(crate) mod outgoing;
pub(crate) mod policy;
mod request;
pub(crate) mod session;
mod standing;
mod trust;
mod verify;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sotto_api::view::{Policy, PolicyScope};
use sotto_api::{ConversationId, MessageId};
use sotto_otr::InstanceId;
use sotto_store::row::OutboxRow;
use sotto_xmpp::{BareJid, Element};

use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;

pub(crate) use keys::handle_work;
pub(crate) use request::handle as handle_request;
pub(crate) use session::settle_copy;
pub(crate) use standing::standing;
pub(crate) use view::{privacy, view};

/// How long a text waits for the other side, from when it was asked.
const ANSWER_WAIT: Duration = Duration::from_secs(20);

/// What an account keeps in memory about private conversations.
#[derive(Default)]
pub(crate) struct State {
    pub sessions: session::Sessions,
    pub keys: keys::State,
    pub verify: verify::State,
    alerts: BTreeMap<ConversationId, alert::Alert>,
    /// Who was asked for a private conversation.
    asked: BTreeMap<BareJid, Asked>,
    /// Who is to be asked as soon as the account is online and has its key.
    wanted: BTreeSet<BareJid>,
    /// The device whose session was made last.
    latest: BTreeMap<BareJid, InstanceId>,
    /// When it is to be looked which texts can never go again.
    look_at_texts: Option<Instant>,
    /// Where it was said that words for another program of mine cannot be read here.
    told_copies: BTreeSet<ConversationId>,
    /// Where it was said that the other side speaks version 2 of OTR only.
    told_old_version: BTreeSet<ConversationId>,
}

/// A request for a private conversation.
struct Asked {
    /// Until when the answer is waited for.
    until: Instant,
    /// The id of its stanza, once there is one.
    stanza: Option<String>,
}

impl State {
    /// The profile was opened: texts may have outlived their time meanwhile.
    pub fn opened(&mut self, now: Instant) {
        self.look_at_texts = Some(now);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let asked = self.asked.values().map(|asked| asked.until).min();
        [self.sessions.poll_timeout(), asked, self.look_at_texts]
            .into_iter()
            .flatten()
            .min()
    }
}

/// The policy of a conversation, and where it was set.
pub(crate) fn policy_of(
    cx: &Context,
    account: &Account,
    conversation: ConversationId,
) -> Result<(Policy, PolicyScope), Fault> {
    if let Some(policy) = cx.store.policy_of_conversation(conversation)? {
        return Ok((policy, PolicyScope::Conversation { conversation }));
    }
    if let Some(policy) = cx.store.policy_of_account(account.id)? {
        let account = account.id;
        return Ok((policy, PolicyScope::Account { account }));
    }
    Ok((cx.store.policy_global()?, PolicyScope::Global {}))
}

/// Timers: OTR's own, and those of texts that wait.
pub(crate) fn handle_timeout(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    session::handle_timeout(cx, account)?;
    let now = cx.now.instant;
    let late: Vec<BareJid> = account
        .private
        .asked
        .iter()
        .filter(|(_, asked)| asked.until <= now)
        .map(|(peer, _)| peer.clone())
        .collect();
    for peer in late {
        outgoing::no_answer(cx, account, &peer)?;
    }
    if account.private.look_at_texts.is_some_and(|at| at <= now) {
        let next = forget::outlived(cx, account)?;
        account.private.look_at_texts = next.map(|next| now + next);
    }
    Ok(())
}

/// A stanza to somebody came back as an error. If it asked for a private conversation, nobody will answer.
pub(crate) fn bounced(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    id: &str,
) -> Result<(), Fault> {
    let asked = account.private.asked.get(peer);
    if asked.is_some_and(|asked| asked.stanza.as_deref() == Some(id)) {
        session::give_up(cx, account, peer)?;
        outgoing::unreachable(cx, account, peer)?;
    }
    Ok(())
}

/// The account came online: what waits for a private conversation is asked for.
pub(crate) fn online(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    for conversation in cx.store.private_waiting_conversations(account.id)? {
        let row = cx.store.conversation(conversation)?;
        if let Some(peer) = row.and_then(|row| BareJid::new(&row.jid).ok())
            && !account.private.asked.contains_key(&peer)
        {
            account.private.wanted.insert(peer);
        }
    }
    outgoing::ask_wanted(cx, account)
}

/// The person signs the account out for good or for long: its private conversations are ended, politely, before
/// that. Offline nobody could be told; then they stand.
pub(crate) fn end_all(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    if !account.is_online() {
        return Ok(());
    }
    keys::end_all(cx, account)?;
    account.hand_over_last(cx)
}

/// The own key is there: what waited for it goes on.
pub(crate) fn key_ready(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    outgoing::ask_wanted(cx, account)
}

/// The last look at a stanza before it is handed to the stream, for the first time or again: a message in
/// clear does not leave where the policy or a private conversation came to stand since it was queued. It
/// waits then. Whether it may leave.
pub(crate) fn may_leave(
    cx: &mut Context,
    account: &mut Account,
    row: &OutboxRow,
    stanza: &Element,
) -> Result<bool, Fault> {
    let Some(message) = row.message.filter(|_| !is_encrypted(stanza)) else {
        return Ok(true);
    };
    if !stanza.children().any(|child| child.name() == "body") {
        return Ok(true);
    }
    let Some(known) = cx.store.message(message)? else {
        return Ok(true);
    };
    let Some(conversation) = cx.store.conversation(known.conversation)? else {
        return Ok(true);
    };
    let Ok(peer) = BareJid::new(&conversation.jid) else {
        return Ok(true);
    };
    let standing = standing(cx, account, &conversation, &peer)?;
    if policy::may_still_leave(standing.situation()) {
        return Ok(true);
    }
    outgoing::pull_back(cx, account, &peer, row, &known)?;
    Ok(false)
}

/// Whether it was made of a text that OTR made: see [`session::stanza`].
fn is_encrypted(stanza: &Element) -> bool {
    stanza.children().any(|child| {
        child.name() == "encryption" && child.attr("namespace") == Some("urn:xmpp:otr:0")
    })
}

/// The policy of some conversations was changed: what waits in clear is looked at again, and what waits
/// for a private conversation that is not required any more goes on waiting for it.
pub(crate) fn policy_changed(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    for row in cx.store.outbox(account.id)? {
        if row.sequence.is_none()
            && let Ok(stanza) = row.xml.parse::<Element>()
        {
            may_leave(cx, account, &row, &stanza)?;
        }
    }
    outgoing::ask_wanted(cx, account)
}

/// A device of the other side was chosen; absent: the program chooses.
pub(crate) fn chosen_set(
    cx: &mut Context,
    conversation: ConversationId,
    device: Option<&InstanceId>,
) -> Result<(), Fault> {
    let device = device.map(InstanceId::to_string);
    cx.store
        .private_device_set(conversation, device.as_deref())?;
    cx.changes.conversation(conversation);
    Ok(())
}

/// Tells shells that a message is gone from the list.
fn announce_removed(cx: &mut Context, conversation: ConversationId, messages: Vec<MessageId>) {
    for message in messages {
        cx.changes.message_removed(conversation, message);
    }
    cx.changes.conversation(conversation);
    cx.changes.contacts();
}
