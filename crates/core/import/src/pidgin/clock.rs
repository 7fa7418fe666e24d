//! Times in Pidgin's logs: in the form of whatever language the program spoke, mostly without a date.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, ToSpan};

/// How much earlier than the line before it a time may be, and still be of the same day: clocks are set.
const STEP_BACK: i64 = 60 * 60;

/// A time as a line has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    time: Time,
    date: Option<Written>,
}

/// A date; where its order is not clear, both ways to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    one: Date,
    other: Option<Date>,
}

impl Clock {
    /// Reads what stands between the parentheses; absent when there is no time of day in it.
    pub fn parse(text: &str) -> Option<Self> {
        /// Longer than any date with its time.
        const LONGEST: usize = 96;
        if text.len() > LONGEST {
            return None;
        }
        let text: String = text.chars().map(ascii_digit).collect();
        let mut words = text.split_whitespace().collect::<Vec<_>>();
        // With a colon if there is one: a date may have points as well.
        let with = |mark: char| {
            move |word: &&str| {
                let start = word.trim_start_matches(|c: char| !c.is_ascii_digit());
                start.contains(mark) && parse_time(start, mark).is_some()
            }
        };
        let (at, mark) = words
            .iter()
            .position(|word| with(':')(word))
            .map(|at| (at, ':'))
            .or_else(|| {
                words
                    .iter()
                    .rposition(|word| with('.')(word))
                    .map(|at| (at, '.'))
            })?;
        let word = words.remove(at);
        let start = word.trim_start_matches(|c: char| !c.is_ascii_digit());
        let before = word.strip_suffix(start).unwrap_or_default();
        let (hour, minute, second, behind) = parse_time(start, mark)?;
        let half = [before, behind]
            .into_iter()
            .chain(words.iter().copied())
            .find_map(half_of_day);
        let hour = match half {
            Some(Half::Morning) if hour == 12 => 0,
            Some(Half::Afternoon) if hour < 12 => hour + 12,
            _ => hour,
        };
        let time = Time::new(hour, minute, second, 0).ok()?;
        Some(Self {
            time,
            date: parse_date(&words.join(" ")),
        })
    }

    /// The moment, where the line before it, or the log, was at `before`.
    pub fn after(self, before: DateTime) -> DateTime {
        let Some(date) = self.date else {
            let same = before.date().to_datetime(self.time);
            let back = seconds(before, same);
            if back <= STEP_BACK {
                return same;
            }
            return same.checked_add(1.day()).unwrap_or(same);
        };
        let one = date.one.to_datetime(self.time);
        let other = date.other.map(|date| date.to_datetime(self.time));
        let away = |at: &DateTime| seconds(before, *at).unsigned_abs();
        match other {
            Some(other) if away(&other) < away(&one) => other,
            _ => one,
        }
    }
}

/// From one to the other, negative when it goes forward.
fn seconds(from: DateTime, to: DateTime) -> i64 {
    let span: Result<Span, _> = to.until((jiff::Unit::Second, from));
    span.map_or(0, |span| span.get_seconds())
}

/// Digits of Arabic and Persian as those of ASCII.
fn ascii_digit(character: char) -> char {
    let code = u32::from(character);
    let digit = match code {
        0x660..=0x669 => code - 0x660,
        0x6f0..=0x6f9 => code - 0x6f0,
        _ => return character,
    };
    char::from_digit(digit, 10).unwrap_or(character)
}

/// `14:32:22`, `2:32`, with what follows it in the same word.
fn parse_time(text: &str, mark: char) -> Option<(i8, i8, i8, &str)> {
    let (hour, rest) = digits(text)?;
    let (minute, rest) = digits(rest.strip_prefix(mark)?)?;
    let (second, rest) = match rest.strip_prefix(mark) {
        Some(rest) => digits(rest)?,
        None => (0, rest),
    };
    // A leap second is the one before it.
    let second = if second == 60 { 59 } else { second };
    (hour < 24 && minute < 60 && second < 60).then_some((hour, minute, second, rest))
}

/// One or two digits.
fn digits(text: &str) -> Option<(i8, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=2).contains(&length) {
        return None;
    }
    let (number, rest) = text.split_at_checked(length)?;
    Some((number.parse().ok()?, rest))
}

#[derive(Clone, Copy)]
enum Half {
    Morning,
    Afternoon,
}

fn half_of_day(word: &str) -> Option<Half> {
    let word: String = word.to_lowercase().replace(['.', ','], "");
    match word.as_str() {
        "am" | "ص" | "قظ" | "πμ" | "上午" | "午前" | "오전" => Some(Half::Morning),
        "pm" | "م" | "بظ" | "μμ" | "下午" | "午後" | "오후" => Some(Half::Afternoon),
        _ => None,
    }
}

