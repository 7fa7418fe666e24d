//! Texts that the other side may not have read, since it lost the session they were written in: what becomes
//! of them when the next session stands.
//!
//! They are sent again, as the same messages, to the key that they were written for, or from one verified key
//! to another. Under any other key they stay here, marked *Not sent*, and the person decides (S-OTR-16).

use std::time::Duration;

use sotto_api::view::{Delivery, Direction, LineNotice, PrivateState, Trust};
use sotto_api::{ConversationId, MessageId};
use sotto_otr::{Fingerprint, InstanceId, TextRef, Unread};
use sotto_store::row::{ConversationRow, MessageRow};
use sotto_xmpp::{BareJid, Jid};

use super::policy::{Decision, Situation, decide};
use super::trust::{self, Seen};
use super::{alert, events, policy_of, session};
use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;
use crate::words;

/// How long a text may be sent again where the other side confirms what it reads (XEP-0184).
pub(super) const WITH_RECEIPTS: Duration = Duration::from_hours(24);
/// The same where it confirms nothing: it may have read the text, and would see it twice.
const WITHOUT_RECEIPTS: Duration = Duration::from_mins(2);

/// The session that has just begun.
pub(super) struct Begun<'a> {
    pub instance: &'a InstanceId,
    pub fingerprint: Fingerprint,
    pub seen: Seen,
}

/// A session began: what the sessions before it did not bring across goes again, or is marked.
pub(super) fn begun(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    peer: &BareJid,
    begun: &Begun<'_>,
    unread: Vec<Unread>,
) -> Result<(), Fault> {
    let Some(row) = cx.store.conversation(conversation)? else {
        return Ok(());
    };
    let mut unread = unread;
    unread.extend(of_devices_that_are_gone(cx, account, peer, begun)?);
    if unread.is_empty() {
        return Ok(());
    }
    let known = known(cx, conversation)?;
    let (mut again, mut lost) = (0, 0);
    for text in unread {
        let Some(message) = still_unread(cx, conversation, &text, &known)? else {
            continue;
        };
        if !may_go(cx, account, peer, &text.fingerprint, begun)? {
            lost += 1;
            let why = words::private::written_for_another_key;
            mark(cx, account, peer, &message, why)?;
        } else if repeat(cx, account, &row, peer, begun, (&message, text.text.at))? {
            again += 1;
        } else {
            lost += 1;
            mark(cx, account, peer, &message, words::private::not_sent_again)?;
        }
    }
    if again > 0 {
        let name = events::name(cx, account, peer)?;
        let text = words::private::sent_again(&name, again);
        events::line(cx, account, conversation, LineNotice::SentAgain, text)?;
    }
    if again > 0 && lost == 0 {
        alert::repaired(cx, account, conversation);
    }
    Ok(())
}

/// Texts for other devices that are not there any more, of the same key; or of another one, where the new key
/// was never met and so may have taken their place.
fn of_devices_that_are_gone(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    begun: &Begun<'_>,
) -> Result<Vec<Unread>, Fault> {
    let here: Vec<String> = cx
        .store
        .presences(account.id, peer.as_str())?
        .into_iter()
        .map(|presence| presence.resource)
        .collect();
    if here.is_empty() {
        // Their presence is not seen: nobody is known to be gone.
        return Ok(Vec::new());
    }
    let mut gone = Vec::new();
    for device in session::instances(cx, account, peer)? {
        let present = Jid::new(&device.address).ok().is_some_and(|jid| {
            jid.resource()
                .is_some_and(|resource| here.iter().any(|here| here == resource.as_str()))
        });
        if device.id == *begun.instance || present {
            continue;
        }
        let Some(fingerprint) = device.fingerprint else {
            continue;
        };
        if begun.seen.fresh || may_go(cx, account, peer, &fingerprint, begun)? {
            gone.extend(session::take_unread(cx, account, peer, &device.id)?);
        }
    }
    Ok(gone)
}

