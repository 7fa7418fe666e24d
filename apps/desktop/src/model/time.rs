use jiff::{Zoned, civil::Date, tz::TimeZone};
use sotto_api::Timestamp;

/// How long ago something was, in the steps that a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// Today, by the clock.
    Clock(String),
    /// Yesterday.
    Yesterday,
    /// Within the last week; Monday is 1.
    Weekday(i8),
    /// Within the last year: day and month.
    Date(i8, i8),
    /// Earlier: day, month, year.
    DateYear(i8, i8, i16),
}

/// The words of the window's language.
pub trait Wording {
    /// *Today*.
    fn today(&self) -> String;
    /// *Yesterday*.
    fn yesterday(&self) -> String;
    /// *Monday* is 1.
    fn weekday(&self, day: i8) -> String;
    /// *24 November*.
    fn date(&self, day: i8, month: i8) -> String;
    /// *24 November 2025*.
    fn date_year(&self, day: i8, month: i8, year: i16) -> String;
    /// *3 of 5*.
    fn count(&self, online: u32, total: u32) -> String;
    /// The first group of the list.
    fn recent(&self) -> String;
    /// The group of those without one.
    fn others(&self) -> String;
    /// The group of found messages.
    fn messages(&self) -> String;
    /// The separator before messages not yet seen.
    fn fresh(&self) -> String;
    /// Below an own message: who could read it, where that differs from the conversation.
    fn privacy_note(&self, mine: bool, none: bool) -> String;

    /// `when` in words, as a row shows it.
    fn when(&self, when: &When) -> String {
        match *when {
            When::Clock(ref clock) => clock.clone(),
            When::Yesterday => self.yesterday(),
            When::Weekday(day) => self.weekday(day),
            When::Date(day, month) => self.date(day, month),
            When::DateYear(day, month, year) => self.date_year(day, month, year),
        }
    }

    /// `day` in words, as a separator shows it.
    fn day(&self, day: Date, today: Date) -> String {
        let age = days(day, today);
        if age == 0 {
            self.today()
        } else if age == 1 {
            self.yesterday()
        } else if day.year() == today.year() {
            self.date(day.day(), day.month())
        } else {
            self.date_year(day.day(), day.month(), day.year())
        }
    }
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Zoned {
    jiff::Timestamp::from_millisecond(at.0)
        .unwrap_or_default()
        .to_zoned(zone.clone())
}

fn days(day: Date, today: Date) -> i32 {
    today.since(day).map_or(i32::MAX, |span| span.get_days())
}

/// The calendar day of a moment where the person is.
pub fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    zoned(at, zone).date()
}

/// *14:07*, in the person's time zone.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    let time = zoned(at, zone);
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// How long before `now` a moment was.
pub fn when(at: Timestamp, now: Timestamp, zone: &TimeZone) -> When {
    let (day, today) = (day_of(at, zone), day_of(now, zone));
    match days(day, today) {
        // A moment that seems to lie ahead is a clock that is wrong: its time is still the best word.
        age if age <= 0 => When::Clock(clock(at, zone)),
        1 => When::Yesterday,
        2..=6 => When::Weekday(day.weekday().to_monday_one_offset()),
        7..=330 => When::Date(day.day(), day.month()),
        _ => When::DateYear(day.day(), day.month(), day.year()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// English, as the window says it.
    pub(crate) struct English;

    impl Wording for English {
        fn today(&self) -> String {
            "Today".into()
        }
        fn yesterday(&self) -> String {
            "Yesterday".into()
        }
        fn weekday(&self, day: i8) -> String {
            [
                "Monday",
                "Tuesday",
                "Wednesday",
                "Thursday",
                "Friday",
                "Saturday",
                "Sunday",
            ][usize::try_from(day - 1).unwrap()]
            .into()
        }
        fn date(&self, day: i8, month: i8) -> String {
            format!(
                "{day} {}",
                ["January", "November"][usize::from(month == 11)]
            )
        }
        fn date_year(&self, day: i8, month: i8, year: i16) -> String {
            format!("{} {year}", self.date(day, month))
        }
        fn count(&self, online: u32, total: u32) -> String {
            format!("{online} of {total}")
        }
        fn recent(&self) -> String {
            "Recent".into()
        }
        fn others(&self) -> String {
            "Without a group".into()
        }
        fn messages(&self) -> String {
            "Messages".into()
        }
        fn fresh(&self) -> String {
            "New messages".into()
        }
        fn privacy_note(&self, mine: bool, none: bool) -> String {
            format!(
                "{} {}",
                if mine { "Sent" } else { "Came" },
                if none {
                    "unencrypted"
                } else {
                    "to the server only"
                }
            )
        }
    }

    pub(crate) fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn the_age_of_a_message_is_said_in_the_shortest_true_words() {
        let now = at("2026-11-25T14:30:00Z");
        let say = |text| English.when(&when(at(text), now, &TimeZone::UTC));
        assert_eq!(say("2026-11-25T14:07:59Z"), "14:07");
        assert_eq!(say("2026-11-25T00:00:00Z"), "00:00");
        assert_eq!(say("2026-11-24T23:59:00Z"), "Yesterday");
        assert_eq!(say("2026-11-22T10:00:00Z"), "Sunday");
        assert_eq!(say("2026-11-01T10:00:00Z"), "1 November");
        assert_eq!(say("2024-11-01T10:00:00Z"), "1 November 2024");
        assert_eq!(say("2026-11-26T10:00:00Z"), "10:00");
    }

    #[test]
    fn the_day_is_the_one_where_the_person_is() {
        let zone = TimeZone::fixed(jiff::tz::offset(3));
        assert_eq!(
            when(
                at("2026-11-24T22:30:00Z"),
                at("2026-11-25T06:00:00Z"),
                &zone
            ),
            When::Clock("01:30".into())
        );
    }
}
