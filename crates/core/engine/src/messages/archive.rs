//! What the archive on the server has and this computer has not (XEP-0313).
//!
//! After a fresh bind, what was missed is read before anything that comes live, so that the order
//! holds. Older history is read backward, when somebody looks at it.

use std::collections::VecDeque;

use sotto_api::{ConversationId, Timestamp};
use sotto_store::row::{ArchiveState, Archived};
use sotto_xmpp::mam::{Fin, Item, Query, Step, Walk};
use sotto_xmpp::message::Message;
use sotto_xmpp::stanza_error::Condition;
use sotto_xmpp::stanza_id::{self, random_id};
use sotto_xmpp::{BareJid, Element, Jid, carbons, correction, iq};

use super::incoming::{self, Origin, Way};
use crate::account::{Account, Pending};
use crate::context::Context;
use crate::error::Fault;

/// How much is put aside while the archive is read.
const MOST_HELD: usize = 2000;
const MOST_HELD_BYTES: usize = 8 * 1024 * 1024;
/// How many messages the very first sign-in fetches.
const FIRST_PAGE: u32 = 100;
/// How many messages a look at older history fetches.
const OLDER_PAGE: u32 = 50;

/// How often a page is asked for that does not come.
const MOST_UNANSWERED: u32 = 3;

/// What a page of the archive was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// What was missed.
    Missed,
    /// Older messages of a conversation.
    Older(ConversationId),
}

#[derive(Default)]
pub(crate) struct State {
    phase: Phase,
    /// Live messages that wait for their turn.
    held: VecDeque<Element>,
    held_bytes: usize,
    /// More came than can be held: the archive has it, and is read once more.
    overflow: bool,
    /// Reading failed: the mark up to which everything is known must not move until it succeeds.
    behind: bool,
    /// How often in a row a page was asked for without an answer.
    unanswered: u32,
    older: Option<Older>,
}

#[derive(Default)]
enum Phase {
    /// It is not known yet what the server offers.
    Asking,
    /// What was missed is being read.
    Reading(Box<Reading>),
    /// Everything is here; or there is no archive.
    #[default]
    Settled,
}

struct Reading {
    walk: Walk,
    query: Query,
    ground: Ground,
    /// What the archive got until then and is not here, was erased here or not kept: it stays away.
    erased_up_to: Option<Timestamp>,
}

/// Why what is missed is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// The very first sign-in: what is there was read elsewhere.
    First,
    /// On from where it was.
    Missed,
    /// The same, but the server does not know that place any more: its newest page.
    PlaceLost,
}

/// A page of older messages on its way.
struct Older {
    conversation: ConversationId,
    peer: BareJid,
    query: Query,
    items: Vec<Item>,
}

impl State {
    /// Nothing is being caught up: live messages are taken at once.
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Settled)
    }

    /// Everything that the archive has is here, so that after a crash the stream may simply go on.
    pub fn is_current(&self) -> bool {
        self.is_settled() && !self.behind
    }

    /// It is not known yet whether there is an archive that would have what is put aside: until then
    /// nothing of it counts as handled.
    pub fn is_asking(&self) -> bool {
        matches!(self.phase, Phase::Asking)
    }

    /// Puts a live message aside while the archive is read; gives it back when its turn is now.
    pub fn hold(&mut self, stanza: Element) -> Option<Element> {
        if self.is_settled() {
            return Some(stanza);
        }
        let size = String::from(&stanza).len();
        // Once something was left out, so is what follows: the mark must not pass it.
        if self.overflow || self.held.len() >= MOST_HELD || self.held_bytes + size > MOST_HELD_BYTES
        {
            self.overflow = true;
            return None;
        }
        self.held_bytes += size;
        self.held.push_back(stanza);
        None
    }

    /// The connection broke: what was put aside and not counted as handled comes again.
    pub fn interrupted(&mut self) {
        if self.is_asking() {
            self.forget_held();
        }
    }

    /// What was put aside is not counted as handled any more, and comes again.
    pub fn forget_held(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
    }
}

/// A fresh stream: until it is known what was missed, everything live waits.
pub(crate) fn stream_bound(account: &mut Account) {
    account.messages.archive = State {
        phase: Phase::Asking,
        ..State::default()
    };
}

/// The stream goes on where it was; so does the reading, if its request was not answered meanwhile.
pub(crate) fn stream_resumed(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    if account.features.known {
        features_known(cx, account)
    } else {
        Ok(())
    }
}

