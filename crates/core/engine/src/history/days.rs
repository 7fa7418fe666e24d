//! Days in a time zone: the one that a shell asks for, or the system's.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use sotto_api::view::{DayPage, DayView, SearchPage};
use sotto_api::{ApiError, ConversationId, MessageId, Timestamp};

use crate::account::Accounts;
use crate::context::Context;
use crate::error::Fault;
use crate::messages::view::hits;
use crate::words;

/// Longest name of a time zone, in bytes.
const MOST_ZONE: usize = 64;
/// Days of a page.
const MOST_DAYS: u32 = 400;
/// Messages of a page.
const MOST_SAID: u32 = 200;

/// A time zone by its name (IANA); empty: the system's.
pub(super) fn zone(name: &str) -> Result<TimeZone, ApiError> {
    if name.is_empty() {
        return Ok(TimeZone::system());
    }
    if name.len() > MOST_ZONE {
        return Err(words::unknown_zone());
    }
    TimeZone::get(name).map_err(|_| words::unknown_zone())
}

/// A day as shells write it: `2026-11-26`.
pub(super) fn parse(day: &str) -> Result<Date, ApiError> {
    let well_formed = day.len() == 10 && day.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    Some(day)
        .filter(|_| well_formed)
        .and_then(|day| day.parse().ok())
        .ok_or_else(words::not_a_day)
}

/// From the first moment of a day to that of the next: 23 or 25 hours where clocks are set.
pub(super) fn span(day: Date, zone: &TimeZone) -> Result<(Timestamp, Timestamp), ApiError> {
    let begins = |day: Date| -> Result<Timestamp, jiff::Error> {
        let begin = day.to_zoned(zone.clone())?;
        Ok(Timestamp(begin.timestamp().as_millisecond()))
    };
    day.checked_add(1.day())
        .and_then(|next| Ok((begins(day)?, begins(next)?)))
        .map_err(|_| words::not_a_day())
}

/// When something was, in a zone; absent for what no calendar holds.
pub(super) fn zoned(at: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
    Some(at.to_zoned(zone.clone()))
}

/// Days on which something was said, the newest first.
pub(super) fn page(
    cx: &Context,
    conversation: Option<ConversationId>,
    zone: &TimeZone,
    before: Option<&str>,
    limit: u32,
) -> Result<DayPage, ApiError> {
    if limit == 0 || limit > MOST_DAYS {
        return Err(words::out_of_range(
            "The number of days",
            1,
            i64::from(MOST_DAYS),
        ));
    }
    let mut end = match before {
        Some(day) => span(parse(day)?, zone)?.0,
        None => Timestamp(i64::MAX),
    };
    let mut days = Vec::new();
    loop {
        let last = cx
            .store
            .last_before(conversation, end)
            .map_err(Fault::from)?;
        let Some(day) = last.and_then(|at| zoned(at, zone)).map(|at| at.date()) else {
            return Ok(DayPage { days, more: false });
        };
        if days.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            return Ok(DayPage { days, more: true });
        }
        let (from, to) = span(day, zone)?;
        let row = cx.store.day(conversation, from, to).map_err(Fault::from)?;
        days.extend(row.map(|row| DayView {
            day: day.to_string(),
            first: row.first,
            messages: row.messages,
        }));
        end = from.min(Timestamp(end.0.saturating_sub(1)));
    }
}

/// What was said on a day in all conversations, in the order of time.
pub(super) fn said(
    cx: &Context,
    accounts: &Accounts,
    day: &str,
    zone: &TimeZone,
    after: Option<MessageId>,
    limit: u32,
) -> Result<SearchPage, ApiError> {
    if limit == 0 || limit > MOST_SAID {
        return Err(words::out_of_range(
            "The number of messages",
            1,
            i64::from(MOST_SAID),
        ));
    }
    let (from, to) = span(parse(day)?, zone)?;
    // One more than is shown says whether there are more.
    let mut rows = cx
        .store
        .said_between(from, to, after, limit.saturating_add(1))
        .map_err(Fault::from)?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > shown;
    rows.truncate(shown);
    let rows = rows.into_iter().map(|row| (row, Vec::new()));
    Ok(SearchPage {
        hits: hits(cx, accounts, rows)?,
        more,
    })
}
