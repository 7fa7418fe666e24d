//! Messages: what comes, what goes, what is shown of it.

pub(crate) mod archive;
pub(crate) mod incoming;
mod notices;
pub(crate) mod outgoing;
pub(crate) mod request;
mod strangers;
pub(crate) mod typing;
pub(crate) mod view;

use std::collections::HashMap;
use std::time::Instant;

use sotto_api::ConversationId;
use sotto_api::view::Delivery;
use sotto_store::row::OutboxRow;
use sotto_xmpp::BareJid;

use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;
use crate::{people, words};

/// What an account keeps about its conversations in memory.
#[derive(Default)]
pub(crate) struct State {
    pub archive: archive::State,
    typing: typing::State,
    strangers: strangers::Limits,
    /// The last message that asked for a displayed marker, by conversation: its sender's id for it.
    markable: HashMap<ConversationId, String>,
    /// Conversations that were looked at or written in since the program started.
    open: std::collections::BTreeSet<ConversationId>,
}

impl State {
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.typing.poll_timeout()
    }

    /// What was put aside in memory is not counted as handled any more.
    pub fn forget_held(&mut self) {
        self.archive.forget_held();
    }
}

/// The account came online or went offline: open conversations say so.
pub(crate) fn account_state_changed(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    for conversation in &account.messages.open {
        cx.changes.conversation(*conversation);
    }
    cx.changes.contacts();
    Ok(())
}

/// A message will not arrive.
pub(crate) fn failed(
    cx: &mut Context,
    account: &Account,
    row: &OutboxRow,
    condition: &str,
) -> Result<(), Fault> {
    match row.message {
        Some(message) => mark_failed(cx, account, message, condition),
        None => Ok(()),
    }
}

fn mark_failed(
    cx: &mut Context,
    account: &Account,
    message: sotto_api::MessageId,
    condition: &str,
) -> Result<(), Fault> {
    let Some(known) = cx.store.message(message)? else {
        return Ok(());
    };
    let Some(conversation) = cx.store.conversation(known.conversation)? else {
        return Ok(());
    };
    let (name, server) = match BareJid::new(&conversation.jid) {
        Ok(peer) => (
            people::contact_of(cx, account.id, &peer)?.name,
            peer.domain().as_str().to_owned(),
        ),
        Err(_) => (conversation.jid.clone(), account.domain().to_owned()),
    };
    let reason = words::failure(condition, &name, &server);
    if cx
        .store
        .message_set_delivery(message, Delivery::Failed, &reason)?
    {
        cx.changes.message(known.conversation, message);
        cx.changes.contacts();
    }
    Ok(())
}
