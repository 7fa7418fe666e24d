//! Texts that wait for a private conversation, and leave when it stands.

use sotto_api::view::{Delivery, LineNotice, Privacy};
use sotto_api::{ApiError, ConversationId, MessageId};
use sotto_otr::TextRef;
use sotto_store::row::{ConversationRow, MessageRow, OutboxPurpose, OutboxRow};
use sotto_xmpp::BareJid;

use super::policy::{Decision, Refusal, decide};
use super::standing::standing;
use super::{ANSWER_WAIT, Asked, alert, announce_removed, session};
use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;
use crate::words;

/// Encrypts a stored message to the chosen device and queues it. Whether that was possible.
pub(crate) fn encrypt(
    cx: &mut Context,
    account: &mut Account,
    conversation: &ConversationRow,
    peer: &BareJid,
    message: &MessageRow,
) -> Result<bool, Fault> {
    let Some(device) = standing(cx, account, conversation, peer)?.chosen else {
        return Ok(false);
    };
    let Some(id) = message.message_id.as_deref() else {
        return Ok(false);
    };
    let name = TextRef {
        id: message.id.0.cast_unsigned(),
        at: cx.now.unix_ms.cast_unsigned(),
    };
    session::encrypt(
        cx,
        account,
        peer,
        &device.id,
        (message.id, id),
        (&message.body, name),
    )
}

/// A stored message waits for a private conversation, which is asked for.
pub(crate) fn wait(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    message: MessageId,
) -> Result<(), Fault> {
    cx.store.private_wait(message)?;
    want(cx, account, peer)
}

/// Asks for a private conversation, now or as soon as that is possible.
pub(crate) fn want(cx: &mut Context, account: &mut Account, peer: &BareJid) -> Result<(), Fault> {
    if !account.private.asked.contains_key(peer) {
        account.private.wanted.insert(peer.clone());
    }
    ask_wanted(cx, account)
}

/// Asks those who are to be asked, if the account is online and has its key.
pub(crate) fn ask_wanted(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    for peer in account.private.wanted.clone() {
        // The key is made meanwhile, also offline.
        if let super::keys::OwnKey::Making = super::keys::own(cx, account)? {
            return Ok(());
        }
        if !account.is_online() {
            return Ok(());
        }
        account.private.wanted.remove(&peer);
        let asked = Asked {
            until: cx.now.instant + ANSWER_WAIT,
            stanza: None,
        };
        account.private.asked.insert(peer.clone(), asked);
        if !session::ask(cx, account, &peer, None)? {
            account.private.asked.remove(&peer);
            account.private.wanted.insert(peer);
        }
    }
    Ok(())
}

/// A message in clear that may not leave any more: it waits for a private conversation.
pub(super) fn pull_back(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    row: &OutboxRow,
    message: &MessageRow,
) -> Result<(), Fault> {
    cx.store.outbox_remove(row.id)?;
    if row.purpose == OutboxPurpose::Message && message.delivery == Some(Delivery::Waiting) {
        cx.store.private_wait(message.id)?;
        account.private.wanted.insert(peer.clone());
        ask_wanted_later(cx, account)?;
    } else {
        // A correction of what has left already: it does not follow.
        super::events::line(
            cx,
            account,
            message.conversation,
            LineNotice::CorrectionHeld,
            words::private::correction_held().to_owned(),
        )?;
    }
    cx.changes.message(message.conversation, message.id);
    cx.changes.conversation(message.conversation);
    Ok(())
}

fn ask_wanted_later(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    ask_wanted(cx, account)?;
    account.wake_outbox();
    Ok(())
}

/// A private conversation stands: what waited for it leaves, in its order.
pub(super) fn release(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    peer: &BareJid,
) -> Result<(), Fault> {
    let Some(row) = cx.store.conversation(conversation)? else {
        return Ok(());
    };
    for message in cx.store.private_waiting(conversation)? {
        let situation = standing(cx, account, &row, peer)?.situation();
        match decide(situation) {
            Decision::Encrypt => {
                cx.store.private_leave(message.id)?;
                let privacy = super::privacy(situation.trust);
                cx.store.message_set_privacy(message.id, privacy)?;
                if !encrypt(cx, account, &row, peer, &message)? {
                    // Nothing was queued for it.
                    cx.store.private_wait(message.id)?;
                    return withdraw(cx, conversation);
                }
                cx.changes.message(conversation, message.id);
            }
            Decision::Wait => return Ok(()),
            Decision::Refuse(_) | Decision::Clear(_) => {
                return withdraw(cx, conversation);
            }
        }
    }
    Ok(())
}

/// The other side did not answer: the texts go back into the draft.
pub(super) fn no_answer(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
) -> Result<(), Fault> {
    refuse(cx, account, peer, words::private::no_answer)
}

/// The request came back: the texts go back into the draft at once.
pub(super) fn unreachable(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
) -> Result<(), Fault> {
    refuse(cx, account, peer, words::private::not_reached)
}

fn refuse(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    why: fn(&str) -> String,
) -> Result<(), Fault> {
    let was_asked = account.private.asked.remove(peer).is_some();
    let was_wanted = account.private.wanted.remove(peer);
    let Some(conversation) = cx.store.conversation_find(account.id, peer.as_str())? else {
        return Ok(());
    };
    if standing_is_private(cx, account, conversation, peer)? {
        return Ok(());
    }
    let gone = cx.store.private_withdraw(conversation)?;
    let waited = !gone.is_empty();
    announce_removed(cx, conversation, gone);
    if !(waited || was_asked || was_wanted) {
        // The other side asked and then fell silent: nothing of the person's was held up by it.
        return Ok(());
    }
    let name = super::events::name(cx, account, peer)?;
    super::events::line(cx, account, conversation, LineNotice::NoAnswer, why(&name))?;
    alert::set(cx, account, conversation, alert::Alert::NotPossible);
    Ok(())
}

fn standing_is_private(
    cx: &Context,
    account: &Account,
    conversation: ConversationId,
    peer: &BareJid,
) -> Result<bool, Fault> {
    let Some(row) = cx.store.conversation(conversation)? else {
        return Ok(false);
    };
    let state = standing(cx, account, &row, peer)?.state;
    Ok(state == sotto_api::view::PrivateState::Private)
}

/// Takes back what waits; its text is in the draft again.
pub(super) fn withdraw(cx: &mut Context, conversation: ConversationId) -> Result<(), Fault> {
    let gone = cx.store.private_withdraw(conversation)?;
    announce_removed(cx, conversation, gone);
    Ok(())
}

/// A message in a private conversation that could not be sent or must not: why.
pub(crate) fn refused(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    refusal: Refusal,
    name: &str,
) -> ApiError {
    let shown = match refusal {
        Refusal::Ended => alert::Alert::Ended,
        Refusal::KeyChanged => alert::Alert::KeyChanged,
        Refusal::Distrusted => alert::Alert::Distrusted,
    };
    alert::set(cx, account, conversation, shown);
    match refusal {
        Refusal::Ended => words::private::ended_choose_first(name),
        Refusal::KeyChanged => words::private::changed_choose_first(name),
        Refusal::Distrusted => words::private::distrusted_refused(name),
    }
}

/// The label of a message that will leave encrypted, by how the conversation stands.
pub(crate) fn label(decision: &Decision, trust: Option<sotto_api::view::Trust>) -> Privacy {
    match decision {
        Decision::Clear(_) => Privacy::ServerOnly,
        Decision::Encrypt => super::privacy(trust),
        Decision::Wait | Decision::Refuse(_) => Privacy::Encrypted,
    }
}