/// It is known whether there is an archive.
pub(crate) fn features_known(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    if !matches!(account.messages.archive.phase, Phase::Asking) {
        return Ok(());
    }
    if account.features.archive {
        begin(cx, account)
    } else {
        settle(cx, account)
    }
}

fn begin(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    let held = std::mem::take(&mut account.messages.archive.held);
    let (held, not_archived) = held
        .into_iter()
        .partition(|stanza| may_be_archived(account, stanza));
    account.messages.archive.held = held;
    take_in(cx, account, not_archived)?;
    let known = cx.store.archive_state(account.id, None)?;
    let (walk, ground) = match known.newest {
        Some(newest) => (Walk::forward(Some(newest)), Ground::Missed),
        // It was empty when it was last read: everything in it came since.
        None if known.complete => (Walk::forward(None), Ground::Missed),
        None => (newest_page(), Ground::First),
    };
    ask(cx, account, walk, ground)
}

fn newest_page() -> Walk {
    Walk::backward(None).page_size(FIRST_PAGE)
}

fn ask(cx: &mut Context, account: &mut Account, walk: Walk, ground: Ground) -> Result<(), Fault> {
    let Some(query) = walk.query(random_id(&mut *cx.effects.random)) else {
        return settle(cx, account);
    };
    let payload = query.to_element();
    let erased_up_to = match ground {
        Ground::Missed => None,
        Ground::First | Ground::PlaceLost => cx.store.archive_erased_up_to(account.id)?,
    };
    account.messages.archive.phase = Phase::Reading(Box::new(Reading {
        walk,
        query,
        ground,
        erased_up_to,
    }));
    let pending = Pending::Archive(Asked::Missed);
    account.request(cx, None, iq::Method::Set, payload, pending);
    Ok(())
}

/// A result of the archive: only for a query of ours, only from our archive (S-XMPP-03).
pub(super) fn handle_result(
    cx: &mut Context,
    account: &mut Account,
    stanza: &Element,
) -> Result<(), Fault> {
    let own = account.address.clone();
    let state = &mut account.messages.archive;
    if let Some(older) = &mut state.older
        && let Ok(Some(item)) = older.query.accept(stanza, &own)
    {
        if older.items.len() < OLDER_PAGE as usize * 2 {
            older.items.push(item);
        }
        return Ok(());
    }
    let Phase::Reading(reading) = &state.phase else {
        tracing::debug!("an archive result that nobody asked for was refused");
        return Ok(());
    };
    match reading.query.accept(stanza, &own) {
        Ok(Some(item)) => {
            let way = match reading.ground {
                Ground::First => Way::First,
                Ground::Missed | Ground::PlaceLost => Way::Missed,
            };
            let origin = Origin {
                way,
                archive_id: Some(item.archive_id),
                stamp: item.stamp,
                erased_up_to: reading.erased_up_to,
            };
            incoming::receive(cx, account, &item.message, &origin)
        }
        Ok(None) => Ok(()),
        Err(refused) => {
            tracing::debug!(%refused, "an archive result was refused");
            Ok(())
        }
    }
}

/// A page ended, or could not be had.
pub(crate) fn handle_reply(
    cx: &mut Context,
    account: &mut Account,
    asked: Asked,
    reply: iq::Outcome,
) -> Result<(), Fault> {
    let fin = match &reply {
        Ok(Some(payload)) => Fin::parse(payload).ok(),
        _ => None,
    };
    match asked {
        Asked::Missed => handle_missed(cx, account, fin, &reply),
        Asked::Older(conversation) => handle_older(cx, account, conversation, fin),
    }
}

