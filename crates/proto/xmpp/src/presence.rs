//! Presence and subscription (RFC 6121 §3 and §4), with what other extensions put into it: capabilities
//! (XEP-0115), the picture's hash (XEP-0153), the nickname (XEP-0172).

use jid::{BareJid, Jid};
use minidom::Element;

use crate::caps::Caps;
use crate::dom::{self, Build, el};
use crate::ns;
use crate::refused::{Refused, sender};
use crate::stanza_error::StanzaError;
use crate::text::{self, Text};

/// Longest status that is kept, in bytes.
pub const MAX_STATUS: usize = 1024;
/// Longest nickname that is kept, in bytes.
pub const MAX_NICK: usize = 256;

/// How available somebody is (RFC 6121 §4.7.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of RFC 6121 §4.7.2.1")]
pub enum Show {
    Chat,
    /// No `<show/>`.
    #[default]
    Available,
    Away,
    Dnd,
    Xa,
}

/// The four stanzas about who sees whose presence (RFC 6121 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of RFC 6121 §4.7.1")]
pub enum SubscriptionStanza {
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
}

impl SubscriptionStanza {
    /// The attribute's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Subscribed => "subscribed",
            Self::Unsubscribe => "unsubscribe",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

/// A presence stanza. Text in it is untrusted plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Who sent it; absent for our own account.
    pub from: Option<Jid>,
    /// Its id.
    pub id: Option<String>,
    /// What it says.
    pub meaning: Meaning,
    /// The status, or the words of a request; may be empty.
    pub status: Text,
    /// XEP-0172: what the sender calls themselves, one line.
    pub nick: Option<String>,
    /// It is about a room's occupant (XEP-0045), not a contact.
    pub room: bool,
}

/// What a presence stanza says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A resource is there.
    Available(Available),
    /// A resource, or all of them, is gone.
    Unavailable,
    /// About who sees whose presence.
    Subscription(SubscriptionStanza),
    /// A presence of ours failed.
    Error(StanzaError),
    /// Nothing that concerns a client: `probe`, or a type that is not known.
    Ignored,
}

/// An available resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Available {
    /// How available.
    pub show: Show,
    /// −128 to 127.
    pub priority: i8,
    /// What the program can do, not yet verified.
    pub caps: Option<Caps>,
    /// What it says about the picture.
    pub avatar: AvatarHint,
}

/// What presence says about the picture (XEP-0153 §4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AvatarHint {
    /// Nothing, or not ready.
    #[default]
    Unknown,
    /// There is none.
    None,
    /// SHA-1 in lower-case base 16.
    Hash(String),
}

/// Our own presence, ready to be built.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outgoing<'a> {
    /// How available.
    pub show: Show,
    /// May be empty.
    pub status: &'a str,
    /// −128 to 127.
    pub priority: i8,
    /// What we can do.
    pub caps: Option<&'a Caps>,
    /// The picture that we published (XEP-0153). Leave it out where the server adds it
    /// (XEP-0398).
    pub avatar: Option<&'a AvatarHint>,
}

/// Reads a presence stanza. Refused when it is none, or its sender is not well formed.
pub fn parse(stanza: &Element) -> Result<Presence, Refused> {
    if !stanza.is("presence", ns::CLIENT) {
        return Err(Refused::Malformed);
    }
    let from = sender(stanza)?;
    let meaning = match stanza.attr("type") {
        None => Meaning::Available(available(stanza)),
        Some("unavailable") => Meaning::Unavailable,
        Some("subscribe") => Meaning::Subscription(SubscriptionStanza::Subscribe),
        Some("subscribed") => Meaning::Subscription(SubscriptionStanza::Subscribed),
        Some("unsubscribe") => Meaning::Subscription(SubscriptionStanza::Unsubscribe),
        Some("unsubscribed") => Meaning::Subscription(SubscriptionStanza::Unsubscribed),
        Some("error") => Meaning::Error(StanzaError::of(stanza)),
        Some(_) => Meaning::Ignored,
    };
    let error = matches!(meaning, Meaning::Error(_));
    let status = dom::child_text(stanza, "status", ns::CLIENT, MAX_STATUS * 4)
        .filter(|_| !error)
        .map(|status| text::one_line(&status, MAX_STATUS))
        .unwrap_or_default();
    Ok(Presence {
        from,
        id: dom::attr(stanza, "id", crate::stanza_id::MAX_ID),
        meaning,
        status: Text::new(status),
        nick: nick(stanza).filter(|_| !error),
        room: stanza.has_child("x", ns::MUC_USER),
    })
}

