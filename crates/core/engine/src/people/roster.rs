//! The roster: kept in step with the server, changed through it (RFC 6121 §2).

use sotto_api::view::Subscription;
use sotto_api::{AccountId, ApiError, ContactId, ErrorKind, Field, Reply};
use sotto_store::row::RosterItem;
use sotto_xmpp::presence::{self, SubscriptionStanza};
use sotto_xmpp::roster::{self, Item, MAX_GROUPS, MAX_NAME, Roster};
use sotto_xmpp::{BareJid, Element, iq};

use super::{Pending, done, list, note_person, online, refusal, typed_address};
use crate::account::{Account, Accounts, IqReply, Pending as AccountPending};
use crate::context::{Answer, Context, ReplyTo};
use crate::error::Fault;
use crate::{text, words};

/// A change of the contact list that the person asked for.
#[derive(Debug)]
pub(crate) struct Change {
    /// Who waits; absent for all but the last address of a person.
    to: Option<ReplyTo>,
    jid: BareJid,
    what: What,
}

#[derive(Debug)]
enum What {
    Add { name: String, groups: Vec<String> },
    Edit { name: String, groups: Vec<String> },
    Remove,
}

// ---- what the server says --------------------------------------------------------------------

pub(super) fn ask(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    // Only where the server has versions may one be named, and an empty one asks for them (§2.6.2).
    let version = match account.roster_versions {
        true => Some(cx.store.roster_version(account.id)?.unwrap_or_default()),
        false => None,
    };
    account.request(
        cx,
        None,
        iq::Method::Get,
        roster::get(version.as_deref()),
        AccountPending::People(Pending::Roster),
    );
    Ok(())
}

pub(super) fn handle_roster(
    cx: &mut Context,
    account: &mut Account,
    reply: IqReply,
) -> Result<(), Fault> {
    let Ok(payload) = reply else {
        tracing::warn!("the server gave no contact list");
        return Ok(());
    };
    if let Ok(Roster::Items { version, items }) = roster::parse_result(payload.as_ref()) {
        let items: Vec<RosterItem> = items.into_iter().map(row).collect();
        cx.store
            .roster_replace(account.id, &items, version.as_deref())?;
        for item in &items {
            settle_request(cx, account.id, item)?;
        }
        cx.changes.contacts();
    }
    Ok(())
}

/// `false` for what is no roster push, or none of our own account's (S-XMPP-04): that has no effect
/// and is answered like anything unknown.
pub(super) fn handle_push(
    cx: &mut Context,
    account: &mut Account,
    iq: &Element,
) -> Result<bool, Fault> {
    let push = match roster::parse_push(iq, &account.address) {
        Ok(Some(push)) => push,
        Ok(None) => return Ok(false),
        Err(refused) => {
            tracing::warn!(%refused, "a roster push was refused");
            return Ok(false);
        }
    };
    let version = push.version.as_deref();
    match push.change {
        roster::Change::Set(item) => {
            let item = row(item);
            cx.store.roster_set(account.id, &item, version)?;
            settle_request(cx, account.id, &item)?;
            if matches!(item.subscription, Subscription::None | Subscription::From) {
                cx.store.presence_remove_all(account.id, &item.jid)?;
            }
            note_person(cx, account.id, &item.jid)?;
        }
        roster::Change::Removed(jid) => {
            cx.store.roster_remove(account.id, jid.as_str(), version)?;
            cx.store.avatar_of_set(account.id, jid.as_str(), None)?;
            note_person(cx, account.id, jid.as_str())?;
        }
    }
    Ok(true)
}

/// Somebody who may see my presence waits for no answer any more.
fn settle_request(cx: &mut Context, account: AccountId, item: &RosterItem) -> Result<(), Fault> {
    if matches!(item.subscription, Subscription::From | Subscription::Both)
        && cx.store.subscription_request_remove(account, &item.jid)?
    {
        cx.changes.subscriptions();
    }
    Ok(())
}

