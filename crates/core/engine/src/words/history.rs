//! What is kept, and for how long.

use sotto_api::view::{Expiry, HistoryView};

/// What holds for a conversation without a choice of its own.
pub fn history(keep: bool, expiry: Expiry) -> HistoryView {
    HistoryView {
        keep,
        own_keep: None,
        expiry,
        own_expiry: None,
        text: match (keep, expiry) {
            (false, _) => "Not kept",
            (true, Expiry::Never) => "Kept",
            (true, Expiry::Year) => "Kept for a year",
            (true, Expiry::Month) => "Kept for a month",
            (true, Expiry::Week) => "Kept for a week",
            (true, Expiry::Day) => "Kept for a day",
        }
        .to_owned(),
    }
}
