//! People: roster, presence, contact list, subscription requests, blocking, pictures.
//!
//! How it plugs in: the account calls the functions below while it handles one stanza or reply, inside
//! a store transaction; they write to the store, note what changed in `cx.changes`, and send through
//! [`Account::send`] and [`Account::request`]. A handler of a request gives the reply, or `None` when
//! it waits for the server; then it puts the [`ReplyTo`] into its [`Pending`] and answers in
//! [`handle_reply`] with `cx.answer`.

mod blocking;
mod capabilities;
mod list;
mod pictures;
mod presence;
mod requests;
mod roster;
mod status;

use sotto_api::{AccountId, ApiError, Reply, Request};
use sotto_store::Store;
use sotto_store::row::PresenceRow;
use sotto_xmpp::stanza_error::StanzaError;
use sotto_xmpp::{BareJid, Element, Jid, avatar, iq, pep};

use crate::account::{Account, Accounts, IqReply};
use crate::context::{Answer, Context, ReplyTo};
use crate::error::Fault;
use crate::words;

pub(crate) use list::contact_of;
pub(crate) use pictures::handle_work;
pub(crate) use status::send_presence;

/// What an iq of this module is for; comes back with its reply.
#[derive(Debug)]
pub(crate) enum Pending {
    /// The contact list.
    Roster,
    /// A change of the contact list that the person asked for.
    Change(Box<roster::Change>),
    /// The block list.
    BlockList,
    /// Blocking or unblocking.
    Block {
        to: ReplyTo,
        jid: Jid,
        blocked: bool,
    },
    /// What a program of a contact can do.
    Capabilities(capabilities::Asked),
    /// A contact's picture.
    Picture(pictures::Asked),
    /// Steps of publishing my own picture.
    Publish(Box<pictures::Publishing>),
}

/// What this module keeps per account in memory.
#[derive(Debug, Default)]
pub(crate) struct State {
    capabilities: capabilities::State,
    pictures: pictures::State,
    /// Presence from before the program was started: it holds again if the stream goes on.
    before: Vec<PresenceRow>,
}

/// The profile was opened: what presence said when the program ended is not shown until the server
/// says that the stream goes on.
pub(crate) fn opened(store: &Store, account: &mut Account) -> Result<(), Fault> {
    account.people.before = store.presence_all(account.id)?;
    Ok(store.presence_clear(account.id)?)
}

/// A fresh stream was bound: forget presence, ask for the roster (with its version) and the block list.
///
/// The server answers in order, so what presence brings finds the roster in place.
pub(crate) fn stream_bound(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    pictures::dropped(cx, account);
    account.people = State::default();
    cx.store.presence_clear(account.id)?;
    roster::ask(cx, account)?;
    blocking::ask(cx, account);
    cx.changes.contacts();
    Ok(())
}

/// The old stream goes on after a restart of the program: presence and roster still hold.
pub(crate) fn stream_resumed(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    for row in std::mem::take(&mut account.people.before) {
        cx.store.presence_set(account.id, &row)?;
    }
    cx.changes.contacts();
    Ok(())
}

/// What the account offers is known.
pub(crate) fn features_known(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    pictures::ask_own(cx, account)
}

/// The stream is gone for good (not merely interrupted): everybody is offline.
pub(crate) fn stream_lost(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    pictures::dropped(cx, account);
    account.people = State::default();
    cx.store.presence_clear(account.id)?;
    cx.changes.contacts();
    Ok(())
}

/// A `<presence/>` of any type came.
pub(crate) fn handle_presence(
    cx: &mut Context,
    account: &mut Account,
    presence: &Element,
) -> Result<(), Fault> {
    presence::handle(cx, account, presence)
}

/// An iq of type `set` came. `false` when it is neither a roster push nor a push of the block list, or
/// comes from somebody who may not push (S-XMPP-04); otherwise the answer was sent here.
pub(crate) fn handle_push(
    cx: &mut Context,
    account: &mut Account,
    iq: &Element,
) -> Result<bool, Fault> {
    let handled = roster::handle_push(cx, account, iq)? || blocking::handle_push(cx, account, iq)?;
    if handled && let Some(answer) = iq::result(iq, None) {
        account.send(cx, answer);
    }
    Ok(handled)
}

