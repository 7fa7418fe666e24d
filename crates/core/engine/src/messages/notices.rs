//! Receipts (XEP-0184), markers (XEP-0333) and errors, both ways.

use sotto_api::ConversationId;
use sotto_api::view::{Delivery, Direction};
use sotto_store::row::{NewOutbox, OutboxPurpose};
use sotto_xmpp::message::Message;
use sotto_xmpp::{BareJid, Element, Jid, markers, receipts};

use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;
use crate::people;

/// A receipt or marker of somebody: about messages that went to them, and no others (S-XMPP-09).
pub(super) fn handle(
    cx: &mut Context,
    account: &Account,
    peer: &BareJid,
    message: &Message,
) -> Result<(), Fault> {
    if !receipts::is_from_addressee(message.from.as_ref(), peer) {
        return Ok(());
    }
    let Some(conversation) = cx.store.conversation_find(account.id, peer.as_str())? else {
        return Ok(());
    };
    let own = |id: &str| {
        cx.store
            .message_by_message_id(conversation, Direction::Outgoing, id)
    };
    if let Some(id) = &message.receipt
        && let Some(known) = own(id)?
        && cx
            .store
            .message_set_delivery(known.id, Delivery::Delivered, "")?
    {
        cx.changes.message(conversation, known.id);
        cx.changes.contacts();
    }
    if let Some(id) = &message.displayed
        && let Some(known) = own(id)?
    {
        for seen in cx.store.messages_seen_up_to(known.id)? {
            cx.changes.message(conversation, seen);
            cx.changes.contacts();
        }
    }
    Ok(())
}

/// Another program of mine says up to where I have read.
pub(super) fn handle_own_marker(
    cx: &mut Context,
    account: &Account,
    peer: &BareJid,
    id: &str,
) -> Result<(), Fault> {
    let Some(conversation) = cx.store.conversation_find(account.id, peer.as_str())? else {
        return Ok(());
    };
    let known = cx
        .store
        .message_by_message_id(conversation, Direction::Incoming, id)?;
    if let Some(known) = known
        && cx.store.conversation_read(conversation, Some(known.id))?
    {
        cx.changes.conversation(conversation);
        cx.changes.contacts();
    }
    Ok(())
}

/// An error came back for a message of mine. Never answered, never shown as a message (S-XMPP-13).
pub(super) fn handle_error(
    cx: &mut Context,
    account: &mut Account,
    message: &Message,
) -> Result<(), Fault> {
    let (Some(from), Some(id), Some(error)) = (&message.from, &message.id, &message.error) else {
        return Ok(());
    };
    let peer = from.to_bare();
    crate::private::bounced(cx, account, &peer, id)?;
    let Some(conversation) = cx.store.conversation_find(account.id, peer.as_str())? else {
        return Ok(());
    };
    let known = cx
        .store
        .message_by_message_id(conversation, Direction::Outgoing, id)?;
    match known {
        Some(known) => super::mark_failed(cx, account, known.id, error.condition.name()),
        None => Ok(()),
    }
}

/// Tells the sender that their message arrived, if they may know that we are there (S-XMPP-17).
pub(super) fn send_receipt(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    message: &Message,
) -> Result<(), Fault> {
    if !cx.settings.send_receipts
        || !receipts::is_due(message, people::sees_me(cx, account.id, peer)?)
    {
        return Ok(());
    }
    let (Some(to), Some(id)) = (&message.from, &message.id) else {
        return Ok(());
    };
    let own_id = cx.random_id();
    let stanza = receipts::receipt(to, id, &own_id);
    add_notice(cx, account, &own_id, &stanza)
}

/// Remembers that a message asked for a displayed marker.
pub(super) fn note_markable(
    account: &mut Account,
    conversation: ConversationId,
    message: &Message,
) {
    if markers::is_due(message, true)
        && let Some(id) = &message.id
    {
        account.messages.markable.insert(conversation, id.clone());
    }
}

/// The person has read a conversation: says so, if that is switched on and they may know.
pub(super) fn send_marker(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    peer: &BareJid,
) -> Result<(), Fault> {
    let Some(id) = account.messages.markable.remove(&conversation) else {
        return Ok(());
    };
    if !cx.settings.send_displayed || !people::sees_me(cx, account.id, peer)? {
        return Ok(());
    }
    let own_id = cx.random_id();
    let to = Jid::from(peer.clone());
    let stanza = markers::marker(&to, &id, &own_id);
    add_notice(cx, account, &own_id, &stanza)
}

fn add_notice(
    cx: &mut Context,
    account: &mut Account,
    own_id: &str,
    stanza: &Element,
) -> Result<(), Fault> {
    cx.store.outbox_add(&NewOutbox {
        account: account.id,
        message: None,
        purpose: OutboxPurpose::Notice,
        stanza_id: own_id,
        xml: &String::from(stanza),
        created: cx.timestamp(),
    })?;
    account.wake_outbox();
    Ok(())
}
