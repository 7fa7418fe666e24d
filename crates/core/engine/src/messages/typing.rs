//! Typing notices, both ways (XEP-0085).

use std::collections::HashMap;
use std::time::Instant;

use sotto_api::{ApiError, ConversationId, Reply};
use sotto_xmpp::chat_states::{ChatState, Inbound, Outbound};
use sotto_xmpp::{BareJid, Element, Jid, message};

use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;
use crate::people;
use crate::private::policy::may_tell_typing;

#[derive(Default)]
pub(crate) struct State {
    inbound: HashMap<ConversationId, Inbound>,
    outbound: HashMap<ConversationId, (BareJid, Outbound)>,
}

impl State {
    pub fn poll_timeout(&self) -> Option<Instant> {
        let inbound = self
            .inbound
            .values()
            .filter_map(Inbound::poll_timeout)
            .min();
        let outbound = self
            .outbound
            .values()
            .filter_map(|(_, outbound)| outbound.poll_timeout())
            .min();
        [inbound, outbound].into_iter().flatten().min()
    }

    /// The other side is writing now.
    pub fn is_writing(&self, conversation: ConversationId) -> bool {
        self.inbound
            .get(&conversation)
            .is_some_and(Inbound::is_writing)
    }
}

/// The other side says what it does.
pub(crate) fn handle_state(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    state: ChatState,
) {
    let inbound = account
        .messages
        .typing
        .inbound
        .entry(conversation)
        .or_default();
    if inbound.handle_state(state, cx.now.instant) {
        cx.changes.conversation(conversation);
    }
}

/// A message came: the writing is over.
pub(crate) fn handle_over(cx: &mut Context, account: &mut Account, conversation: ConversationId) {
    if let Some(mut inbound) = account.messages.typing.inbound.remove(&conversation)
        && inbound.handle_over()
    {
        cx.changes.conversation(conversation);
    }
}

/// Whoever goes offline has stopped writing.
pub(crate) fn handle_presence(cx: &mut Context, account: &mut Account, presence: &Element) {
    if presence.attr("type") != Some("unavailable") || account.messages.typing.inbound.is_empty() {
        return;
    }
    let Some(from) = presence.attr("from").and_then(|from| Jid::new(from).ok()) else {
        return;
    };
    let peer = from.to_bare();
    if let Ok(Some(conversation)) = cx.store.conversation_find(account.id, peer.as_str()) {
        handle_over(cx, account, conversation);
    }
}

/// The session is gone: nobody is known to write, and nobody hears of us.
pub(crate) fn forget(cx: &mut Context, account: &mut Account) {
    let state = std::mem::take(&mut account.messages.typing);
    for (conversation, inbound) in state.inbound {
        if inbound.is_writing() {
            cx.changes.conversation(conversation);
        }
    }
}

/// The person writes, or has stopped. Told to contacts who see our presence, if the setting is on.
pub(crate) fn handle_request(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    peer: &BareJid,
    active: bool,
) -> Result<Reply, ApiError> {
    if !account.is_online() || !cx.settings.send_typing || !people::sees_me(cx, account.id, peer)? {
        return Ok(Reply::Done);
    }
    let held = crate::private::policy_of(cx, account, conversation)?.0;
    if !may_tell_typing(held) {
        return Ok(Reply::Done);
    }
    let now = cx.now.instant;
    let (_, outbound) = account
        .messages
        .typing
        .outbound
        .entry(conversation)
        .or_insert_with(|| (peer.clone(), Outbound::default()));
    let state = if active {
        outbound.handle_key(now)
    } else {
        outbound.handle_stopped()
    };
    if let Some(state) = state {
        tell(cx, account, peer, state);
    }
    Ok(Reply::Done)
}

/// A message was sent, which says so itself.
pub(crate) fn handle_sent(account: &mut Account, conversation: ConversationId) {
    account.messages.typing.outbound.remove(&conversation);
}

pub(crate) fn handle_timeout(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    let now = cx.now.instant;
    let typing = &mut account.messages.typing;
    for (conversation, inbound) in &mut typing.inbound {
        if inbound.handle_timeout(now) {
            cx.changes.conversation(*conversation);
        }
    }
    typing.inbound.retain(|_, inbound| inbound.is_writing());
    let mut paused = Vec::new();
    for (peer, outbound) in typing.outbound.values_mut() {
        if let Some(state) = outbound.handle_timeout(now) {
            paused.push((peer.clone(), state));
        }
    }
    typing
        .outbound
        .retain(|_, (_, outbound)| outbound.poll_timeout().is_some());
    for (peer, state) in paused {
        tell(cx, account, &peer, state);
    }
    Ok(())
}

fn tell(cx: &mut Context, account: &mut Account, peer: &BareJid, state: ChatState) {
    let id = cx.random_id();
    let to = Jid::from(peer.clone());
    account.send(cx, message::chat_state(&to, &id, state));
}
