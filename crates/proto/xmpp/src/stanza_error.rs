//! Stanza errors (RFC 6120 §8.3).

use minidom::Element;

use crate::dom::{self, Build, el};
use crate::ns;
use crate::text;

/// Longest text kept of a server's or peer's error, in bytes.
pub const MAX_TEXT: usize = 1024;

macro_rules! conditions {
    ($($name:ident = $wire:literal,)*) => {
        /// What went wrong (RFC 6120 §8.3.3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the names are those of RFC 6120 §8.3.3")]
        pub enum Condition { $($name,)* }

        impl Condition {
            /// The element's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $wire,)* }
            }

            fn parse(name: &str) -> Option<Self> {
                match name { $($wire => Some(Self::$name),)* _ => None }
            }
        }
    };
}

conditions! {
    BadRequest = "bad-request",
    Conflict = "conflict",
    FeatureNotImplemented = "feature-not-implemented",
    Forbidden = "forbidden",
    Gone = "gone",
    InternalServerError = "internal-server-error",
    ItemNotFound = "item-not-found",
    JidMalformed = "jid-malformed",
    NotAcceptable = "not-acceptable",
    NotAllowed = "not-allowed",
    NotAuthorized = "not-authorized",
    PolicyViolation = "policy-violation",
    RecipientUnavailable = "recipient-unavailable",
    Redirect = "redirect",
    RegistrationRequired = "registration-required",
    RemoteServerNotFound = "remote-server-not-found",
    RemoteServerTimeout = "remote-server-timeout",
    ResourceConstraint = "resource-constraint",
    ServiceUnavailable = "service-unavailable",
    SubscriptionRequired = "subscription-required",
    UndefinedCondition = "undefined-condition",
    UnexpectedRequest = "unexpected-request",
}

/// What to do about it (RFC 6120 §8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of RFC 6120 §8.3.2")]
pub enum ErrorType {
    Auth,
    Cancel,
    Continue,
    Modify,
    Wait,
}

impl ErrorType {
    /// The attribute's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Continue => "continue",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }
}

/// An error that came back for a stanza of ours, or that we send for one of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StanzaError {
    /// What to do; absent when the other side did not say.
    pub error_type: Option<ErrorType>,
    /// What went wrong.
    pub condition: Condition,
    /// The other side's words: untrusted plain text, one line.
    pub text: String,
}

impl StanzaError {
    /// An error without words.
    pub const fn new(error_type: ErrorType, condition: Condition) -> Self {
        Self {
            error_type: Some(error_type),
            condition,
            text: String::new(),
        }
    }

    /// Reads the `<error/>` child of a stanza. A stanza without one is `undefined-condition`.
    ///
    /// Nothing else of the stanza is kept: servers echo requests with their passwords.
    pub fn of(stanza: &Element) -> Self {
        let Some(error) = stanza.get_child("error", ns::CLIENT) else {
            return Self {
                error_type: None,
                condition: Condition::UndefinedCondition,
                text: String::new(),
            };
        };
        let condition = error
            .children()
            .filter(|child| child.has_ns(ns::STANZA_ERRORS) && child.name() != "text")
            .find_map(|child| Condition::parse(child.name()))
            .or_else(|| error.attr("code").and_then(legacy))
            .unwrap_or(Condition::UndefinedCondition);
        let words =
            dom::child_text(error, "text", ns::STANZA_ERRORS, MAX_TEXT * 4).unwrap_or_default();
        Self {
            error_type: error.attr("type").and_then(|value| match value {
                "auth" => Some(ErrorType::Auth),
                "cancel" => Some(ErrorType::Cancel),
                "continue" => Some(ErrorType::Continue),
                "modify" => Some(ErrorType::Modify),
                "wait" => Some(ErrorType::Wait),
                _ => None,
            }),
            condition,
            text: text::one_line(&words, MAX_TEXT),
        }
    }

    /// The `<error/>` element.
    pub fn to_element(&self) -> Element {
        let text =
            (!self.text.is_empty()).then(|| el("text", ns::STANZA_ERRORS).text_of(&self.text));
        el("error", ns::CLIENT)
            .with_opt("type", self.error_type.map(ErrorType::name))
            .child(el(self.condition.name(), ns::STANZA_ERRORS))
            .child_opt(text)
    }
}

/// Codes of the protocol before RFC 3920 (XEP-0086), which old gateways still send alone.
fn legacy(code: &str) -> Option<Condition> {
    Some(match code {
        "400" => Condition::BadRequest,
        "401" => Condition::NotAuthorized,
        "403" => Condition::Forbidden,
        "404" => Condition::ItemNotFound,
        "405" => Condition::NotAllowed,
        "406" => Condition::NotAcceptable,
        "407" => Condition::RegistrationRequired,
        "409" => Condition::Conflict,
        "500" => Condition::InternalServerError,
        "501" => Condition::FeatureNotImplemented,
        "503" => Condition::ServiceUnavailable,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: &str) -> StanzaError {
        let xml = format!("<iq xmlns='jabber:client' type='error'>{error}</iq>");
        StanzaError::of(&xml.parse().unwrap())
    }

    #[test]
    fn what_we_write_reads_back() {
        let error = StanzaError {
            text: "try later".to_owned(),
            ..StanzaError::new(ErrorType::Wait, Condition::ResourceConstraint)
        };
        let iq = el("iq", ns::CLIENT).child(error.to_element());
        assert_eq!(StanzaError::of(&iq), error);
    }

    #[test]
    fn conditions_count_in_their_namespace_only() {
        let foreign = of("<error type='cancel'><conflict xmlns='urn:x'/></error>");
        assert_eq!(foreign.condition, Condition::UndefinedCondition);
        let gateway = of("<error code='404'/>");
        assert_eq!(gateway.condition, Condition::ItemNotFound);
        assert_eq!(of("").condition, Condition::UndefinedCondition);
        let own = of(
            "<error type='x'><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>a\nb\u{7f}</text>\
             <gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
        );
        assert_eq!(
            (own.condition, own.error_type, own.text.as_str()),
            (Condition::Gone, None, "a b")
        );
    }
}
