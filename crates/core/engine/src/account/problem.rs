//! What a stream's failure means: try again, ask for the password, or stop.

use sotto_api::Problem;
use sotto_xmpp::stream::StreamFailure;

/// What follows from a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// It may go away by itself.
    Again(Problem),
    /// The person is asked for the password.
    Password(Problem),
    /// It will not go away by itself.
    Stop(Problem),
}

impl Course {
    pub fn problem(&self) -> Problem {
        match self {
            Self::Again(problem) | Self::Password(problem) | Self::Stop(problem) => problem.clone(),
        }
    }
}

/// What a stream's failure is called.
pub(crate) fn stream_problem(failure: &StreamFailure) -> Problem {
    course(failure).problem()
}

pub(super) fn course(failure: &StreamFailure) -> Course {
    use StreamFailure as F;
    match failure {
        F::NotAuthorized { .. } => Course::Password(Problem::WrongPassword),
        F::NoPassword => Course::Password(Problem::NoPassword),
        F::AccountDisabled { .. } => Course::Stop(Problem::AccountDisabled),
        F::MechanismTooWeak { .. } => Course::Stop(Problem::MechanismTooWeak),
        F::Downgrade { .. } => Course::Stop(Problem::Downgrade),
        F::ServerNotAuthentic { .. } => Course::Stop(Problem::ServerNotAuthentic),
        F::NoEncryption => Course::Stop(Problem::NoEncryption),
        F::Replaced { .. } => Course::Stop(Problem::ReplacedElsewhere),
        F::Forbidden { .. } => Course::Stop(Problem::Forbidden),
        F::HostUnknown { .. } => Course::Stop(Problem::HostUnknown),
        F::TimedOut { .. } => Course::Again(Problem::TimedOut),
        F::Ended => Course::Again(Problem::ConnectionLost),
        F::Unavailable { .. } | F::SeeOtherHost { .. } => Course::Again(Problem::ServerUnavailable),
        F::HandledCountTooHigh { .. } | F::Protocol { .. } | F::Refused { .. } => {
            Course::Again(Problem::ProtocolViolation)
        }
    }
}

/// Whether the session must not be resumed: its counts cannot be trusted (S-XMPP-16).
pub(super) fn ends_session(failure: &StreamFailure) -> bool {
    matches!(
        failure,
        StreamFailure::HandledCountTooHigh { .. } | StreamFailure::Replaced { .. }
    )
}

/// Whether a stream that fails so right after its resumption may have been broken by the resumption, so that a
/// fresh one is tried. Prosody 0.12 feeds a resumed stream to the parser of the old one: where the connection
/// broke inside a stanza, what follows counts as part of it, until it is ill-formed or too large
/// (`policy-violation`).
pub(super) fn may_be_broken(failure: &StreamFailure) -> bool {
    matches!(
        failure,
        StreamFailure::Forbidden { .. } | StreamFailure::Protocol { .. }
    )
}
