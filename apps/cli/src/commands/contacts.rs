//! `sotto-cli contacts …`

use std::io::Write;

use sotto_api::view::{ContactGroup, ContactView};
use sotto_api::{ContactId, Reply, Request, SubscriptionAnswer};

use crate::args::{ContactsCommand, PersonArgs};
use crate::failure::Done;
use crate::output::text;
use crate::session::{OnTrouble, Session, not_found, unexpected};

pub(super) fn run<W: Write>(command: ContactsCommand, session: &mut Session<'_, W>) -> Done {
    match command {
        ContactsCommand::List { filter, online } => {
            let groups = list(session, filter, Some(!online))?;
            session.out.result(&groups, || text::contacts(&groups))
        }
        ContactsCommand::Add {
            address,
            name,
            group,
            account,
        } => {
            let account = session.account_for(&address, account.as_deref())?.id;
            session.online(account, OnTrouble::Wait)?;
            let reply = session.call(Request::ContactAdd {
                account,
                address,
                name,
                groups: group,
            })?;
            let Reply::Contact(view) = reply else {
                return Err(unexpected());
            };
            session.out.result(&view, || {
                format!(
                    "{} is in the list and has been asked to show you their presence.",
                    text::plain(&view.name)
                )
            })
        }
        ContactsCommand::Rename { address, name } => {
            let contact = changeable(session, &address)?;
            session.call(Request::ContactRename { contact, name })?;
            done(session, || format!("{address} was renamed."))
        }
        ContactsCommand::Move { address, groups } => {
            let contact = changeable(session, &address)?;
            session.call(Request::ContactMove { contact, groups })?;
            done(session, || format!("{address} was moved."))
        }
        ContactsCommand::Remove { address } => {
            let contact = changeable(session, &address)?;
            session.call(Request::ContactRemove { contact })?;
            done(session, || {
                format!("{address} was removed; the history stays.")
            })
        }
        ContactsCommand::Requests => {
            let Reply::SubscriptionRequests(requests) =
                session.call(Request::SubscriptionList {})?
            else {
                return Err(unexpected());
            };
            let zone = session.zone.clone();
            session
                .out
                .result(&requests, || text::requests(&requests, &zone))
        }
        ContactsCommand::Accept(person) => answer(session, person, SubscriptionAnswer::Accept),
        ContactsCommand::Refuse(person) => answer(session, person, SubscriptionAnswer::Refuse),
        ContactsCommand::Block(person) => block(session, person, true),
        ContactsCommand::Unblock(person) => block(session, person, false),
        ContactsCommand::Blocked => {
            let mut all = Vec::new();
            for account in session.accounts()? {
                let account = account.id;
                match session.call(Request::BlockList { account })? {
                    Reply::Blocked(some) => all.extend(some),
                    _ => return Err(unexpected()),
                }
            }
            session.out.result(&all, || text::blocked(&all))
        }
    }
}

fn list<W: Write>(
    session: &Session<'_, W>,
    filter: String,
    offline: Option<bool>,
) -> Done<Vec<ContactGroup>> {
    match session.call(Request::ContactList { filter, offline })? {
        Reply::Contacts(groups) => Ok(groups),
        _ => Err(unexpected()),
    }
}

/// The contact with this address, its accounts signed in so that the server hears of a change.
fn changeable<W: Write>(session: &mut Session<'_, W>, address: &str) -> Done<ContactId> {
    let contact = find(session, address)?;
    let Some(id) = contact.id else {
        return Err(nobody(address));
    };
    for known in &contact.addresses {
        session.online(known.account, OnTrouble::Wait)?;
    }
    Ok(id)
}

fn find<W: Write>(session: &Session<'_, W>, address: &str) -> Done<ContactView> {
    list(session, String::new(), Some(true))?
        .into_iter()
        .flat_map(|group| group.contacts)
        .find(|contact| {
            contact
                .addresses
                .iter()
                .any(|a| a.address.eq_ignore_ascii_case(address))
        })
        .ok_or_else(|| nobody(address))
}

fn nobody(address: &str) -> crate::failure::Failure {
    not_found(&format!("Nobody in the list has the address {address}."))
}

fn answer<W: Write>(
    session: &mut Session<'_, W>,
    person: PersonArgs,
    answer: SubscriptionAnswer,
) -> Done {
    let account = account_asked(session, &person)?;
    session.online(account, OnTrouble::Wait)?;
    let address = person.address;
    session.call(Request::SubscriptionAnswer {
        account,
        address: address.clone(),
        answer,
    })?;
    done(session, || match answer {
        SubscriptionAnswer::Accept => format!("{address} may see your presence."),
        SubscriptionAnswer::Refuse => format!("{address} may not see your presence."),
        SubscriptionAnswer::Block => format!("{address} is blocked."),
    })
}

/// The account on which the person asked, unless one is named.
fn account_asked<W: Write>(
    session: &Session<'_, W>,
    person: &PersonArgs,
) -> Done<sotto_api::AccountId> {
    if person.account.is_none()
        && let Reply::SubscriptionRequests(requests) = session.call(Request::SubscriptionList {})?
        && let Some(request) = requests
            .iter()
            .find(|r| r.address.eq_ignore_ascii_case(&person.address))
    {
        return Ok(request.account);
    }
    Ok(session
        .account_for(&person.address, person.account.as_deref())?
        .id)
}

fn block<W: Write>(session: &mut Session<'_, W>, person: PersonArgs, blocked: bool) -> Done {
    let account = account_asked(session, &person)?;
    session.online(account, OnTrouble::Wait)?;
    let address = person.address;
    session.call(Request::Block {
        account,
        address: address.clone(),
        blocked,
    })?;
    done(session, || {
        let word = if blocked {
            "blocked"
        } else {
            "not blocked any more"
        };
        format!("{address} is {word}.")
    })
}

fn done<W: Write>(session: &mut Session<'_, W>, words: impl FnOnce() -> String) -> Done {
    session.out.result(&Reply::Done, words)
}
