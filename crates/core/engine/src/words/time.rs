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
