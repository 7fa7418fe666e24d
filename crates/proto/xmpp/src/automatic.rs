//! What may be answered without asking the person (S-XMPP-17).

/// Who the other side is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// Our own account, or another device of it.
    Own,
    /// Our own server.
    Server,
    /// A contact who sees our presence (subscription `from` or `both`), or the server of one, which
    /// asks what we can do before it sends us the contact's events (XEP-0163 §4.3.2).
    SeesOurs,
    /// Everybody else: also contacts who do not see our presence.
    Stranger,
}

/// Something that a program may say by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Automatic {
    /// A delivery receipt (XEP-0184).
    Receipt,
    /// A displayed marker (XEP-0333).
    Marker,
    /// A typing notice (XEP-0085).
    ChatState,
    /// Name and version of the program (XEP-0092).
    Version,
    /// What the program can do (XEP-0030).
    DiscoInfo,
    /// A ping's answer (XEP-0199).
    Ping,
}

/// Whether `what` may be said to somebody. Every automatic answer tells that we are online; so it
/// goes only to who knows that anyway. Others get what a server says for somebody who is not there
/// ([`crate::iq::default_reply`]), or nothing.
pub const fn may_answer(what: Automatic, relation: Relation) -> bool {
    match relation {
        Relation::SeesOurs => true,
        Relation::Own => true,
        Relation::Server => matches!(what, Automatic::Ping | Automatic::DiscoInfo),
        Relation::Stranger => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Automatic; 6] = [
        Automatic::Receipt,
        Automatic::Marker,
        Automatic::ChatState,
        Automatic::Version,
        Automatic::DiscoInfo,
        Automatic::Ping,
    ];

    #[test]
    fn s_xmpp_17_a_stranger_gets_no_answer_at_all() {
        for what in ALL {
            assert!(!may_answer(what, Relation::Stranger), "{what:?}");
            assert!(may_answer(what, Relation::SeesOurs), "{what:?}");
        }
        assert!(may_answer(Automatic::Ping, Relation::Server));
        assert!(!may_answer(Automatic::Receipt, Relation::Server));
        assert!(!may_answer(Automatic::Version, Relation::Server));
    }
}
