//! How enumerations stand in the database. The numbers are part of the schema: never change one.

use sotto_api::view::{
    Availability, Delivery, Direction, LineNotice, MessageKind, Policy, Privacy, Subscription,
    Trust,
};

use crate::row::{CallOutcome, OutboxPurpose, VerifiedHow};

/// A value that is stored as a small whole number.
pub(crate) trait Code: Sized {
    fn code(&self) -> i64;
    /// The value, or the most cautious one where the number is not known.
    fn decode(code: i64) -> Self;
}

macro_rules! codes {
    ($type:ty, cautious $cautious:ident, { $($variant:ident = $code:literal),+ $(,)? }) => {
        impl Code for $type {
            fn code(&self) -> i64 {
                match self { $(Self::$variant => $code),+ }
            }
            fn decode(code: i64) -> Self {
                match code { $($code => Self::$variant,)+ _ => Self::$cautious }
            }
        }
    };
}

codes!(Direction, cautious Incoming, { Incoming = 0, Outgoing = 1 });
codes!(MessageKind, cautious Text, { Text = 0, Action = 1, System = 2 });
codes!(Privacy, cautious None, { None = 0, ServerOnly = 1, Encrypted = 2, Verified = 3 });
codes!(Subscription, cautious None, { None = 0, To = 1, From = 2, Both = 3 });
codes!(OutboxPurpose, cautious Message, { Message = 0, Correction = 1, Notice = 2, Otr = 3 });
// Ascending, so that `max` of what is stored and what is new never goes back; see `message.rs`.
codes!(Delivery, cautious Failed, { Waiting = 0, Sent = 1, Delivered = 2, Seen = 3, Failed = 9 });
// Ascending from most to least available, so that `ORDER BY` finds the best.
codes!(Availability, cautious Unknown, {
    Chat = 0, Available = 1, Away = 2, ExtendedAway = 3, Busy = 4, Offline = 5, Unknown = 6,
});
codes!(Policy, cautious Required, { Off = 0, Preferred = 1, Required = 2 });
codes!(Trust, cautious Distrusted, { New = 0, Verified = 1, Changed = 2, Distrusted = 3 });
codes!(CallOutcome, cautious Failed, { Answered = 0, Missed = 1, Declined = 2, Failed = 3 });
codes!(VerifiedHow, cautious Import, { Code = 0, Question = 1, Secret = 2, Import = 3 });

const NOTICES: [(LineNotice, i64); 10] = [
    (LineNotice::PrivateStarted, 1),
    (LineNotice::NotKept, 2),
    (LineNotice::PrivateEnded, 3),
    (LineNotice::NoAnswer, 4),
    (LineNotice::KeyChanged, 5),
    (LineNotice::Verified, 6),
    (LineNotice::NotVerified, 7),
    (LineNotice::Unreadable, 8),
    (LineNotice::SentAgain, 9),
    (LineNotice::CorrectionHeld, 10),
];

/// What a line is about; one without a number is stored as a plain line.
pub(crate) fn notice_code(notice: LineNotice) -> Option<i64> {
    NOTICES
        .iter()
        .find(|(known, _)| *known == notice)
        .map(|(_, code)| *code)
}

pub(crate) fn notice_decode(code: i64) -> Option<LineNotice> {
    NOTICES
        .iter()
        .find(|(_, known)| *known == code)
        .map(|(notice, _)| *notice)
}
