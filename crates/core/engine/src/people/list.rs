//! The contact list and its rows, ready to show.

use std::collections::BTreeMap;

use sotto_api::view::{
    AddressView, Availability, ContactGroup, ContactView, Delivery, MessageKind, Subscription,
};
use sotto_api::{AccountId, ContactId, Reply};
use sotto_store::row::ContactListRow;
use sotto_xmpp::BareJid;

use super::blocking;
use crate::confusable;
use crate::context::{Answer, Context};
use crate::error::Fault;
use crate::{text, words};

/// Graphemes of the line below a name.
const PREVIEW: usize = 80;

pub(super) fn contact_list(cx: &mut Context, filter: &str, offline: Option<bool>) -> Answer {
    let rows = cx.store.contact_list().map_err(Fault::from)?;
    let offline = offline.unwrap_or(cx.settings.show_offline);
    Ok(Some(Reply::Contacts(grouped(
        people(rows),
        filter,
        offline,
    ))))
}

pub(super) fn contact_view(cx: &mut Context, contact: ContactId) -> Answer {
    match view_of(cx, contact)? {
        Some(view) => Ok(Some(Reply::Contact(view))),
        None => Err(words::not_found()),
    }
}

pub(super) fn view_of(cx: &Context, contact: ContactId) -> Result<Option<ContactView>, Fault> {
    let rows = cx.store.contact(contact)?;
    Ok(people(rows).pop())
}

/// The person behind an address for a conversation's header, also when they are not in the list.
pub(crate) fn contact_of(
    cx: &Context,
    account: AccountId,
    peer: &BareJid,
) -> Result<ContactView, Fault> {
    if let Some(contact) = cx.store.contact_find(account, peer.as_str())?
        && let Some(view) = view_of(cx, contact)?
    {
        return Ok(view);
    }
    let blocked = blocking::is_blocked(cx, account, peer)?;
    let address = peer.to_string();
    let mut view = ContactView {
        id: None,
        name: address.clone(),
        initials: text::initials(&address),
        colour: text::colour(&address),
        avatar: None,
        addresses: vec![AddressView {
            account,
            ascii: confusable::address_ascii(&address),
            address,
            subscription: Subscription::None,
            asking: false,
            availability: Availability::Unknown,
        }],
        groups: Vec::new(),
        availability: Availability::Unknown,
        availability_text: words::availability(Availability::Unknown).into(),
        status_text: String::new(),
        conversation: cx.store.conversation_find(account, peer.as_str())?,
        unread: 0,
        preview: String::new(),
        preview_is_draft: false,
        preview_failed: false,
        last_at: None,
        blocked,
        spoken: String::new(),
    };
    if let Some(conversation) = view.conversation
        && let Some(row) = cx.store.conversation(conversation)?
    {
        view.unread = row.unread;
        preview(&mut view, &row.draft, row.last.as_ref());
    }
    view.spoken = spoken(&view);
    Ok(view)
}

/// One view a person; the rows of one person stand next to each other.
fn people(rows: Vec<ContactListRow>) -> Vec<ContactView> {
    let mut people: Vec<ContactView> = Vec::new();
    for row in rows {
        match people.last_mut() {
            Some(person) if person.id == Some(row.contact) => merge(person, &row),
            _ => people.push(person(row)),
        }
    }
    for person in &mut people {
        person.addresses.sort_by_key(|address| address.availability);
        person.availability_text = words::availability(person.availability).into();
        person.spoken = spoken(person);
    }
    people
}

fn person(row: ContactListRow) -> ContactView {
    let name = if row.name.is_empty() {
        row.jid.clone()
    } else {
        text::clean_line(&row.name)
    };
    let availability = availability_of(&row);
    let mut view = ContactView {
        id: Some(row.contact),
        initials: text::initials(&name),
        colour: text::colour(&row.jid),
        name,
        avatar: row.avatar.clone(),
        addresses: vec![address(&row)],
        groups: row.groups.clone(),
        availability,
        availability_text: String::new(),
        status_text: row
            .presence
            .as_ref()
            .map(|presence| presence.status.clone())
            .unwrap_or_default(),
        conversation: row.conversation,
        unread: row.unread,
        preview: String::new(),
        preview_is_draft: false,
        preview_failed: false,
        last_at: None,
        blocked: row.blocked,
        spoken: String::new(),
    };
    preview(&mut view, &row.draft, row.last.as_ref());
    if view.preview.is_empty()
        && row.ask
        && !matches!(row.subscription, Subscription::To | Subscription::Both)
    {
        view.preview = words::preview_request().into();
    }
    view
}

