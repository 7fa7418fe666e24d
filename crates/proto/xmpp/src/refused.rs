//! Why a stanza has no effect.

use jid::{BareJid, Jid};
use minidom::Element;

use crate::dom;

/// A stanza broke a rule that protects the person: it has no effect and nothing of it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The sender is not the one who may send this (S-XMPP-01, -03, -04, -06).
    #[error("the sender may not send this")]
    ForeignSender,
    /// Nobody asked for it (S-XMPP-03).
    #[error("not asked for")]
    Unsolicited,
    /// A wrapper inside a wrapper (S-XMPP-02).
    #[error("a wrapper inside a wrapper")]
    Nested,
    /// Required parts are missing, doubled or not well formed.
    #[error("not well formed")]
    Malformed,
    /// What is inside does not belong to this account or archive.
    #[error("the content does not belong here")]
    Misaddressed,
}

/// Whether `from` is exactly our own bare JID (RFC 6121 §2.1.6, XEP-0280 §11).
///
/// Compared after preparation, and the local part and domain must not differ in ASCII case before
/// it: our server writes its own addresses prepared.
pub fn is_own_bare(from: &str, own: &BareJid) -> bool {
    if from == own.as_str() {
        return true;
    }
    match BareJid::new(from) {
        Ok(jid) => jid == *own && !from.bytes().any(|b| b.is_ascii_uppercase()),
        Err(_) => false,
    }
}

/// Whether a stanza comes from our own account: `from` absent or our own bare JID.
pub fn is_own_account(stanza: &Element, own: &BareJid) -> bool {
    stanza
        .attr("from")
        .is_none_or(|from| is_own_bare(from, own))
}

/// Whether a stanza comes from our own server's domain or our own account.
pub(crate) fn is_own_server(from: Option<&str>, own: &BareJid) -> bool {
    match from {
        None => true,
        Some(from) => {
            is_own_bare(from, own) || BareJid::new(from).is_ok_and(|jid| is_domain_of(&jid, own))
        }
    }
}

/// Whether `jid` is the bare domain of `own`.
pub(crate) fn is_domain_of(jid: &Jid, own: &BareJid) -> bool {
    jid.node().is_none() && jid.resource().is_none() && jid.domain() == own.domain()
}

/// The sender of a stanza: refused when the address is not well formed.
pub(crate) fn sender(stanza: &Element) -> Result<Option<Jid>, Refused> {
    dom::jid(stanza, "from").map_err(|_| Refused::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_bare_jid_is_own() {
        let own = BareJid::new("alice@example.org").unwrap();
        assert!(is_own_bare("alice@example.org", &own));
        for foreign in [
            "",
            "alice@example.org/phone",
            "Alice@example.org",
            "alice@EXAMPLE.org",
            "аlice@example.org",
            "example.org",
            "alice@example.org.evil.example",
            "alice@@example.org",
        ] {
            assert!(!is_own_bare(foreign, &own), "{foreign}");
        }
    }
}
