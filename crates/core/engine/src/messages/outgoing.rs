//! Messages that the person writes: stored first, sent as soon as the account can.

use sotto_api::view::{Delivery, Direction, MessageKind, Privacy};
use sotto_api::{ApiError, ConversationId, Field, MessageId};
use sotto_store::row::{ConversationRow, MessageRow, NewMessage, NewOutbox, OutboxPurpose, Place};
use sotto_xmpp::message::{MAX_BODY, Outgoing};
use sotto_xmpp::text::without_forbidden;
use sotto_xmpp::{BareJid, Jid};

use super::{incoming, typing};
use crate::account::Account;
use crate::context::Context;
use crate::{people, words};

/// Longest text of one message, in bytes.
const MOST_BYTES: usize = MAX_BODY / 4;

/// A message that was asked for: to exactly this conversation, whatever is shown meanwhile (T-18).
pub(super) fn send(
    cx: &mut Context,
    account: &mut Account,
    conversation: &ConversationRow,
    peer: &BareJid,
    body: &str,
) -> Result<MessageId, ApiError> {
    let body = checked(body)?;
    let id = cx.random_id();
    let xml = stanza(cx, account, peer, &id, &body, None)?;
    let message = cx
        .store
        .message_insert(
            &NewMessage {
                conversation: conversation.id,
                direction: Direction::Outgoing,
                kind: incoming::kind_of(&body),
                body: &body,
                at: cx.timestamp(),
                received_at: cx.timestamp(),
                delivery: Some(Delivery::Waiting),
                privacy: Privacy::ServerOnly,
                origin_id: Some(&id),
                message_id: Some(&id),
                archive_id: None,
                sender: account.address.as_str(),
                unread: false,
                kept: true,
                notice: None,
            },
            Place::Newest,
        )
        .map_err(store)?
        .id();
    queue(cx, account, message, OutboxPurpose::Message, &id, &xml)?;
    cx.store.draft_set(conversation.id, "").map_err(store)?;
    cx.store
        .conversation_read(conversation.id, Some(message))
        .map_err(store)?;
    typing::handle_sent(account, conversation.id);
    cx.changes.message_added(conversation.id, message, false);
    cx.changes.conversation(conversation.id);
    cx.changes.contacts();
    Ok(message)
}

/// Corrects the last message that the person wrote in a conversation (XEP-0308).
pub(super) fn correct(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    message: &MessageRow,
    body: &str,
) -> Result<(), ApiError> {
    if correctable(cx, message.conversation)? != Some(message.id) {
        return Err(words::not_correctable());
    }
    let Some(replaces) = message.message_id.as_deref() else {
        return Err(words::not_correctable());
    };
    let body = checked(body)?;
    let kind = incoming::kind_of(&body);
    let changed = cx
        .store
        .message_correct(message.id, kind, &body, cx.timestamp())
        .map_err(store)?;
    if !changed {
        return Ok(());
    }
    let id = cx.random_id();
    let xml = stanza(cx, account, peer, &id, &body, Some(replaces))?;
    queue(
        cx,
        account,
        message.id,
        OutboxPurpose::Correction,
        &id,
        &xml,
    )?;
    typing::handle_sent(account, message.conversation);
    cx.changes.message(message.conversation, message.id);
    cx.changes.contacts();
    Ok(())
}

/// The message that can be corrected: the last own one, unless it failed.
pub(super) fn correctable(
    cx: &Context,
    conversation: ConversationId,
) -> Result<Option<MessageId>, ApiError> {
    let last = cx.store.message_last_own(conversation).map_err(store)?;
    Ok(last
        .filter(|last| last.delivery != Some(Delivery::Failed) && !last.deleted)
        .filter(|last| last.kind != MessageKind::System && last.message_id.is_some())
        .map(|last| last.id))
}

/// Tries a message marked *Not sent* again.
pub(super) fn retry(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    message: &MessageRow,
) -> Result<(), ApiError> {
    // The archive may have the try that failed. A second one by the same id, if it got lost, would be
    // taken for that one, and never be sent.
    let id = cx.random_id();
    if !cx.store.message_retry(message.id, &id).map_err(store)? {
        return Ok(());
    }
    let xml = stanza(cx, account, peer, &id, &message.body, None)?;
    queue(cx, account, message.id, OutboxPurpose::Message, &id, &xml)?;
    cx.changes.message(message.conversation, message.id);
    cx.changes.contacts();
    Ok(())
}

/// Takes back a message that cannot have left yet, or that failed.
pub(super) fn withdraw(cx: &mut Context, message: &MessageRow) -> Result<(), ApiError> {
    let rows = cx.store.outbox_of(message.id).map_err(store)?;
    let waits = !rows.is_empty()
        && rows
            .iter()
            .all(|row| row.sequence.is_none() && !row.ambiguous && row.attempts == 0);
    let failed = message.delivery == Some(Delivery::Failed);
    if message.direction != Direction::Outgoing || !(waits || failed) {
        return Err(words::already_sent());
    }
    cx.store.message_erase(message.id).map_err(store)?;
    cx.changes.message_removed(message.conversation, message.id);
    cx.changes.conversation(message.conversation);
    cx.changes.contacts();
    Ok(())
}

fn checked(body: &str) -> Result<String, ApiError> {
    let body = without_forbidden(body);
    if body.trim().is_empty() {
        return Err(words::no_message_text());
    }
    if body.len() > MOST_BYTES {
        return Err(words::too_long("bytes", MOST_BYTES, Field::Body));
    }
    Ok(body.into_owned())
}

/// Nothing that asks for an answer by itself, and no typing notice, goes to somebody who does not
/// see our presence anyway.
fn stanza(
    cx: &Context,
    account: &Account,
    peer: &BareJid,
    id: &str,
    body: &str,
    replaces: Option<&str>,
) -> Result<String, ApiError> {
    let to = Jid::from(peer.clone());
    let chat_state = cx.settings.send_typing && people::sees_me(cx, account.id, peer)?;
    let outgoing = Outgoing {
        chat_state,
        replaces,
        ..Outgoing::new(&to, id, body)
    };
    Ok(String::from(&outgoing.to_element()))
}

fn queue(
    cx: &mut Context,
    account: &mut Account,
    message: MessageId,
    purpose: OutboxPurpose,
    stanza_id: &str,
    xml: &str,
) -> Result<(), ApiError> {
    cx.store
        .outbox_add(&NewOutbox {
            account: account.id,
            message: Some(message),
            purpose,
            stanza_id,
            xml,
            created: cx.timestamp(),
        })
        .map_err(store)?;
    account.wake_outbox();
    Ok(())
}

fn store(error: sotto_store::StoreError) -> ApiError {
    crate::error::Fault::from(error).into()
}
