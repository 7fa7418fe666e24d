//! What may leave: the one table by which a text is encrypted, let go in clear, held back or refused.
//!
//! [`Released`] is the only type whose text becomes the body of a stanza, and it is made here only: in clear
//! by a [`Permit`], which only [`decide`] and [`may_correct`] hand out, or of a text that OTR made.

use sotto_api::view::{Policy, Privacy, PrivateState, Trust};
use sotto_otr::Conversation;

/// All that the decision depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Situation {
    pub policy: Policy,
    pub state: PrivateState,
    /// In the key of the device that would be written to; absent without a session.
    pub trust: Option<Trust>,
}

/// What happens with a text that the person wants to send.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It leaves as it is.
    Clear(Permit),
    /// It leaves encrypted.
    Encrypt,
    /// A private conversation is asked for, where it is not on its way already, and the text waits for it.
    Wait,
    /// Nothing leaves before the person has chosen.
    Refuse(Refusal),
}

/// Why nothing leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The other side ended the private conversation.
    Ended,
    /// Another key than the verified one stands there.
    KeyChanged,
    /// The person said that the key is not theirs.
    Distrusted,
}

/// That one text may leave in clear. Neither copied nor made elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Permit {
    offer: bool,
}

impl Permit {
    /// Whether the text carries the offer of a private conversation.
    pub fn offers(&self) -> bool {
        self.offer
    }

    /// Lets a text go in clear.
    pub fn release(self, text: String) -> Released {
        Released {
            body: text,
            kind: Kind::Clear,
        }
    }
}

/// A text that may become the body of a stanza.
pub(crate) struct Released {
    body: String,
    kind: Kind,
}

/// What kind of text leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Clear,
    /// A message, encrypted.
    Message,
    /// Part of the protocol: it holds no words of the person's.
    Protocol,
    /// Asks for a private conversation.
    Query,
}

impl Released {
    /// A text that OTR made. Absent when it is not one, whatever the kind says.
    pub fn otr(text: String, kind: Kind) -> Option<Self> {
        (kind != Kind::Clear && Conversation::is_otr(&text)).then_some(Self { body: text, kind })
    }

    pub fn body(&self) -> &str {
        &self.body
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// The decision for a message.
pub(crate) fn decide(situation: Situation) -> Decision {
    use PrivateState as State;
    match (situation.state, situation.trust) {
        (State::Ended, _) => Decision::Refuse(Refusal::Ended),
        (State::Private, Some(Trust::Changed)) => Decision::Refuse(Refusal::KeyChanged),
        (State::Private, Some(Trust::Distrusted)) => Decision::Refuse(Refusal::Distrusted),
        (State::Private, Some(Trust::New | Trust::Verified) | None) => Decision::Encrypt,
        (State::Starting, _) => Decision::Wait,
        (State::None, _) => match situation.policy {
            Policy::Required => Decision::Wait,
            Policy::Preferred => Decision::Clear(Permit { offer: true }),
            Policy::Off => Decision::Clear(Permit { offer: false }),
        },
    }
}

/// Whether a correction may leave: its mark (XEP-0308) cannot be encrypted, and the two versions of a text
/// must not differ in protection.
pub(crate) fn may_correct(situation: Situation, original: Privacy) -> Option<Permit> {
    let protected = matches!(original, Privacy::Verified | Privacy::Encrypted);
    match decide(situation) {
        Decision::Clear(_) if !protected => Some(Permit { offer: false }),
        _ => None,
    }
}

/// Whether a message in clear that was queued earlier may still leave.
pub(crate) fn may_still_leave(situation: Situation) -> bool {
    matches!(decide(situation), Decision::Clear(_))
}

/// Whether the other side may be told that the person is writing. It holds no text, but tells of one.
pub(crate) fn may_tell_typing(policy: Policy) -> bool {
    policy != Policy::Required
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICIES: [Policy; 3] = [Policy::Off, Policy::Preferred, Policy::Required];
    const TRUSTS: [Option<Trust>; 5] = [
        None,
        Some(Trust::New),
        Some(Trust::Verified),
        Some(Trust::Changed),
        Some(Trust::Distrusted),
    ];

    fn decided(policy: Policy, state: PrivateState, trust: Option<Trust>) -> Decision {
        decide(Situation {
            policy,
            state,
            trust,
        })
    }

    #[test]
    fn every_cell_of_the_table_is_as_written_here() {
        for trust in TRUSTS {
            use PrivateState as State;
            let clear = |offer| Decision::Clear(Permit { offer });
            assert_eq!(decided(Policy::Off, State::None, trust), clear(false));
            assert_eq!(decided(Policy::Preferred, State::None, trust), clear(true));
            assert_eq!(
                decided(Policy::Required, State::None, trust),
                Decision::Wait
            );
            for policy in POLICIES {
                let ended = Decision::Refuse(Refusal::Ended);
                assert_eq!(decided(policy, State::Ended, trust), ended);
                assert_eq!(decided(policy, State::Starting, trust), Decision::Wait);
                let private = match trust {
                    Some(Trust::Changed) => Decision::Refuse(Refusal::KeyChanged),
                    Some(Trust::Distrusted) => Decision::Refuse(Refusal::Distrusted),
                    _ => Decision::Encrypt,
                };
                assert_eq!(decided(policy, State::Private, trust), private);
            }
        }
    }

    #[test]
    fn s_otr_14_required_never_gives_a_permit_for_clear_text() {
        for trust in TRUSTS {
            for state in [
                PrivateState::None,
                PrivateState::Starting,
                PrivateState::Private,
                PrivateState::Ended,
            ] {
                let situation = Situation {
                    policy: Policy::Required,
                    state,
                    trust,
                };
                assert!(!matches!(decide(situation), Decision::Clear(_)));
                assert!(!may_still_leave(situation));
                for privacy in [
                    Privacy::Verified,
                    Privacy::Encrypted,
                    Privacy::ServerOnly,
                    Privacy::None,
                ] {
                    assert_eq!(may_correct(situation, privacy), None);
                }
            }
        }
        assert!(!may_tell_typing(Policy::Required));
    }

    #[test]
    fn what_was_private_is_not_corrected_in_clear() {
        let situation = Situation {
            policy: Policy::Off,
            state: PrivateState::None,
            trust: None,
        };
        assert_eq!(may_correct(situation, Privacy::Encrypted), None);
        assert_eq!(may_correct(situation, Privacy::Verified), None);
        assert!(may_correct(situation, Privacy::ServerOnly).is_some());
    }

    #[test]
    fn only_what_otr_made_passes_as_such() {
        assert!(Released::otr("hello".into(), Kind::Message).is_none());
        assert!(Released::otr("?OTRv3?".into(), Kind::Clear).is_none());
        assert!(Released::otr("?OTRv3?".into(), Kind::Query).is_some());
    }
}
