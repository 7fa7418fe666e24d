//! A message stanza from the stream: copies unwrapped, forgeries refused, what is new kept.

use sotto_api::view::{Delivery, Direction, MessageKind, Privacy};
use sotto_api::{ConversationId, MessageId, Timestamp};
use sotto_store::row::{Inserted, NewMessage, Place};
use sotto_xmpp::correction::{self, Protection, Side, Verdict};
use sotto_xmpp::message::{self, Kind, Message};
use sotto_xmpp::{BareJid, Element, Jid, carbons, mam, pep};

use super::{archive, notices, typing};
use crate::account::Account;
use crate::context::Context;
use crate::error::Fault;
use crate::private::incoming::Shown;
use crate::{history, people, private, text, words};

/// How a message came to us.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub way: Way,
    /// The archive's id, where the wrapper gave it.
    pub archive_id: Option<String>,
    /// The wrapper's stamp.
    pub stamp: Option<i64>,
    /// What the archive got until then and is not here, was erased here or not kept.
    pub erased_up_to: Option<Timestamp>,
}

impl Origin {
    /// Whether it was here already, and is here still if it was to stay.
    fn was_here(&self) -> bool {
        self.erased_up_to
            .zip(self.stamp)
            .is_some_and(|(erased, stamp)| stamp <= erased.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To this program.
    Direct,
    /// A copy of what another program of mine sent or got.
    Carbon(carbons::Direction),
    /// From the archive: what was missed.
    Missed,
    /// From the archive at the very first sign-in: old, and read elsewhere.
    First,
    /// From the archive: older than what is here.
    Older,
}

impl Way {
    fn is_live(self) -> bool {
        matches!(self, Self::Direct | Self::Carbon(_))
    }
}

/// A `<message/>` came.
pub(crate) fn handle_stanza(
    cx: &mut Context,
    account: &mut Account,
    stanza: Element,
) -> Result<(), Fault> {
    if mam::query_id(&stanza).is_some() {
        return archive::handle_result(cx, account, &stanza);
    }
    match pep::parse_event(&stanza, &account.address) {
        Ok(None) => {}
        Ok(Some(_)) => {
            people::handle_pep(cx, account, &stanza)?;
            return Ok(());
        }
        Err(refused) => {
            tracing::debug!(%refused, "an event was refused");
            return Ok(());
        }
    }
    if !archive::waits(account, &stanza) {
        return handle_live(cx, account, &stanza);
    }
    if let Some(stanza) = account.messages.archive.hold(stanza) {
        return handle_live(cx, account, &stanza);
    }
    Ok(())
}

/// A message from the stream in its turn.
pub(super) fn handle_live(
    cx: &mut Context,
    account: &mut Account,
    stanza: &Element,
) -> Result<(), Fault> {
    match carbons::unwrap(stanza, &account.address) {
        Ok(Some(copy)) => {
            let origin = Origin {
                way: Way::Carbon(copy.direction),
                archive_id: None,
                stamp: copy.stamp,
                erased_up_to: None,
            };
            receive(cx, account, &copy.message, &origin)
        }
        Ok(None) => {
            let origin = Origin {
                way: Way::Direct,
                archive_id: None,
                stamp: None,
                erased_up_to: None,
            };
            receive(cx, account, stanza, &origin)
        }
        Err(refused) => {
            tracing::debug!(%refused, "a copy was refused");
            Ok(())
        }
    }
}

/// Takes in one message.
pub(super) fn receive(
    cx: &mut Context,
    account: &mut Account,
    stanza: &Element,
    origin: &Origin,
) -> Result<(), Fault> {
    let own = account.address.clone();
    let context = message::Context {
        own: &own,
        lang: cx.language(),
        stable_ids: account.features.stable_ids,
        now: cx.now.unix_ms,
    };
    let mut message = match message::parse(stanza, &context) {
        Ok(message) => message,
        Err(refused) => {
            tracing::debug!(%refused, "a message was refused");
            return Ok(());
        }
    };
    if origin.archive_id.is_some() {
        message.archive_id.clone_from(&origin.archive_id);
    }
    if origin.stamp.is_some() {
        message.stamp = origin.stamp;
    }
    if archive::was_erased(cx, account, &message, origin)? {
        return Ok(());
    }
    if origin.way.is_live() {
        archive::note_live(cx, account, message.archive_id.as_deref())?;
    }
    match message.kind {
        Kind::Error if origin.way == Way::Direct => {
            return notices::handle_error(cx, account, &message);
        }
        // What comes through a room is not said by a contact (S-XMPP-12); rooms come later.
        Kind::Error | Kind::Groupchat | Kind::Headline => return Ok(()),
        Kind::Chat | Kind::Normal if message.room => return Ok(()),
        Kind::Chat | Kind::Normal => {}
    }
    let for_us = message.to.as_ref().is_none_or(|to| to.to_bare() == own);
    if origin.way == Way::Direct && !for_us {
        return Ok(());
    }
    let peer = message.peer(&own);
    if message.sender(&own) == own {
        receive_own(cx, account, &peer, &message, origin)
    } else {
        receive_foreign(cx, account, &peer, &message, origin)
    }
}

// ---- what another program of mine sent, or the archive has of what I sent ----------------------

fn receive_own(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    message: &Message,
    origin: &Origin,
) -> Result<(), Fault> {
    if let Some(id) = &message.displayed {
        notices::handle_own_marker(cx, account, peer, id)?;
    }
    if let Some(id) = &message.id
        && let Some(row) = cx.store.outbox_by_stanza_id(account.id, id)?
        && (row.sequence.is_some() || row.ambiguous)
    {
        // It was in doubt whether the server has it; it has.
        cx.store.outbox_remove(row.id)?;
        account.settled(cx, &row)?;
        if let (Some(known), Some(archive_id)) = (row.message, &message.archive_id)
            && row.purpose == sotto_store::row::OutboxPurpose::Message
        {
            cx.store.message_set_archive_id(known, archive_id)?;
        }
        return Ok(());
    }
    if private::incoming::is_otr(message) {
        // What the archive has of it may be this program's.
        return match origin.way {
            Way::Carbon(_) => private::incoming::note_copy(cx, account, peer),
            _ => Ok(()),
        };
    }
    if !message.is_content() || origin.was_here() {
        return Ok(());
    }
    let conversation = cx.store.conversation_open(account.id, peer.as_str())?;
    if let Some(id) = &message.id {
        // Sotto chooses ids at random. Another program of mine may count from 1 at each start: two
        // places in the archive are two messages. Only a note to myself may be archived twice, as sent
        // and as received, and what a server routed twice.
        let known = cx
            .store
            .message_by_message_id(conversation, Direction::Outgoing, id)?
            .filter(|known| match (&known.archive_id, &message.archive_id) {
                (Some(archived), Some(new)) => {
                    archived == new || *peer == account.address || is_said_again(known, message)
                }
                _ => true,
            });
        if let Some(known) = known {
            if let Some(archive_id) = &message.archive_id {
                cx.store.message_set_archive_id(known.id, archive_id)?;
            }
            if cx
                .store
                .message_set_delivery(known.id, Delivery::Sent, "")?
            {
                cx.changes.message(conversation, known.id);
            }
            return Ok(());
        }
    }
    if correct(
        cx,
        account,
        conversation,
        peer,
        message,
        Direction::Outgoing,
    )? {
        return Ok(());
    }
    let Some(id) = insert(
        cx,
        account,
        conversation,
        message,
        origin,
        Direction::Outgoing,
        &own_words(message),
    )?
    else {
        return Ok(());
    };
    cx.changes.message_added(conversation, id, false);
    if origin.way != Way::Older && cx.store.conversation_read(conversation, Some(id))? {
        cx.changes.conversation(conversation);
    }
    cx.changes.contacts();
    Ok(())
}

// ---- what somebody else sent -------------------------------------------------------------------

fn receive_foreign(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    message: &Message,
    origin: &Origin,
) -> Result<(), Fault> {
    notices::handle(cx, account, peer, message)?;
    let known = cx.store.conversation_find(account.id, peer.as_str())?;
    if let (Some(conversation), Some(state)) = (known, message.chat_state)
        && origin.way == Way::Direct
        && !message.is_content()
    {
        typing::handle_state(cx, account, conversation, state);
    }
    if !message.is_content()
        || origin.was_here()
        || cx.store.is_blocked(account.id, peer.as_str())?
    {
        return Ok(());
    }
    let stranger = is_stranger(cx, account, peer, known)?;
    if private::incoming::is_otr(message) {
        // A stranger's program learns nothing from ours, unless we have asked it.
        if stranger && !private::session::is_known(cx, account, peer)? {
            return Ok(());
        }
        return receive_otr(cx, account, peer, message, origin);
    }
    if stranger
        && !account
            .messages
            .strangers
            .take(known.is_none(), cx.now.instant)
    {
        tracing::debug!("a stranger's message was left on the server");
        return Ok(());
    }
    let conversation = match known {
        Some(known) => known,
        None => cx.store.conversation_open(account.id, peer.as_str())?,
    };
    if is_known(cx, conversation, message, origin)? {
        return Ok(());
    }
    typing::handle_over(cx, account, conversation);
    if !correct(
        cx,
        account,
        conversation,
        peer,
        message,
        Direction::Incoming,
    )? {
        let live = origin.way == Way::Direct && message.body.is_some() && !stranger;
        let from = sender_of(message, "");
        let body = body_of(message);
        let raw = message
            .body
            .as_ref()
            .map_or(body.as_str(), |raw| raw.as_str());
        let words = private::incoming::receive_clear(cx, account, peer, &from, raw, live)?;
        let Some(id) = insert(
            cx,
            account,
            conversation,
            message,
            origin,
            Direction::Incoming,
            &words,
        )?
        else {
            return Ok(());
        };
        let news = matches!(origin.way, Way::Direct | Way::Carbon(_) | Way::Missed);
        let alert = news && (!stranger || account.messages.strangers.alert(cx.now.instant));
        cx.changes.message_added(conversation, id, alert);
        cx.changes.conversation(conversation);
        cx.changes.contacts();
        // What the offer in it brought about goes out after it.
        private::outgoing::ask_wanted(cx, account)?;
    }
    if matches!(origin.way, Way::Direct | Way::Missed) {
        notices::send_receipt(cx, account, peer, message)?;
    }
    if origin.way != Way::Older {
        notices::note_markable(account, conversation, message);
    }
    Ok(())
}

/// An OTR text of somebody: to its conversation, if it is for this program and not from long ago.
fn receive_otr(
    cx: &mut Context,
    account: &mut Account,
    peer: &BareJid,
    message: &Message,
    origin: &Origin,
) -> Result<(), Fault> {
    match origin.way {
        Way::Direct => {}
        // Only what holds words: a key exchange of the past begins nothing.
        Way::Missed if private::incoming::is_data(message) => {}
        Way::Missed | Way::First | Way::Older => return Ok(()),
        Way::Carbon(_) => return private::incoming::note_copy(cx, account, peer),
    }
    let all = private::incoming::receive_otr(cx, account, peer, message)?;
    private::outgoing::ask_wanted(cx, account)?;
    if all.is_empty() {
        return Ok(());
    }
    let conversation = cx.store.conversation_open(account.id, peer.as_str())?;
    typing::handle_over(cx, account, conversation);
    for words in &all {
        if is_repeated(cx, conversation, message, words)? {
            continue;
        }
        let inserted = insert(
            cx,
            account,
            conversation,
            message,
            origin,
            Direction::Incoming,
            words,
        )?;
        if let Some(id) = inserted {
            cx.changes.message_added(conversation, id, true);
        }
    }
    cx.changes.conversation(conversation);
    cx.changes.contacts();
    notices::send_receipt(cx, account, peer, message)
}

/// Whether a decrypted text was read in an earlier session: its sender did not know, and sent it again under
/// the same id. Only ids that are drawn at random tell that; some programs count anew at each start.
fn is_repeated(
    cx: &Context,
    conversation: ConversationId,
    message: &Message,
    words: &Shown,
) -> Result<bool, Fault> {
    const SHORTEST_RANDOM: usize = 32;
    let id = message.id.as_deref().unwrap_or_default();
    if id.len() < SHORTEST_RANDOM || !words.secret {
        return Ok(false);
    }
    let known = cx
        .store
        .message_by_message_id(conversation, Direction::Incoming, id)?;
    Ok(known.is_some_and(|known| {
        matches!(known.privacy, Privacy::Encrypted | Privacy::Verified) && known.body == words.text
    }))
}

/// The words of a message that needs no opening.
fn own_words(message: &Message) -> Shown {
    Shown {
        text: body_of(message),
        privacy: Privacy::ServerOnly,
        secret: false,
    }
}

/// Not in the list, and never written to.
fn is_stranger(
    cx: &Context,
    account: &Account,
    peer: &BareJid,
    conversation: Option<ConversationId>,
) -> Result<bool, Fault> {
    if people::is_contact(cx, account.id, peer)? {
        return Ok(false);
    }
    match conversation {
        Some(conversation) => Ok(cx.store.message_last_own(conversation)?.is_none()),
        None => Ok(true),
    }
}

/// Whether a message is the stored one over again, word for word: from the same account, under the same
/// two ids.
///
/// ejabberd 23 goes on routing what lay in a connection after it has told the next stream how much it
/// has, so that the sender must repeat it; both then have an id in the archive. Nobody can hide another's
/// words so: the sender is the server's word, and a text that differs is shown (S-XMPP-10).
fn is_said_again(known: &sotto_store::row::MessageRow, message: &Message) -> bool {
    known.origin_id.is_some()
        && known.origin_id.as_deref() == message.origin_id.as_deref()
        && known.message_id.as_deref() == message.id.as_deref()
        && known.body == body_of(message)
}

/// Whether one program wrote both. After a restart it may have another resource, and repeats under the old
/// id what it cannot know the server to have. Two programs of an account draw the same id only where
/// they count from 1.
fn is_of_same_sender(known: &str, sender: &str, id: &str) -> bool {
    /// Letters of an id that is drawn at random; a counter is shorter.
    const DRAWN: usize = 16;
    let bare = |jid: &str| Jid::new(jid).ok().map(|jid| jid.to_bare());
    known == sender
        || (id.len() >= DRAWN && bare(known).is_some_and(|known| bare(sender) == Some(known)))
}

/// Whether the archive's message is one that came live without its archive id, or the server routed it
/// twice.
///
/// Each stored message can turn out to be one of the archive's only once, and only word for word: a
/// forged id swallows nothing (S-XMPP-10).
fn is_known(
    cx: &Context,
    conversation: ConversationId,
    message: &Message,
    origin: &Origin,
) -> Result<bool, Fault> {
    let Some(id) = &message.id else {
        return Ok(false);
    };
    let known = cx
        .store
        .message_by_message_id(conversation, Direction::Incoming, id)?
        .filter(|known| is_of_same_sender(&known.sender, &sender_of(message, ""), id));
    let Some(known) = known else {
        return Ok(false);
    };
    let Some(archive_id) = &message.archive_id else {
        return Ok(is_said_again(&known, message));
    };
    if is_said_again(&known, message) {
        if known.archive_id.is_none() {
            cx.store.message_set_archive_id(known.id, archive_id)?;
        }
        return Ok(true);
    }
    if origin.way.is_live()
        || cx
            .store
            .message_by_archive_id(conversation, archive_id)?
            .is_some()
    {
        return Ok(false);
    }
    let same = known.archive_id.is_none() && known.body == body_of(message);
    Ok(same && cx.store.message_set_archive_id(known.id, archive_id)?)
}

// ---- both ----------------------------------------------------------------------------------------

/// Applies a correction, if it is one that its sender may make (S-XMPP-07). One that may not is a
/// message of its own.
fn correct(
    cx: &mut Context,
    account: &Account,
    conversation: ConversationId,
    peer: &BareJid,
    message: &Message,
    direction: Direction,
) -> Result<bool, Fault> {
    let (Some(replaces), Some(body)) = (&message.replaces, &message.body) else {
        return Ok(false);
    };
    let original = cx
        .store
        .message_by_message_id(conversation, direction, replaces)?
        .filter(|original| original.kind != MessageKind::System);
    let sender = message.sender(&account.address);
    let side = Side {
        sender: &sender,
        peer,
        id: message.id.as_deref().unwrap_or_default(),
        protection: Protection::Server,
    };
    let original_sender = original
        .as_ref()
        .and_then(|original| Jid::new(&original.sender).ok())
        .map(|jid| jid.to_bare());
    let original_side =
        original
            .as_ref()
            .zip(original_sender.as_ref())
            .map(|(original, sender)| Side {
                sender,
                peer,
                id: replaces,
                protection: protection(original.privacy),
            });
    match (correction::decide(side, replaces, original_side), &original) {
        (Verdict::Replace, Some(original)) => {
            let kind = kind_of(body);
            if cx
                .store
                .message_correct(original.id, kind, body, at(cx, message))?
            {
                cx.changes.message(conversation, original.id);
                cx.changes.contacts();
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn protection(privacy: Privacy) -> Protection {
    match privacy {
        Privacy::Verified => Protection::Verified,
        Privacy::Encrypted => Protection::EndToEnd,
        Privacy::ServerOnly | Privacy::None => Protection::Server,
    }
}

/// Stores a message; absent when the archive's id is known already, or it is too old to be kept here.
fn insert(
    cx: &mut Context,
    account: &Account,
    conversation: ConversationId,
    message: &Message,
    origin: &Origin,
    direction: Direction,
    words: &Shown,
) -> Result<Option<MessageId>, Fault> {
    if matches!(origin.way, Way::First | Way::Older)
        && history::is_expired(cx, conversation, at(cx, message))?
    {
        return Ok(None);
    }
    let body = words.text.as_str();
    let kind = if words.secret || message.body.is_some() {
        kind_of(body)
    } else {
        MessageKind::System
    };
    // What was not kept when it was said is not kept when it comes again.
    let was_kept = !matches!(origin.way, Way::First | Way::Older)
        || cx.store.kept_at(conversation, at(cx, message))?;
    let inserted = cx.store.message_insert(
        &NewMessage {
            conversation,
            direction,
            kind,
            body,
            at: at(cx, message),
            received_at: cx.timestamp(),
            delivery: (direction == Direction::Outgoing).then_some(Delivery::Sent),
            privacy: words.privacy,
            origin_id: message.origin_id.as_deref(),
            message_id: message.id.as_deref(),
            archive_id: message.archive_id.as_deref(),
            sender: &sender_of(message, account.address.as_str()),
            unread: direction == Direction::Incoming
                && !matches!(origin.way, Way::First | Way::Older),
            kept: was_kept && (!words.secret || cx.settings.keep_private),
            notice: None,
        },
        if origin.way == Way::Older {
            Place::Oldest
        } else {
            Place::Newest
        },
    )?;
    Ok(match inserted {
        Inserted::New(id) => Some(id),
        Inserted::Known(_) => None,
    })
}

/// The words that are kept: those of the message, or that it cannot be read here.
fn body_of(message: &Message) -> String {
    match &message.body {
        Some(body) => private::incoming::stripped(body.as_str()),
        None => words::unreadable().to_owned(),
    }
}

fn sender_of(message: &Message, own: &str) -> String {
    message
        .from
        .as_ref()
        .map_or_else(|| own.to_owned(), |from| from.as_str().to_owned())
}

/// `/me` (XEP-0245).
pub(super) fn kind_of(body: &str) -> MessageKind {
    if text::action(body).is_some() {
        MessageKind::Action
    } else {
        MessageKind::Text
    }
}

/// When it was written, as far as our server vouches for it; else now. Never later.
fn at(cx: &Context, message: &Message) -> Timestamp {
    let now = cx.now.unix_ms;
    Timestamp(message.stamp.unwrap_or(now).min(now))
}