fn row(item: Item) -> RosterItem {
    RosterItem {
        jid: item.jid.to_string(),
        name: text::clean_line(&item.name),
        subscription: match item.subscription {
            roster::Subscription::None => Subscription::None,
            roster::Subscription::To => Subscription::To,
            roster::Subscription::From => Subscription::From,
            roster::Subscription::Both => Subscription::Both,
        },
        ask: item.ask,
        groups: item.groups,
    }
}

// ---- what the person asks --------------------------------------------------------------------

pub(super) fn add(
    cx: &mut Context,
    account: &mut Account,
    to: ReplyTo,
    address: &str,
    name: &str,
    groups: &[String],
) -> Answer {
    let jid = typed_address(address)?;
    if jid == account.address {
        return Err(words::contact_itself());
    }
    let name = checked_name(name)?;
    let groups = checked_groups(groups)?;
    let known = cx
        .store
        .roster_item(account.id, jid.as_str())
        .map_err(Fault::from)?;
    if known.is_some_and(|item| {
        item.ask || matches!(item.subscription, Subscription::To | Subscription::Both)
    }) {
        return Err(words::already_there(jid.as_str()));
    }
    let account = online(account)?;
    let payload = roster::set(&jid, &name, &groups);
    let change = Change {
        to: Some(to),
        jid,
        what: What::Add { name, groups },
    };
    request(cx, account, payload, change)
}

pub(super) fn rename(
    cx: &mut Context,
    accounts: &mut Accounts,
    to: ReplyTo,
    contact: ContactId,
    name: &str,
) -> Answer {
    let name = checked_name(name)?;
    edit(cx, accounts, to, contact, |item| RosterItem {
        name: name.clone(),
        ..item
    })
}

pub(super) fn regroup(
    cx: &mut Context,
    accounts: &mut Accounts,
    to: ReplyTo,
    contact: ContactId,
    groups: &[String],
) -> Answer {
    let groups = checked_groups(groups)?;
    edit(cx, accounts, to, contact, |item| RosterItem {
        groups: groups.clone(),
        ..item
    })
}

pub(super) fn remove(
    cx: &mut Context,
    accounts: &mut Accounts,
    to: ReplyTo,
    contact: ContactId,
) -> Answer {
    let addresses = addresses(cx, accounts, contact)?;
    let last = addresses.len().saturating_sub(1);
    for (place, (id, item)) in addresses.into_iter().enumerate() {
        let account = online(super::find(accounts, id)?)?;
        let jid = BareJid::new(&item.jid).map_err(|_| words::internal())?;
        let payload = roster::remove(&jid);
        let change = Change {
            to: (place == last).then_some(to),
            jid,
            what: What::Remove,
        };
        request(cx, account, payload, change)?;
    }
    Ok(None)
}

fn edit(
    cx: &mut Context,
    accounts: &mut Accounts,
    to: ReplyTo,
    contact: ContactId,
    change: impl Fn(RosterItem) -> RosterItem,
) -> Answer {
    let addresses = addresses(cx, accounts, contact)?;
    let last = addresses.len().saturating_sub(1);
    for (place, (id, item)) in addresses.into_iter().enumerate() {
        let item = change(item);
        let account = online(super::find(accounts, id)?)?;
        let jid = BareJid::new(&item.jid).map_err(|_| words::internal())?;
        let payload = roster::set(&jid, &item.name, &item.groups);
        let change = Change {
            to: (place == last).then_some(to),
            jid,
            what: What::Edit {
                name: item.name,
                groups: item.groups,
            },
        };
        request(cx, account, payload, change)?;
    }
    Ok(None)
}

