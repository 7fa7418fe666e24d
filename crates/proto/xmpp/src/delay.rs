//! Delayed delivery (XEP-0203) and its date format (XEP-0082).

use jid::BareJid;
use minidom::Element;

use crate::dom::{Build, el};
use crate::ns;
use crate::refused::is_own_server;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// When a stanza was first sent, as our own server says, in milliseconds since 1970-01-01 UTC.
///
/// Only stamps of our own server or account count: anybody can write `<delay/>` (S-XMPP-11). A
/// sender can still imitate our server's name; so the last stamp of ours counts, which is the one
/// that our server appended, and a stamp never decides the order of messages. Stamps after `now`
/// are cut to `now`, stamps before 1970 are dropped.
pub fn server_stamp(stanza: &Element, own: &BareJid, now: i64) -> Option<i64> {
    stanza
        .children()
        .filter(|child| child.is("delay", ns::DELAY) && is_own_server(child.attr("from"), own))
        .filter(|child| child.attr("from").is_some())
        .filter_map(|child| parse(child.attr("stamp")?))
        .last()
        .filter(|stamp| *stamp >= 0)
        .map(|stamp| stamp.min(now))
}

/// The stamp that an archive or a carbon puts beside the message in `<forwarded/>` (XEP-0297).
///
/// The caller has verified the wrapper; so whoever the stamp names is our own server.
pub(crate) fn forwarded_stamp(forwarded: &Element) -> Option<i64> {
    parse(forwarded.get_child("delay", ns::DELAY)?.attr("stamp")?).filter(|stamp| *stamp >= 0)
}

/// Builds a `<delay/>`.
pub fn to_element(stamp: i64, from: Option<&BareJid>) -> Element {
    el("delay", ns::DELAY)
        .with_opt("from", from.map(|jid| jid.as_str().to_owned()))
        .with("stamp", format(stamp))
}

/// Reads a date and time of XEP-0082 §3.2: `CCYY-MM-DDThh:mm:ss[.sss]TZD`.
///
/// The result is in milliseconds since 1970-01-01 UTC and may be negative. Years are 0001–9999;
/// a leap second counts as the second after it. Everything else is `None`.
pub fn parse(stamp: &str) -> Option<i64> {
    let bytes = stamp.trim().as_bytes();
    let (year, rest) = digits(bytes, 4)?;
    let (month, rest) = digits(skip(rest, b'-')?, 2)?;
    let (day, rest) = digits(skip(rest, b'-')?, 2)?;
    let (hour, rest) = digits(skip(rest, b'T')?, 2)?;
    let (minute, rest) = digits(skip(rest, b':')?, 2)?;
    let (second, rest) = digits(skip(rest, b':')?, 2)?;
    let (millis, rest) = fraction(rest)?;
    let offset = zone(rest)?;
    let in_range = year >= 1
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 60;
    if !in_range {
        return None;
    }
    let seconds = (hour * 60 + minute - offset) * 60 + second;
    Some(days_from_civil(year, month, day) * DAY + seconds * 1000 + millis)
}

/// Writes a date and time of XEP-0082 in UTC, with milliseconds where there are any.
///
/// Stamps outside the years 0001–9999 are brought to the nearest end.
pub fn format(stamp: i64) -> String {
    const FIRST: i64 = -62_135_596_800_000;
    const LAST: i64 = 253_402_300_799_999;
    let stamp = stamp.clamp(FIRST, LAST);
    let (days, in_day) = (stamp.div_euclid(DAY), stamp.rem_euclid(DAY));
    let (year, month, day) = civil_from_days(days);
    let (seconds, millis) = (in_day / 1000, in_day % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = if millis == 0 {
        String::new()
    } else {
        format!(".{millis:03}")
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

fn skip(bytes: &[u8], expected: u8) -> Option<&[u8]> {
    match bytes.split_first() {
        Some((first, rest)) if *first == expected => Some(rest),
        _ => None,
    }
}

fn digits(bytes: &[u8], count: usize) -> Option<(i64, &[u8])> {
    let (number, rest) = bytes.split_at_checked(count)?;
    let mut value = 0;
    for digit in number {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some((value, rest))
}

fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = skip(bytes, b'.') else {
        return Some((0, bytes));
    };
    let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 || count > 12 {
        return None;
    }
    let (number, rest) = rest.split_at_checked(count)?;
    let mut millis = 0;
    for place in 0..3 {
        let digit = number.get(place).map_or(0, |b| i64::from(b - b'0'));
        millis = millis * 10 + digit;
    }
    Some((millis, rest))
}

/// Minutes east of UTC.
fn zone(bytes: &[u8]) -> Option<i64> {
    let (sign, rest) = match bytes.split_first()? {
        (b'Z', []) => return Some(0),
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = digits(skip(rest, b':')?, 2)?;
    (rest.is_empty() && hours <= 14 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar; a year starts in March, so that the
/// leap day is its last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;