fn handle_missed(
    cx: &mut Context,
    account: &mut Account,
    fin: Option<Fin>,
    reply: &iq::Outcome,
) -> Result<(), Fault> {
    let phase = std::mem::take(&mut account.messages.archive.phase);
    let Phase::Reading(reading) = phase else {
        account.messages.archive.phase = phase;
        return Ok(());
    };
    let Reading {
        mut walk, ground, ..
    } = *reading;
    let Some(fin) = fin else {
        if !account.is_online() || matches!(reply, Err(iq::Failure::Lost)) {
            // It begins anew on the next stream, or when this one goes on.
            account.messages.archive.phase = Phase::Asking;
            return Ok(());
        }
        if ground == Ground::Missed && is_place_lost(reply) {
            // The server does not know the place any more (expired): begin with its newest page.
            return ask(cx, account, newest_page(), Ground::PlaceLost);
        }
        let unanswered = &mut account.messages.archive.unanswered;
        *unanswered += 1;
        if !matches!(reply, Err(iq::Failure::Error(_))) && *unanswered < MOST_UNANSWERED {
            // What is in doubt would be sent twice, if the archive has it after all.
            return ask(cx, account, walk, ground);
        }
        account.messages.archive.behind = true;
        return settle(cx, account);
    };
    account.messages.archive.unanswered = 0;
    if ground == Ground::PlaceLost {
        cx.store.archive_state_clear(account.id)?;
    }
    let mut known = cx.store.archive_state(account.id, None)?;
    if let Some(last) = &fin.bounds.last {
        known.newest = Some(last.clone());
        if known.oldest.is_none() {
            known.oldest.clone_from(&fin.bounds.first);
            known.complete = ground == Ground::First && fin.complete;
        }
        cx.store.archive_state_set(account.id, None, &known)?;
    } else if known.newest.is_none() && fin.complete {
        known.complete = true;
        cx.store.archive_state_set(account.id, None, &known)?;
    }
    // The first page is the newest one; what is older is read when somebody looks.
    let backward = walk
        .query("")
        .is_some_and(|query| matches!(query.page, sotto_xmpp::rsm::Page::Before(_)));
    if backward || walk.handle_fin(&fin) == Step::Done {
        cx.store
            .archive_is_current(account.id, cx.timestamp(), true)?;
        return settle(cx, account);
    }
    ask(cx, account, walk, ground)
}

/// XEP-0059 §2.2 and XEP-0313 §4.3. Any other error passes, and what was missed is asked for again.
fn is_place_lost(reply: &iq::Outcome) -> bool {
    matches!(reply, Err(iq::Failure::Error(error)) if error.condition == Condition::ItemNotFound)
}

/// Everything that was missed is here: what is still in doubt is sent again, and what came meanwhile
/// gets its turn.
fn settle(cx: &mut Context, account: &mut Account) -> Result<(), Fault> {
    let state = &mut account.messages.archive;
    state.phase = Phase::Settled;
    let held = std::mem::take(&mut state.held);
    state.held_bytes = 0;
    let again = std::mem::take(&mut state.overflow);
    take_in(cx, account, held)?;
    if again && account.features.archive {
        return begin(cx, account);
    }
    account.doubt_settled(cx)?;
    Ok(())
}

/// What was put aside gets its turn.
fn take_in(cx: &mut Context, account: &mut Account, held: VecDeque<Element>) -> Result<(), Fault> {
    for stanza in &held {
        let store = cx.store;
        let done = store.attempt(|| incoming::handle_live(cx, account, stanza));
        match done {
            Err(fault) if fault.is_of_this_stanza() => {
                tracing::error!(%fault, "a stanza was put aside");
                account.private.sessions.rolled_back();
            }
            done => done?,
        }
    }
    Ok(())
}

/// Whether a live message waits while the archive is read. One that the server did not archive does not:
/// it is confirmed to the server meanwhile, and after a crash nobody would have it.
pub(super) fn waits(account: &Account, stanza: &Element) -> bool {
    let reading = matches!(account.messages.archive.phase, Phase::Reading(_));
    !reading || may_be_archived(account, stanza)
}

/// A server with stable ids stamps what it archives (XEP-0359, XEP-0313 §5.1).
fn may_be_archived(account: &Account, stanza: &Element) -> bool {
    if !account.features.stable_ids {
        return true;
    }
    let own = &account.address;
    match carbons::unwrap(stanza, own) {
        Ok(Some(copy)) => stanza_id::assigned(&copy.message, own).is_some(),
        Ok(None) => stanza_id::assigned(stanza, own).is_some(),
        Err(_) => true,
    }
}

/// A live message moves the mark up to which everything is known.
pub(super) fn note_live(
    cx: &mut Context,
    account: &Account,
    archive_id: Option<&str>,
) -> Result<(), Fault> {
    let state = &account.messages.archive;
    let current = state.is_settled() && !state.behind && account.features.archive;
    let Some(archive_id) = archive_id.filter(|_| current) else {
        return Ok(());
    };
    if cx.store.outbox_in_flight(account.id)? {
        // The archive may have my own stanza before this message; whether it has it is asked for from
        // the mark on, so the mark must not pass it.
        return Ok(());
    }
    let mut known = cx.store.archive_state(account.id, None)?;
    known.newest = Some(archive_id.to_owned());
    cx.store.archive_state_set(account.id, None, &known)?;
    cx.store
        .archive_is_current(account.id, cx.timestamp(), false)?;
    Ok(())
}

