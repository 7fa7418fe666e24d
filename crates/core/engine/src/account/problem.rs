//! What a stream's failure means: try again, ask for the password, or stop.

use sotto_api::Problem;
use sotto_xmpp::stream::StreamFailure;

/// What follows from a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// It may go away by itself.
    Again(Problem),
    /// The person is asked.
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
    let _ = failure;
    Course::Again(Problem::ConnectionLost)
}