/// How it is known what the other side has read.
struct Known {
    /// It confirms what it reads.
    confirmed: bool,
    /// Since when a text must have been sent to be looked at.
    oldest: u64,
}

fn known(cx: &Context, conversation: ConversationId) -> Result<Known, Fault> {
    let now = cx.now.unix_ms;
    let within = |span: Duration| now.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(0));
    let confirmed = cx
        .store
        .private_confirmed_since(conversation, sotto_api::Timestamp(within(WITH_RECEIPTS)))?;
    let span = if confirmed {
        WITH_RECEIPTS
    } else {
        WITHOUT_RECEIPTS
    };
    Ok(Known {
        confirmed,
        oldest: u64::try_from(within(span)).unwrap_or(0),
    })
}

/// The message of a text, unless it is confirmed, gone or old. Where nothing is confirmed, one that later words
/// have overtaken counts as read: the network seldom loses one alone, and it would be seen twice.
fn still_unread(
    cx: &Context,
    conversation: ConversationId,
    text: &Unread,
    known: &Known,
) -> Result<Option<MessageRow>, Fault> {
    if text.text.at < known.oldest || (text.overtaken && !known.confirmed) {
        return Ok(None);
    }
    let Ok(id) = i64::try_from(text.text.id) else {
        return Ok(None);
    };
    let message = cx.store.message(MessageId(id))?;
    Ok(message.filter(|message| {
        message.conversation == conversation
            && message.direction == Direction::Outgoing
            && !message.deleted
            && !message.body.is_empty()
            && matches!(message.delivery, Some(Delivery::Waiting | Delivery::Sent))
    }))
}

/// Whether a text that was written for one key may go to that of the new session.
fn may_go(
    cx: &Context,
    account: &Account,
    peer: &BareJid,
    written_for: &Fingerprint,
    begun: &Begun<'_>,
) -> Result<bool, Fault> {
    if *written_for == begun.fingerprint {
        return Ok(true);
    }
    let verified = Some(Trust::Verified);
    Ok(begun.seen.trust == Trust::Verified
        && trust::of(cx, account, peer, written_for)? == verified)
}

/// Sends a text again, as the same message. Whether that was possible.
fn repeat(
    cx: &mut Context,
    account: &mut Account,
    conversation: &ConversationRow,
    peer: &BareJid,
    begun: &Begun<'_>,
    (message, at): (&MessageRow, u64),
) -> Result<bool, Fault> {
    let situation = Situation {
        policy: policy_of(cx, account, conversation.id)?.0,
        state: PrivateState::Private,
        trust: Some(begun.seen.trust),
    };
    let Some(id) = message.message_id.as_deref() else {
        return Ok(false);
    };
    if decide(situation) != Decision::Encrypt {
        return Ok(false);
    }
    // What has not left yet can be read by nobody any more.
    for row in cx.store.outbox_of(message.id)? {
        if row.sequence.is_none() && !row.ambiguous {
            cx.store.outbox_remove(row.id)?;
        }
    }
    let privacy = super::privacy(situation.trust);
    cx.store.message_set_privacy(message.id, privacy)?;
    cx.changes.message(conversation.id, message.id);
    let name = TextRef {
        id: message.id.0.cast_unsigned(),
        at,
    };
    session::encrypt(
        cx,
        account,
        peer,
        begun.instance,
        (message.id, id),
        (&message.body, name),
    )
}

/// A text stays here: the person is told and may send it again.
fn mark(
    cx: &mut Context,
    account: &Account,
    peer: &BareJid,
    message: &MessageRow,
    why: fn(&str) -> String,
) -> Result<(), Fault> {
    let name = events::name(cx, account, peer)?;
    let reason = why(&name);
    for row in cx.store.outbox_of(message.id)? {
        if row.sequence.is_none() && !row.ambiguous {
            cx.store.outbox_remove(row.id)?;
        }
    }
    if cx
        .store
        .message_set_delivery(message.id, Delivery::Failed, &reason)?
    {
        cx.changes.message(message.conversation, message.id);
        cx.changes.contacts();
    }
    Ok(())
}