/// Whether the archive tells of a message that the person erased, or of its correction: it does not come back.
pub(super) fn was_erased(
    cx: &Context,
    account: &Account,
    message: &Message,
    origin: &Origin,
) -> Result<bool, Fault> {
    let Some(archive_id) = &origin.archive_id else {
        return Ok(false);
    };
    let sender = message.sender(&account.address);
    let told = Archived {
        archive_id,
        sender: sender.as_str(),
        message_id: message.id.as_deref(),
        replaces: message.replaces.as_deref(),
    };
    Ok(cx.store.archive_has_erased(account.id, &told)?)
}

// ---- older history -------------------------------------------------------------------------------

/// Whether the archive may have older messages of a conversation than this computer.
pub(crate) fn may_have_older(
    cx: &Context,
    account: &Account,
    peer: &BareJid,
) -> Result<bool, Fault> {
    if !account.is_online() || !account.features.archive {
        return Ok(false);
    }
    let store = cx.store;
    Ok(!store
        .archive_state(account.id, Some(peer.as_str()))?
        .complete
        && !store.archive_is_closed(account.id, peer.as_str())?)
}

/// Somebody looks at the beginning of what is here: asks for what comes before.
pub(crate) fn ask_older(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    peer: &BareJid,
    oldest_here: Option<String>,
) -> Result<(), Fault> {
    let state = &account.messages.archive;
    if !state.is_settled() || state.older.is_some() || !may_have_older(cx, account, peer)? {
        return Ok(());
    }
    let known = cx.store.archive_state(account.id, Some(peer.as_str()))?;
    let walk = Walk::backward(known.oldest.or(oldest_here))
        .with(Jid::from(peer.clone()))
        .page_size(OLDER_PAGE);
    let Some(query) = walk.query(random_id(&mut *cx.effects.random)) else {
        return Ok(());
    };
    let payload = query.to_element();
    account.messages.archive.older = Some(Older {
        conversation,
        peer: peer.clone(),
        query,
        items: Vec::new(),
    });
    let pending = Pending::Archive(Asked::Older(conversation));
    if !account.request(cx, None, iq::Method::Set, payload, pending) {
        account.messages.archive.older = None;
    }
    Ok(())
}

fn handle_older(
    cx: &mut Context,
    account: &mut Account,
    conversation: ConversationId,
    fin: Option<Fin>,
) -> Result<(), Fault> {
    let Some(older) = account
        .messages
        .archive
        .older
        .take_if(|older| older.conversation == conversation)
    else {
        return Ok(());
    };
    let Some(fin) = fin else {
        return Ok(());
    };
    insert_older(cx, account, older.items)?;
    let peer = older.peer.as_str();
    let known = cx.store.archive_state(account.id, Some(peer))?;
    let state = ArchiveState {
        complete: fin.complete || fin.bounds.first.is_none(),
        oldest: fin.bounds.first.or(known.oldest),
        newest: known.newest,
    };
    cx.store.archive_state_set(account.id, Some(peer), &state)?;
    cx.changes.conversation(conversation);
    Ok(())
}

/// Inserts a page from its newest to its oldest message, then the corrections in it, which follow
/// what they correct.
fn insert_older(cx: &mut Context, account: &mut Account, items: Vec<Item>) -> Result<(), Fault> {
    let (corrections, messages): (Vec<Item>, Vec<Item>) = items
        .into_iter()
        .partition(|item| correction::replaces(&item.message).is_some());
    for item in messages.into_iter().rev().chain(corrections) {
        let origin = Origin {
            way: Way::Older,
            archive_id: Some(item.archive_id),
            stamp: item.stamp,
            erased_up_to: None,
        };
        let store = cx.store;
        match store.attempt(|| incoming::receive(cx, account, &item.message, &origin)) {
            Err(fault) if fault.is_of_this_stanza() => {
                tracing::error!(%fault, "a stanza was put aside");
                account.private.sessions.rolled_back();
            }
            done => done?,
        }
    }
    Ok(())
}
