//! What a message stanza means (RFC 6121 §5), and messages of our own.
//!
//! [`parse`] is the one function that decides which words a message carries (S-XML-09): list,
//! history, notification and encryption all use its result.

mod body;
mod outgoing;

use jid::{BareJid, Jid};
use minidom::Element;

use crate::chat_states::ChatState;
use crate::dom;
use crate::hints::Hints;
use crate::ns;
use crate::refused::{Refused, sender};
use crate::stanza_error::StanzaError;
use crate::stanza_id::{self, MAX_ID};
use crate::text::Text;
use crate::{correction, delay, markers, receipts};

pub use body::{Encryption, MAX_BODY};
pub use outgoing::{OtrText, Outgoing, chat_state};

/// What must be known to read a message.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Our own bare JID.
    pub own: &'a BareJid,
    /// The person's language (BCP 47), for messages with bodies in several; may be empty.
    pub lang: &'a str,
    /// Our account announces `urn:xmpp:sid:0`: only then do its stanza ids count (S-XMPP-10).
    pub stable_ids: bool,
    /// Now, in milliseconds since 1970-01-01 UTC.
    pub now: i64,
}

/// The type of a message (RFC 6121 §5.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of RFC 6121 §5.2.2")]
pub enum Kind {
    Chat,
    #[default]
    Normal,
    Headline,
    Groupchat,
    Error,
}

/// What a message stanza means. Text in it is untrusted plain text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Who sent it; absent for our own account.
    pub from: Option<Jid>,
    /// To whom it went.
    pub to: Option<Jid>,
    /// Its type.
    pub kind: Kind,
    /// Its id, chosen by the sender.
    pub id: Option<String>,
    /// XEP-0359: a second id chosen by the sender.
    pub origin_id: Option<String>,
    /// XEP-0359: the id that our own account's archive gave it. The only one to find doubles by.
    pub archive_id: Option<String>,
    /// The words to show, if it has any. Never those of an error, a wrapper or a placeholder.
    pub body: Option<Text>,
    /// The words were longer than [`MAX_BODY`] and are cut.
    pub cut: bool,
    /// The subject, one line.
    pub subject: Option<Text>,
    /// The thread it belongs to.
    pub thread: Option<String>,
    /// It is encrypted, or says so (XEP-0380); [`Message::body`] is then absent.
    pub encryption: Option<Encryption>,
    /// The clear text of an encrypted message: for programs that cannot decrypt, or OTR's data.
    pub placeholder: Option<Text>,
    /// XEP-0308: the id of the message that it corrects.
    pub replaces: Option<String>,
    /// XEP-0184: the sender asks for a receipt.
    pub receipt_request: bool,
    /// XEP-0184: the id of a message of ours that arrived.
    pub receipt: Option<String>,
    /// XEP-0333: the sender would like to know when it was seen.
    pub markable: bool,
    /// XEP-0333: the id of the message of ours up to which everything was seen.
    pub displayed: Option<String>,
    /// XEP-0085.
    pub chat_state: Option<ChatState>,
    /// XEP-0334.
    pub hints: Hints,
    /// XEP-0203: when it was sent, in milliseconds since 1970-01-01 UTC, as our server says.
    pub stamp: Option<i64>,
    /// XEP-0172: what the sender calls themselves, one line.
    pub nick: Option<String>,
    /// It came through a room, or invites to one (XEP-0045): `from` is an occupant, not a person
    /// (S-XMPP-12).
    pub room: bool,
    /// Why a message of ours was not delivered, when [`Message::kind`] is `Error`.
    pub error: Option<StanzaError>,
}

impl Message {
    /// Whether there are words to show, or an encrypted message to tell of.
    pub fn is_content(&self) -> bool {
        self.body.is_some() || self.encryption.is_some()
    }

    /// The sender's bare JID; our own account when `from` is absent (RFC 6120 §8.1.2.1).
    pub fn sender(&self, own: &BareJid) -> BareJid {
        self.from.as_ref().map_or_else(|| own.clone(), Jid::to_bare)
    }

    /// The other end of the conversation, seen from `own`; our own account for notes to ourselves.
    pub fn peer(&self, own: &BareJid) -> BareJid {
        let sender = self.sender(own);
        if sender == *own {
            self.to.as_ref().map_or(sender, Jid::to_bare)
        } else {
            sender
        }
    }
}

/// Reads a message.
///
/// Refused when it is not a `<message/>` of `jabber:client` or an address in it is not well
/// formed. Wrappers (carbons, archive results, PubSub events) have no words of their own.
pub fn parse(stanza: &Element, context: &Context<'_>) -> Result<Message, Refused> {
    if !stanza.is("message", ns::CLIENT) {
        return Err(Refused::Malformed);
    }
    let kind = match stanza.attr("type") {
        Some("chat") => Kind::Chat,
        Some("headline") => Kind::Headline,
        Some("groupchat") => Kind::Groupchat,
        Some("error") => Kind::Error,
        _ => Kind::Normal,
    };
    let mut message = Message {
        from: sender(stanza)?,
        to: dom::jid(stanza, "to").map_err(|_| Refused::Malformed)?,
        kind,
        id: dom::attr(stanza, "id", MAX_ID),
        ..Message::default()
    };
    if kind == Kind::Error {
        // An error repeats our own stanza; nothing in it is said by anybody (S-XMPP-13).
        message.error = Some(StanzaError::of(stanza));
        return Ok(message);
    }
    message.origin_id = stanza_id::origin(stanza);
    if context.stable_ids {
        message.archive_id = stanza_id::assigned(stanza, context.own);
    }
    message.stamp = delay::server_stamp(stanza, context.own, context.now);
    message.hints = Hints::of(stanza);
    message.room = kind == Kind::Groupchat || stanza.has_child("x", ns::MUC_USER);
    if is_wrapper(stanza) {
        return Ok(message);
    }
    body::read(stanza, context.lang, &mut message);
    message.thread = dom::child_text(stanza, "thread", ns::CLIENT, MAX_ID);
    message.replaces = correction::replaces(stanza);
    message.receipt = receipts::received(stanza);
    message.receipt_request = receipts::is_requested(stanza);
    message.displayed = markers::displayed(stanza);
    message.markable = markers::is_markable(stanza);
    message.chat_state = ChatState::of(stanza);
    message.nick = crate::presence::nick(stanza);
    Ok(message)
}

/// Whether a message only carries something else, and so must say nothing by itself.
pub(crate) fn is_wrapper(stanza: &Element) -> bool {
    stanza.children().any(|child| {
        child.has_ns(ns::CARBONS) && matches!(child.name(), "sent" | "received")
            || child.is("result", ns::MAM)
            || child.is("forwarded", ns::FORWARD)
            || child.is("event", ns::PUBSUB_EVENT)
    })
}

#[cfg(test)]
mod tests;
