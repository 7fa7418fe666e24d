//! Messages that the person writes: stored first, sent as soon as the account can.

use sotto_api::view::{Delivery, Direction, MessageKind, Privacy};
use sotto_api::{ApiError, ConversationId, Field, MessageId};
use sotto_store::row::{ConversationRow, MessageRow, NewMessage, NewOutbox, OutboxPurpose, Place};
use sotto_xmpp::message::MAX_BODY;
use sotto_xmpp::text::without_forbidden;
use sotto_xmpp::{BareJid, Jid};

use super::{incoming, typing};
use crate::account::Account;
use crate::context::Context;
use crate::private::policy::{self, Decision, Released};
use crate::private::{self, session};
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
    let standing = private::standing(cx, account, conversation, peer)?;
    let situation = standing.situation();
    let decision = policy::decide(situation);
    if let Decision::Refuse(refusal) = decision {
        return Err(refused(cx, account, conversation, peer, refusal)?);
    }
    let id = cx.random_id();
    let secret = !matches!(decision, Decision::Clear(_));
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
                privacy: private::outgoing::label(&decision, situation.trust),
                origin_id: Some(&id),
                message_id: Some(&id),
                archive_id: None,
                sender: account.address.as_str(),
                unread: false,
                kept: !secret || cx.settings.keep_private,
                notice: None,
            },
            Place::Newest,
        )
        .map_err(store)?
        .id();
    cx.store.draft_set(conversation.id, "").map_err(store)?;
    cx.changes.message_added(conversation.id, message, false);
    leave(cx, account, peer, (message, &id), &body, decision)?;
    cx.store
        .conversation_read(conversation.id, Some(message))
        .map_err(store)?;
    typing::handle_sent(account, conversation.id);
    cx.changes.conversation(conversation.id);
    cx.changes.contacts();
    Ok(message)
}

/// Lets the text of a stored message go the way that was decided.
fn leave(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    (message, id): (MessageId, &str),
    body: &str,
    decision: Decision,
) -> Result<(), ApiError> {
    match decision {
        Decision::Clear(permit) => {
            let text = if permit.offers() {
                session::tagged(cx, account, peer, body)?
            } else {
                body.to_owned()
            };
            let xml = stanza(cx, account, peer, id, &permit.release(text), None)?;
            queue(cx, account, message, OutboxPurpose::Message, id, &xml)
        }
        Decision::Encrypt => {
            let row = cx
                .store
                .message(message)
                .map_err(store)?
                .ok_or_else(words::not_found)?;
            let conversation = cx
                .store
                .conversation(row.conversation)
                .map_err(store)?
                .ok_or_else(words::not_found)?;
            if private::outgoing::encrypt(cx, account, &conversation, peer, &row)? {
                Ok(())
            } else {
                // The session went, or the own key is being made anew: it waits for both.
                Ok(private::outgoing::wait(cx, account, peer, message)?)
            }
        }
        Decision::Wait => Ok(private::outgoing::wait(cx, account, peer, message)?),
        Decision::Refuse(_) => Err(words::internal()),
    }
}

/// Why nothing leaves, as an error; the conversation shows it too.
fn refused(
    cx: &mut Context,
    account: &mut Account,
    conversation: &ConversationRow,
    peer: &BareJid,
    refusal: policy::Refusal,
) -> Result<ApiError, ApiError> {
    let name = people::contact_of(cx, account.id, peer)?.name;
    Ok(private::outgoing::refused(
        cx,
        account,
        conversation.id,
        refusal,
        &name,
    ))
}

/// Corrects the last message that the person wrote in a conversation (XEP-0308).
pub(super) fn correct(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    message: &MessageRow,
    body: &str,
) -> Result<(), ApiError> {
    if last_own(cx, message.conversation)? != Some(message.id) {
        return Err(words::not_correctable());
    }
    let Some(permit) = may_correct(cx, account, message)? else {
        return Err(words::private::private_not_correctable());
    };
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
    let released = permit.release(body);
    let xml = stanza(cx, account, peer, &id, &released, Some(replaces))?;
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
    account: &Account,
    conversation: ConversationId,
) -> Result<Option<MessageId>, ApiError> {
    let Some(last) = last_own(cx, conversation)? else {
        return Ok(None);
    };
    let Some(row) = cx.store.message(last).map_err(store)? else {
        return Ok(None);
    };
    Ok(may_correct(cx, account, &row)?.map(|_| last))
}

/// A permit for a correction, whose mark (XEP-0308) stands outside any encryption.
fn may_correct(
    cx: &Context,
    account: &Account,
    message: &MessageRow,
) -> Result<Option<policy::Permit>, ApiError> {
    let Some(conversation) = cx.store.conversation(message.conversation).map_err(store)? else {
        return Ok(None);
    };
    let Ok(peer) = BareJid::new(&conversation.jid) else {
        return Ok(None);
    };
    let standing = private::standing(cx, account, &conversation, &peer)?;
    Ok(policy::may_correct(standing.situation(), message.privacy))
}

fn last_own(cx: &Context, conversation: ConversationId) -> Result<Option<MessageId>, ApiError> {
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
    let Some(conversation) = cx.store.conversation(message.conversation).map_err(store)? else {
        return Err(words::not_found());
    };
    let standing = private::standing(cx, account, &conversation, peer)?;
    let mut decision = policy::decide(standing.situation());
    if let Decision::Refuse(refusal) = decision {
        return Err(refused(cx, account, &conversation, peer, refusal)?);
    }
    let secret = matches!(message.privacy, Privacy::Encrypted | Privacy::Verified);
    if secret && matches!(decision, Decision::Clear(_)) {
        // It was to be private when it was written.
        decision = Decision::Wait;
    }
    // The archive may have the try that failed. A second one by the same id, if it got lost, would be
    // taken for that one, and never be sent.
    let id = cx.random_id();
    if !cx.store.message_retry(message.id, &id).map_err(store)? {
        return Ok(());
    }
    if matches!(decision, Decision::Encrypt) {
        let privacy = private::outgoing::label(&decision, standing.trust);
        cx.store
            .message_set_privacy(message.id, privacy)
            .map_err(store)?;
    }
    leave(
        cx,
        account,
        peer,
        (message.id, &id),
        &message.body,
        decision,
    )?;
    cx.changes.message(message.conversation, message.id);
    cx.changes.contacts();
    Ok(())
}

/// Takes back a message that cannot have left yet, or that failed.
pub(super) fn withdraw(cx: &mut Context, message: &MessageRow) -> Result<(), ApiError> {
    let rows = cx.store.outbox_of(message.id).map_err(store)?;
    let waits_private = message.waits_private && rows.is_empty();
    let waits = !rows.is_empty()
        && rows
            .iter()
            .all(|row| row.sequence.is_none() && !row.ambiguous && row.attempts == 0);
    let failed = message.delivery == Some(Delivery::Failed);
    if message.direction != Direction::Outgoing || !(waits || waits_private || failed) {
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
    released: &Released,
    replaces: Option<&str>,
) -> Result<String, ApiError> {
    let to = Jid::from(peer.clone());
    let chat_state = cx.settings.send_typing && people::sees_me(cx, account.id, peer)?;
    Ok(session::stanza(&to, id, released, chat_state, replaces))
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