/// A PEP event came (message with `pubsub#event`): `false` when it is none of this module's nodes.
pub(crate) fn handle_pep(
    cx: &mut Context,
    account: &mut Account,
    message: &Element,
) -> Result<bool, Fault> {
    match pep::parse_event(message, &account.address) {
        Ok(Some(event)) if event.node == sotto_xmpp::ns::AVATAR_METADATA => {
            pictures::handle_event(cx, account, &event)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// The reply to one of this module's iqs, an error, or none in time.
pub(crate) fn handle_reply(
    cx: &mut Context,
    account: &mut Account,
    pending: Pending,
    reply: IqReply,
) -> Result<(), Fault> {
    match pending {
        Pending::Roster => roster::handle_roster(cx, account, reply),
        Pending::Change(change) => roster::handle_changed(cx, account, *change, reply),
        Pending::BlockList => blocking::handle_list(cx, account, reply),
        Pending::Block { to, jid, blocked } => {
            blocking::handle_blocked(cx, account, to, &jid, blocked, reply)
        }
        Pending::Capabilities(asked) => capabilities::handle_reply(cx, account, &asked, reply),
        Pending::Picture(asked) => pictures::handle_reply(cx, account, asked, reply),
        Pending::Publish(publishing) => pictures::handle_published(cx, account, *publishing, reply),
    }
}

/// `ContactList` … `AvatarGet` of [`Request`] (the section *people*).
pub(crate) fn handle_request(
    cx: &mut Context,
    accounts: &mut Accounts,
    to: ReplyTo,
    request: Request,
) -> Answer {
    match request {
        Request::ContactList { filter, offline } => list::contact_list(cx, &filter, offline),
        Request::ContactView { contact } => list::contact_view(cx, contact),
        Request::ContactAdd {
            account,
            address,
            name,
            groups,
        } => roster::add(cx, find(accounts, account)?, to, &address, &name, &groups),
        Request::ContactRename { contact, name } => {
            roster::rename(cx, accounts, to, contact, &name)
        }
        Request::ContactMove { contact, groups } => {
            roster::regroup(cx, accounts, to, contact, &groups)
        }
        Request::ContactRemove { contact } => roster::remove(cx, accounts, to, contact),
        Request::SubscriptionList {} => requests::list(cx),
        Request::SubscriptionAnswer {
            account,
            address,
            answer,
        } => requests::answer(cx, find(accounts, account)?, to, &address, answer),
        Request::Block {
            account,
            address,
            blocked,
        } => blocking::block(cx, find(accounts, account)?, to, &address, blocked),
        Request::BlockList { account } => blocking::list(cx, find(accounts, account)?),
        Request::StatusSet {
            account,
            availability,
            text,
        } => status::set(cx, accounts, account, availability, &text),
        Request::AvatarSet { account, png } => {
            pictures::set(cx, find(accounts, account)?, to, png.as_deref())
        }
        Request::AvatarGet { hash } => pictures::get(cx, &hash),
        _ => Err(words::internal()),
    }
}

/// Whether receipts, markers and typing notices may go there: in the list, and allowed to see my
/// presence (subscription `from` or `both`), and not blocked (S-XMPP-17).
pub(crate) fn sees_me(cx: &Context, account: AccountId, peer: &BareJid) -> Result<bool, Fault> {
    use sotto_api::view::Subscription::{Both, From};
    let Some(item) = cx.store.roster_item(account, peer.as_str())? else {
        return Ok(false);
    };
    Ok(matches!(item.subscription, From | Both) && !blocking::is_blocked(cx, account, peer)?)
}

/// Whether the address is in the contact list of the account.
pub(crate) fn is_contact(cx: &Context, account: AccountId, peer: &BareJid) -> Result<bool, Fault> {
    Ok(cx.store.contact_find(account, peer.as_str())?.is_some())
}

fn find(accounts: &mut Accounts, account: AccountId) -> Result<&mut Account, ApiError> {
    accounts.get_mut(&account).ok_or_else(words::not_found)
}

/// The account, if it can ask its server now.
fn online(account: &mut Account) -> Result<&mut Account, ApiError> {
    if account.is_online() {
        Ok(account)
    } else {
        Err(words::offline(account.address.as_str()))
    }
}

/// An address that a person typed, without a resource.
fn typed_address(typed: &str) -> Result<BareJid, ApiError> {
    let typed = typed.trim();
    let typed = typed.strip_prefix("xmpp:").unwrap_or(typed);
    Jid::new(typed)
        .map(|jid| jid.to_bare())
        .map_err(|_| words::invalid_address("leila@riverside.example"))
}

/// The error of an iq as a person reads it.
fn refusal(account: &Account, failure: &iq::Failure) -> ApiError {
    match failure {
        iq::Failure::Error(StanzaError {
            condition, text, ..
        }) => words::server_refused(account.domain(), condition.name(), text),
        iq::Failure::TimedOut | iq::Failure::Dropped => {
            words::server_refused(account.domain(), "timeout", "")
        }
        iq::Failure::Lost => words::offline(account.address.as_str()),
    }
}

/// The conversation with an address shows something that changed: its name, presence or picture.
fn note_person(cx: &mut Context, account: AccountId, jid: &str) -> Result<(), Fault> {
    cx.changes.contacts();
    if let Some(conversation) = cx.store.conversation_find(account, jid)? {
        cx.changes.conversation(conversation);
    }
    Ok(())
}

fn done(cx: &mut Context, to: ReplyTo) {
    cx.answer(to, Ok(Reply::Done));
}

/// Whether bytes are taken as a picture at all; used by the pictures and their tests.
fn accepted(bytes: Vec<u8>) -> Option<avatar::Picture> {
    avatar::accept(bytes, None).ok()
}

#[cfg(test)]
mod tests;
