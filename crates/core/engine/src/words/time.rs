use sotto_api::Timestamp;

/// A length of time in words, rounded to what a person would say: *20 seconds*, *3 minutes*.
pub fn span(milliseconds: i64) -> String {
    let seconds = (milliseconds.max(0) + 999) / 1000;
    match seconds {
        0 | 1 => "1 second".into(),
        2..=99 => format!("{seconds} seconds"),
        100..=5399 => count((seconds + 30) / 60, "minute"),
        _ => count((seconds + 1800) / 3600, "hour"),
    }
}

pub(super) fn count(number: i64, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{} {noun}s", grouped(number))
    }
}

/// 1284 as *1,284*.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    if number < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A moment by the calendar, in UTC: *2026-11-25, 14:07*. Every value gives a text.
///
/// For lines that a screen reader says; a shell that knows the person's zone shows its own.
pub fn day_and_time(at: Timestamp) -> String {
    let minutes = at.0.div_euclid(60_000);
    let days = minutes.div_euclid(1440);
    let of_day = minutes.rem_euclid(1440);
    let (year, month, day) = civil(days);
    format!(
        "{year}-{month:02}-{day:02}, {:02}:{:02}",
        of_day / 60,
        of_day % 60
    )
}

/// The proleptic Gregorian date of a day since 1970-01-01, for any day that an `i64` of milliseconds
/// can name.
fn civil(days: i64) -> (i64, i64, i64) {
    // Eras of 400 years that begin in March, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