/// The nickname in a stanza (XEP-0172), one line.
pub fn nick(stanza: &Element) -> Option<String> {
    let nick = dom::child_text(stanza, "nick", ns::NICK, MAX_NICK * 4)?;
    Some(text::one_line(&nick, MAX_NICK)).filter(|nick| !nick.is_empty())
}

fn available(stanza: &Element) -> Available {
    let show = dom::child_text(stanza, "show", ns::CLIENT, 16);
    Available {
        show: match show.as_deref().map(str::trim) {
            Some("chat") => Show::Chat,
            Some("away") => Show::Away,
            Some("dnd") => Show::Dnd,
            Some("xa") => Show::Xa,
            _ => Show::Available,
        },
        priority: dom::child_text(stanza, "priority", ns::CLIENT, 16)
            .and_then(|priority| priority.trim().parse().ok())
            .unwrap_or(0),
        caps: Caps::of(stanza),
        avatar: avatar_hint(stanza),
    }
}

fn avatar_hint(stanza: &Element) -> AvatarHint {
    let Some(photo) = dom::only_child(stanza, "x", ns::VCARD_UPDATE)
        .and_then(|x| dom::only_child(x, "photo", ns::VCARD_UPDATE))
    else {
        return AvatarHint::Unknown;
    };
    let hash = dom::text_of(photo, 64).trim().to_ascii_lowercase();
    if hash.is_empty() {
        AvatarHint::None
    } else if hash.len() == 40 && hash.bytes().all(|b| b.is_ascii_hexdigit()) {
        AvatarHint::Hash(hash)
    } else {
        AvatarHint::Unknown
    }
}

impl Outgoing<'_> {
    /// The stanza; to one address only when `to` is given (directed presence, RFC 6121 §4.6).
    pub fn to_element(&self, to: Option<&Jid>) -> Element {
        let show = match self.show {
            Show::Available => None,
            Show::Chat => Some("chat"),
            Show::Away => Some("away"),
            Show::Dnd => Some("dnd"),
            Show::Xa => Some("xa"),
        };
        let status = (!self.status.is_empty()).then_some(self.status);
        let priority = (self.priority != 0).then(|| self.priority.to_string());
        el("presence", ns::CLIENT)
            .with_opt("to", to.map(Jid::as_str))
            .child_opt(show.map(|show| el("show", ns::CLIENT).text_of(show)))
            .child_opt(status.map(|status| el("status", ns::CLIENT).text_of(status)))
            .child_opt(priority.map(|number| el("priority", ns::CLIENT).text_of(number)))
            .child_opt(self.caps.map(Caps::to_element))
            .child_opt(self.avatar.map(avatar_element))
    }
}

fn avatar_element(hint: &AvatarHint) -> Element {
    let x = el("x", ns::VCARD_UPDATE);
    match hint {
        AvatarHint::Unknown => x,
        AvatarHint::None => x.child(el("photo", ns::VCARD_UPDATE)),
        AvatarHint::Hash(hash) => x.child(el("photo", ns::VCARD_UPDATE).text_of(hash)),
    }
}

/// Says that we go, with a status that may be empty.
pub fn unavailable(status: &str) -> Element {
    let status = (!status.is_empty()).then_some(status);
    el("presence", ns::CLIENT)
        .with("type", "unavailable")
        .child_opt(status.map(|status| el("status", ns::CLIENT).text_of(status)))
}

/// Asks to see a contact's presence, allows ours to be seen, or ends either (RFC 6121 §3).
pub fn subscription(stanza: SubscriptionStanza, to: &BareJid, id: &str) -> Element {
    el("presence", ns::CLIENT)
        .with("to", to.as_str())
        .with("id", id)
        .with("type", stanza.name())
}

#[cfg(test)]
mod tests;
