//! What OTR reports: sessions that begin and end, faults; the lines and notices that tell of it.

use sotto_api::ConversationId;
use sotto_api::view::{Direction, LineNotice, MessageKind, Privacy, Trust};
use sotto_otr::{Event, Fingerprint, InstanceId, Unread};
use sotto_store::row::{NewMessage, Place};
use sotto_xmpp::BareJid;

use super::{again, alert, outgoing, trust, verify};
use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;
use crate::{people, words};

/// One event, besides texts.
pub(super) fn handle(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    peer: &BareJid,
    event: Event,
) -> Result<(), Fault> {
    match event {
        Event::Established {
            instance,
            fingerprint,
            refreshed,
            unread,
            ..
        } => established(
            cx,
            account,
            conversation,
            peer,
            (instance, fingerprint),
            (refreshed, unread),
        ),
        Event::Ended { .. } => {
            verify::over(cx, account, conversation);
            let name = name(cx, account, peer)?;
            let text = words::private::private_ended_there(&name);
            line(cx, account, conversation, LineNotice::PrivateEnded, text)
        }
        Event::Smp { instance, event } => {
            verify::handle(cx, account, conversation, peer, &instance, event)
        }
        // One line a minute: its sender's program was told, too.
        Event::Unreadable { told: false, .. } => Ok(()),
        Event::Unreadable { told: true, .. } => {
            let name = name(cx, account, peer)?;
            let text = words::private::private_unreadable(&name);
            line(cx, account, conversation, LineNotice::Unreadable, text)
        }
        Event::PeerError { text } => {
            alert::set(
                cx,
                account,
                conversation,
                alert::Alert::Fault { said: text },
            );
            Ok(())
        }
        Event::OldVersion => {
            // Once: a peer could fill the conversation with it.
            if !account.private.told_old_version.insert(conversation) {
                return Ok(());
            }
            let name = name(cx, account, peer)?;
            let text = words::private::old_version(&name);
            line(cx, account, conversation, LineNotice::NoAnswer, text)
        }
        Event::NoAnswer => outgoing::no_answer(cx, account, peer),
        // Nothing here makes use of a further key.
        Event::ExtraKey { .. } => Ok(()),
        Event::Transmit { .. } | Event::Plain { .. } | Event::Message { .. } => Ok(()),
    }
}

fn established(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    peer: &BareJid,
    (instance, fingerprint): (InstanceId, Fingerprint),
    (refreshed, unread): (bool, Vec<Unread>),
) -> Result<(), Fault> {
    account.private.asked.remove(peer);
    account.private.wanted.remove(peer);
    account
        .private
        .latest
        .insert(peer.clone(), instance.clone());
    alert::overtaken(account, conversation);
    let seen = trust::seen(cx, account, peer, &fingerprint)?;
    let name = name(cx, account, peer)?;
    if let Some(previous) = seen.previous.filter(|_| seen.fresh) {
        let changed = seen.trust == Trust::Changed;
        let (before, now) = (code(&previous), code(&fingerprint));
        let text = words::private::key_changed(&name, &before, &now, changed);
        line(cx, account, conversation, LineNotice::KeyChanged, text)?;
    }
    if !refreshed {
        let verified = seen.trust == Trust::Verified;
        let text = words::private::private_started(&name, verified, refreshed);
        line(cx, account, conversation, LineNotice::PrivateStarted, text)?;
        if !cx.settings.keep_private {
            let text = words::private::not_kept().to_owned();
            line(cx, account, conversation, LineNotice::NotKept, text)?;
        }
    }
    let begun = again::Begun {
        instance: &instance,
        fingerprint,
        seen,
    };
    again::begun(cx, account, conversation, peer, &begun, unread)?;
    outgoing::release(cx, account, conversation, peer)?;
    cx.changes.contacts();
    Ok(())
}

/// A key's code, in ten groups of four.
pub(super) fn code(fingerprint: &Fingerprint) -> String {
    let plain = fingerprint.to_string().replace(' ', "");
    let letters: Vec<char> = plain.chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(" ")
}

/// What somebody is called.
pub(super) fn name(cx: &Context, account: &Account, peer: &BareJid) -> Result<String, Fault> {
    Ok(people::contact_of(cx, account.id, peer)?.name)
}

/// A line of the program's own in a conversation.
pub(super) fn line(
    cx: &mut Context,
    account: &Account,
    conversation: ConversationId,
    notice: LineNotice,
    text: String,
) -> Result<(), Fault> {
    let now = cx.timestamp();
    let id = cx
        .store
        .message_insert(
            &NewMessage {
                conversation,
                direction: Direction::Incoming,
                kind: MessageKind::System,
                body: &text,
                at: now,
                received_at: now,
                delivery: None,
                privacy: Privacy::ServerOnly,
                origin_id: None,
                message_id: None,
                archive_id: None,
                sender: account.address.as_str(),
                unread: false,
                kept: cx.settings.keep_private,
                notice: Some(notice),
            },
            Place::Newest,
        )?
        .id();
    cx.changes.message_added(conversation, id, false);
    cx.changes.conversation(conversation);
    Ok(())
}
