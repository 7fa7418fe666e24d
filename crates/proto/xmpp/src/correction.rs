//! Last message correction (XEP-0308): who may change what.

use jid::BareJid;
use minidom::Element;

use crate::dom::{self, Build, el};
use crate::ns;
use crate::stanza_id::MAX_ID;

/// The id of the message that this one replaces.
pub fn replaces(message: &Element) -> Option<String> {
    dom::attr(
        dom::only_child(message, "replace", ns::CORRECT)?,
        "id",
        MAX_ID,
    )
}

/// The `<replace/>` of a message of ours.
pub fn replace_element(id: &str) -> Element {
    el("replace", ns::CORRECT).with("id", id)
}

/// How well a message was protected, for comparison only: the more, the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// Servers can read it.
    Server,
    /// End-to-end, key not verified.
    EndToEnd,
    /// End-to-end, key verified.
    Verified,
}

/// What is known of a message that a correction names, or of the correction itself.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// Its sender's bare JID.
    pub sender: &'a BareJid,
    /// The other end of the conversation it belongs to.
    pub peer: &'a BareJid,
    /// Its own `id`.
    pub id: &'a str,
    /// How it was protected.
    pub protection: Protection,
}

/// What to do with a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Replace the text, keep the old one, mark it as edited.
    Replace,
    /// Show it as a message of its own: it names nothing that its sender may change.
    ShowAsNew(Reason),
}

/// Why a correction may not replace (S-XMPP-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It names itself.
    NamesItself,
    /// It names a message that is not known here.
    Unknown,
    /// The message was written by somebody else.
    OtherSender,
    /// The message belongs to another conversation.
    OtherConversation,
    /// The message was protected otherwise.
    OtherProtection,
}

/// Decides whether `correction` may replace `original`, the message that its `<replace/>` names.
///
/// For one-to-one conversations: the same bare JID, the same conversation and the same protection
/// (S-XMPP-07). A correction that may not replace is shown as a message of its own, since its
/// sender did write it.
pub fn decide(correction: Side<'_>, replaces: &str, original: Option<Side<'_>>) -> Verdict {
    let Some(original) = original else {
        return Verdict::ShowAsNew(if replaces == correction.id {
            Reason::NamesItself
        } else {
            Reason::Unknown
        });
    };
    let reason = if replaces == correction.id {
        Reason::NamesItself
    } else if original.id != replaces {
        Reason::Unknown
    } else if original.sender != correction.sender {
        Reason::OtherSender
    } else if original.peer != correction.peer {
        Reason::OtherConversation
    } else if original.protection != correction.protection {
        Reason::OtherProtection
    } else {
        return Verdict::Replace;
    };
    Verdict::ShowAsNew(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_xmpp_07_only_the_same_sender_conversation_and_protection_replaces() {
        let [juliet, romeo, eve] = [
            "juliet@capulet.com",
            "romeo@montague.net",
            "eve@evil.example",
        ]
        .map(|jid| BareJid::new(jid).unwrap());
        let correction = Side {
            sender: &romeo,
            peer: &romeo,
            id: "good1",
            protection: Protection::Server,
        };
        let original = Side {
            id: "bad1",
            ..correction
        };
        let own = Side {
            sender: &juliet,
            ..original
        };
        let cases = [
            (correction, "bad1", Some(original), Verdict::Replace),
            (
                correction,
                "good1",
                Some(correction),
                Verdict::ShowAsNew(Reason::NamesItself),
            ),
            (
                correction,
                "good1",
                None,
                Verdict::ShowAsNew(Reason::NamesItself),
            ),
            (correction, "x", None, Verdict::ShowAsNew(Reason::Unknown)),
            (
                correction,
                "x",
                Some(original),
                Verdict::ShowAsNew(Reason::Unknown),
            ),
            (
                correction,
                "bad1",
                Some(own),
                Verdict::ShowAsNew(Reason::OtherSender),
            ),
            (
                Side {
                    sender: &eve,
                    peer: &eve,
                    ..correction
                },
                "bad1",
                Some(original),
                Verdict::ShowAsNew(Reason::OtherSender),
            ),
            (
                Side {
                    peer: &eve,
                    ..correction
                },
                "bad1",
                Some(original),
                Verdict::ShowAsNew(Reason::OtherConversation),
            ),
            (
                correction,
                "bad1",
                Some(Side {
                    protection: Protection::EndToEnd,
                    ..original
                }),
                Verdict::ShowAsNew(Reason::OtherProtection),
            ),
            (
                Side {
                    protection: Protection::EndToEnd,
                    ..correction
                },
                "bad1",
                Some(original),
                Verdict::ShowAsNew(Reason::OtherProtection),
            ),
        ];
        for (number, (correction, replaces, original, verdict)) in cases.into_iter().enumerate() {
            assert_eq!(
                decide(correction, replaces, original),
                verdict,
                "case {number}"
            );
        }
    }
}
