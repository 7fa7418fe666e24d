//! Presence that comes in (RFC 6121 §3 and §4).

use sotto_api::Timestamp;
use sotto_api::view::{Availability, Subscription};
use sotto_store::row::PresenceRow;
use sotto_xmpp::presence::{self, Available, Meaning, Presence, Show, SubscriptionStanza};
use sotto_xmpp::{BareJid, Element, Jid};

use super::{capabilities, note_person, pictures, requests};
use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;
use crate::text;

/// Programs of one person that are kept; somebody with more is playing.
const PROGRAMS: usize = 32;

pub(super) fn handle(
    cx: &mut Context,
    account: &mut Account,
    stanza: &Element,
) -> Result<(), Fault> {
    let presence = match presence::parse(stanza) {
        Ok(presence) => presence,
        Err(refused) => {
            tracing::debug!(%refused, "a presence was refused");
            return Ok(());
        }
    };
    let Some(from) = presence.from.clone() else {
        return Ok(());
    };
    let peer = from.to_bare();
    if presence.room {
        return Ok(());
    }
    match &presence.meaning {
        Meaning::Available(available) => {
            if peer == account.address {
                pictures::handle_hint(cx, account, &peer, &available.avatar)
            } else {
                handle_available(cx, account, &from, &presence, available)
            }
        }
        Meaning::Unavailable => handle_unavailable(cx, account, &from),
        Meaning::Subscription(SubscriptionStanza::Subscribe) => {
            requests::handle_subscribe(cx, account, &peer, &presence)
        }
        Meaning::Subscription(SubscriptionStanza::Unsubscribe) => {
            requests::withdrawn(cx, account, &peer)
        }
        Meaning::Subscription(SubscriptionStanza::Unsubscribed) => forget(cx, account, &peer),
        // The roster push that comes with it says all there is.
        Meaning::Subscription(SubscriptionStanza::Subscribed)
        | Meaning::Error(_)
        | Meaning::Ignored => Ok(()),
    }
}

fn handle_available(
    cx: &mut Context,
    account: &mut Account,
    from: &Jid,
    presence: &Presence,
    available: &Available,
) -> Result<(), Fault> {
    let peer = from.to_bare();
    // Presence of somebody who is not in the list is not kept: nothing shows it, and a stranger could
    // fill the store with it (S-XMPP-18).
    let Some(item) = cx.store.roster_item(account.id, peer.as_str())? else {
        return Ok(());
    };
    let resource = from.resource().map(|r| r.to_string()).unwrap_or_default();
    let known = cx.store.presences(account.id, peer.as_str())?;
    if known.len() >= PROGRAMS && known.iter().all(|row| row.resource != resource) {
        return Ok(());
    }
    let sees_me = matches!(item.subscription, Subscription::From | Subscription::Both);
    let caps = match &available.caps {
        Some(caps) => Some(capabilities::handle_caps(cx, account, from, caps, sees_me)?),
        None => None,
    };
    cx.store.presence_set(
        account.id,
        &PresenceRow {
            jid: peer.to_string(),
            resource,
            availability: availability(available.show),
            status: text::clean_line(&presence.status),
            priority: available.priority,
            caps,
            at: Timestamp(cx.now.unix_ms),
        },
    )?;
    pictures::handle_hint(cx, account, &peer, &available.avatar)?;
    note_person(cx, account.id, peer.as_str())
}

fn handle_unavailable(cx: &mut Context, account: &mut Account, from: &Jid) -> Result<(), Fault> {
    let peer = from.to_bare();
    let gone = match from.resource() {
        Some(resource) => cx
            .store
            .presence_remove(account.id, peer.as_str(), resource.as_str())?,
        None => cx.store.presence_remove_all(account.id, peer.as_str())?,
    };
    if gone {
        note_person(cx, account.id, peer.as_str())?;
    }
    Ok(())
}

fn forget(cx: &mut Context, account: &mut Account, peer: &BareJid) -> Result<(), Fault> {
    if cx.store.presence_remove_all(account.id, peer.as_str())? {
        note_person(cx, account.id, peer.as_str())?;
    }
    Ok(())
}

fn availability(show: Show) -> Availability {
    match show {
        Show::Chat => Availability::Chat,
        Show::Available => Availability::Available,
        Show::Away => Availability::Away,
        Show::Xa => Availability::ExtendedAway,
        Show::Dnd => Availability::Busy,
    }
}