/// A date in one of the usual orders; absent when it is in none of them.
fn parse_date(text: &str) -> Option<Written> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let mut numbers: Vec<i16> = Vec::new();
    let mut month: Option<i8> = None;
    for part in text.split(|c: char| !c.is_alphanumeric()) {
        if part.is_empty() {
            continue;
        }
        if let Ok(number) = part.parse::<i16>() {
            if number < 0 {
                return None;
            }
            numbers.push(number);
        } else if let Some(start) = part.get(..3) {
            let start = start.to_ascii_lowercase();
            let found = (1_i8..).zip(MONTHS).find(|(_, name)| *name == start);
            month = month.or(found.map(|(number, _)| number));
        }
    }
    let date = |year: i16, month: i16, day: i16| {
        let year = if year < 100 { year + 2000 } else { year };
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    };
    let sure = |one: Option<Date>| one.map(|one| Written { one, other: None });
    match (numbers.as_slice(), month) {
        ([day, year], Some(month)) if *year > 31 => sure(date(*year, month.into(), *day)),
        ([year, day], Some(month)) => sure(date(*year, month.into(), *day)),
        ([year, month, day], None) if *year > 31 => sure(date(*year, *month, *day)),
        ([first, second, year], None) => {
            let by_day = date(*year, *second, *first);
            let by_month = date(*year, *first, *second);
            match (by_day, by_month) {
                (Some(one), other) => Some(Written {
                    one,
                    other: other.filter(|other| *other != one),
                }),
                (None, other) => sure(other),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, before: DateTime) -> Option<String> {
        Some(Clock::parse(text)?.after(before).to_string())
    }

    fn noon() -> DateTime {
        DateTime::constant(2014, 3, 21, 12, 0, 0, 0)
    }

    #[test]
    fn times_of_24_and_of_12_hours_are_read() {
        for (text, time) in [
            ("14:32:22", "2014-03-21T14:32:22"),
            ("14:32", "2014-03-21T14:32:00"),
            ("02:32:22 PM", "2014-03-21T14:32:22"),
            ("2:32:22 pm", "2014-03-21T14:32:22"),
            ("2:32:22PM", "2014-03-21T14:32:22"),
            ("11:59:59 AM", "2014-03-21T11:59:59"),
            ("12:00:01 PM", "2014-03-21T12:00:01"),
            ("14.32.22", "2014-03-21T14:32:22"),
            ("02:32:22 م", "2014-03-21T14:32:22"),
            ("٠٢:٣٢:٢٢ م", "2014-03-21T14:32:22"),
            ("下午02:32:22", "2014-03-21T14:32:22"),
        ] {
            assert_eq!(at(text, noon()).as_deref(), Some(time), "{text}");
        }
    }

    #[test]
    fn a_date_is_read_in_the_usual_orders() {
        for text in [
            "2014-03-22 00:01:10",
            "2014/03/22 00:01:10",
            "03/22/2014 12:01:10 AM",
            "03/22/14 00:01:10",
            "22/03/2014 00:01:10",
            "22.03.2014 00:01:10",
            "Sat 22 Mar 2014 12:01:10 AM CET",
            "Sat Mar 22 00:01:10 2014",
        ] {
            assert_eq!(
                at(text, noon()).as_deref(),
                Some("2014-03-22T00:01:10"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_unclear_date_is_the_one_nearer_to_the_line_before() {
        let before = DateTime::constant(2014, 4, 2, 23, 0, 0, 0);
        assert_eq!(
            at("04/03/2014 00:10:00", before).as_deref(),
            Some("2014-04-03T00:10:00")
        );
        let before = DateTime::constant(2014, 3, 3, 23, 0, 0, 0);
        assert_eq!(
            at("04/03/2014 00:10:00", before).as_deref(),
            Some("2014-03-04T00:10:00")
        );
    }

    #[test]
    fn after_midnight_comes_the_next_day_and_a_set_clock_is_none() {
        let before = DateTime::constant(2014, 12, 31, 23, 59, 0, 0);
        assert_eq!(
            at("00:00:10", before).as_deref(),
            Some("2015-01-01T00:00:10")
        );
        assert_eq!(
            at("23:10:00", before).as_deref(),
            Some("2014-12-31T23:10:00")
        );
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "hello", "25:00:00", "12", "a:b", "99.99.99", ":::", "é"] {
            assert_eq!(Clock::parse(text), None, "{text}");
        }
    }
}