/// Adds a further address of the same person.
fn merge(person: &mut ContactView, row: &ContactListRow) {
    let availability = availability_of(row);
    if availability < person.availability {
        person.availability = availability;
        person.status_text = row
            .presence
            .as_ref()
            .map(|presence| presence.status.clone())
            .unwrap_or_default();
    }
    person.addresses.push(address(row));
    person.avatar = person.avatar.take().or_else(|| row.avatar.clone());
    person.unread = person.unread.saturating_add(row.unread);
    person.blocked &= row.blocked;
    let at = row.last.as_ref().map(|last| last.at);
    if person.conversation.is_none() || at > person.last_at {
        person.conversation = row.conversation.or(person.conversation);
        preview(person, &row.draft, row.last.as_ref());
    }
}

fn address(row: &ContactListRow) -> AddressView {
    AddressView {
        account: row.account,
        address: row.jid.clone(),
        ascii: confusable::address_ascii(&row.jid),
        subscription: row.subscription,
        asking: row.ask,
        availability: availability_of(row),
    }
}

fn availability_of(row: &ContactListRow) -> Availability {
    match &row.presence {
        Some(presence) => presence.availability,
        None if matches!(row.subscription, Subscription::To | Subscription::Both) => {
            Availability::Offline
        }
        None => Availability::Unknown,
    }
}

fn preview(view: &mut ContactView, draft: &str, last: Option<&sotto_store::row::LastMessage>) {
    view.last_at = last.map(|last| last.at);
    view.preview_failed = last.is_some_and(|last| last.delivery == Some(Delivery::Failed));
    view.preview_is_draft = !draft.trim().is_empty();
    view.preview = if view.preview_is_draft {
        text::preview(draft, PREVIEW)
    } else {
        last.map(|last| match (last.kind, text::action(&last.preview)) {
            (MessageKind::Action, Some(action)) => text::preview(action, PREVIEW),
            _ => text::preview(&last.preview, PREVIEW),
        })
        .unwrap_or_default()
    };
}

fn spoken(view: &ContactView) -> String {
    words::spoken_contact(
        &view.name,
        view.availability,
        &view.status_text,
        view.blocked,
        view.unread,
        &view.preview,
        view.preview_is_draft,
    )
}

fn is_online(view: &ContactView) -> bool {
    view.availability < Availability::Offline
}

/// Groups by name, those without a group last; in each the most available first, then who was spoken
/// with last, then by name. Who has something unread or unsent is shown also when offline, and
/// whoever is looked for.
fn grouped(people: Vec<ContactView>, filter: &str, offline: bool) -> Vec<ContactGroup> {
    let wanted = text::fold(filter);
    let wanted: Vec<&str> = wanted.split_whitespace().collect();
    // The key keeps those without a group behind all names.
    let mut groups: BTreeMap<(bool, String, String), ContactGroup> = BTreeMap::new();
    let mut sorted: Vec<(String, ContactView)> = people
        .into_iter()
        .map(|view| (text::fold(&view.name), view))
        .collect();
    sorted.sort_by(|(name, view), (other_name, other)| {
        let key = |view: &ContactView| (view.blocked, view.availability);
        key(view)
            .cmp(&key(other))
            .then_with(|| other.last_at.cmp(&view.last_at))
            .then_with(|| name.cmp(other_name))
            .then_with(|| view.id.cmp(&other.id))
    });
    for (name, view) in sorted {
        let found = wanted.is_empty() || matches(&name, &view, &wanted);
        let shown = found
            && (offline
                || !wanted.is_empty()
                || is_online(&view)
                || view.unread > 0
                || view.preview_is_draft
                || view.preview_failed);
        let names: &[String] = if view.groups.is_empty() {
            &[String::new()]
        } else {
            &view.groups
        };
        for group in names {
            let key = (group.is_empty(), text::fold(group), group.clone());
            let entry = groups.entry(key).or_insert_with(|| ContactGroup {
                name: group.clone(),
                online: 0,
                total: 0,
                contacts: Vec::new(),
            });
            entry.total += 1;
            entry.online += u32::from(is_online(&view));
            if shown {
                entry.contacts.push(view.clone());
            }
        }
    }
    groups
        .into_values()
        .filter(|group| wanted.is_empty() || !group.contacts.is_empty())
        .collect()
}

fn matches(folded_name: &str, view: &ContactView, wanted: &[&str]) -> bool {
    let addresses: Vec<String> = view
        .addresses
        .iter()
        .map(|address| text::fold(&address.address))
        .collect();
    wanted.iter().all(|word| {
        folded_name.contains(word) || addresses.iter().any(|address| address.contains(word))
    })
}

#[cfg(test)]
mod tests;