/// The addresses of a person; an error unless all their accounts are online, so that nothing is done
/// by halves.
fn addresses(
    cx: &Context,
    accounts: &mut Accounts,
    contact: ContactId,
) -> Result<Vec<(AccountId, RosterItem)>, ApiError> {
    let rows = cx.store.contact(contact).map_err(Fault::from)?;
    if rows.is_empty() {
        return Err(words::not_found());
    }
    let mut addresses = Vec::with_capacity(rows.len());
    for row in rows {
        online(super::find(accounts, row.account)?)?;
        addresses.push((
            row.account,
            RosterItem {
                jid: row.jid,
                name: row.name,
                subscription: row.subscription,
                ask: row.ask,
                groups: row.groups,
            },
        ));
    }
    Ok(addresses)
}

fn request(cx: &mut Context, account: &mut Account, payload: Element, change: Change) -> Answer {
    let pending = AccountPending::People(Pending::Change(Box::new(change)));
    if account.request(cx, None, iq::Method::Set, payload, pending) {
        Ok(None)
    } else {
        Err(words::offline(account.address.as_str()))
    }
}

pub(super) fn handle_changed(
    cx: &mut Context,
    account: &mut Account,
    change: Change,
    reply: IqReply,
) -> Result<(), Fault> {
    if let Err(failure) = reply {
        if let Some(to) = change.to {
            let error = refusal(account, &failure);
            cx.answer(to, Err(error));
        }
        return Ok(());
    }
    // The push that tells the same may come before this or after it; its version is the server's, so
    // the stored one stays.
    let version = cx.store.roster_version(account.id)?;
    let jid = change.jid.as_str();
    match change.what {
        What::Remove => {
            cx.store
                .roster_remove(account.id, jid, version.as_deref())?;
            cx.store.avatar_of_set(account.id, jid, None)?;
            note_person(cx, account.id, jid)?;
            if let Some(to) = change.to {
                done(cx, to);
            }
        }
        What::Edit { name, groups } => {
            if let Some(item) = cx.store.roster_item(account.id, jid)? {
                let item = RosterItem {
                    name,
                    groups,
                    ..item
                };
                cx.store.roster_set(account.id, &item, version.as_deref())?;
            }
            note_person(cx, account.id, jid)?;
            if let Some(to) = change.to {
                done(cx, to);
            }
        }
        What::Add { name, groups } => {
            let known = cx.store.roster_item(account.id, jid)?;
            let item = match known {
                Some(item) => RosterItem {
                    name,
                    groups,
                    ..item
                },
                None => RosterItem {
                    jid: jid.to_owned(),
                    name,
                    subscription: Subscription::None,
                    ask: true,
                    groups,
                },
            };
            let contact = cx.store.roster_set(account.id, &item, version.as_deref())?;
            let id = cx.random_id();
            let ask = presence::subscription(SubscriptionStanza::Subscribe, &change.jid, &id);
            account.send(cx, ask);
            note_person(cx, account.id, jid)?;
            if let Some(to) = change.to {
                let answer = match list::view_of(cx, contact)? {
                    Some(view) => Ok(Reply::Contact(view)),
                    None => Err(words::not_found()),
                };
                cx.answer(to, answer);
            }
        }
    }
    Ok(())
}

fn checked_name(name: &str) -> Result<String, ApiError> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.len() > MAX_NAME || name.chars().count() > text::LINE_CHARS {
        return Err(words::too_long("characters", text::LINE_CHARS, Field::Name));
    }
    Ok(text::clean_line(&name))
}

fn checked_groups(groups: &[String]) -> Result<Vec<String>, ApiError> {
    let mut checked: Vec<String> = Vec::new();
    for group in groups {
        let group = text::clean_line(group);
        if group.is_empty() {
            return Err(words::empty_group());
        }
        if group.len() > MAX_NAME {
            return Err(words::too_long("letters", text::LINE_CHARS, Field::Groups));
        }
        if !checked.contains(&group) {
            checked.push(group);
        }
    }
    if checked.len() > MAX_GROUPS {
        return Err(
            ApiError::new(ErrorKind::Invalid, words::too_many_groups(MAX_GROUPS)).at(Field::Groups),
        );
    }
    checked.sort();
    Ok(checked)
}
