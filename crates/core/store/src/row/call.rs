use std::fmt;

use sotto_api::view::Direction;
use sotto_api::{AccountId, Timestamp};

/// How a call came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum CallOutcome {
    Answered,
    Missed,
    Declined,
    Failed,
}

/// A call to be kept.
#[derive(Clone, Copy)]
pub struct NewCall<'a> {
    /// Absent for one of another program, on a network that is not supported.
    pub account: Option<AccountId>,
    /// Bare address of the other side.
    pub peer: &'a str,
    /// Who called.
    pub direction: Direction,
    /// How it came out.
    pub outcome: CallOutcome,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Why it ended, as it was told; empty where it was not.
    pub end_reason: &'a str,
    /// Addresses of all who took part, without the person.
    pub participants: &'a [String],
    /// Names a call of another program's history: it is not stored twice.
    pub imported: Option<&'a str>,
}

/// A call.
#[derive(Clone, PartialEq, Eq)]
pub struct CallRow {
    /// Ascending in the order in which they were stored.
    pub id: i64,
    /// As in [`NewCall`].
    pub account: Option<AccountId>,
    /// As in [`NewCall`].
    pub peer: String,
    /// As in [`NewCall`].
    pub direction: Direction,
    /// As in [`NewCall`].
    pub outcome: CallOutcome,
    /// As in [`NewCall`].
    pub started_at: Timestamp,
    /// As in [`NewCall`].
    pub ended_at: Timestamp,
    /// As in [`NewCall`].
    pub end_reason: String,
    /// As in [`NewCall`].
    pub participants: Vec<String>,
}

impl fmt::Debug for NewCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCall")
            .field("direction", &self.direction)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CallRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallRow")
            .field("id", &self.id)
            .field("direction", &self.direction)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
