use sotto_api::view::ProtectionKind;

use super::time::count;

/// What a profile without a passphrase means; empty where there is one.
pub fn profile_warning(protection: ProtectionKind) -> &'static str {
    match protection {
        ProtectionKind::Passphrase => "",
        ProtectionKind::Keyring => {
            "This profile has no passphrase. Its key lies in the keyring of this computer, so whoever can use \
             your session can read everything in it. Set a passphrase to seal it."
        }
        ProtectionKind::KeyFile => {
            "This profile has no passphrase. Its key lies in a file beside it, so whoever can read your files \
             can read everything in it. Set a passphrase to seal it."
        }
    }
}

/// The word beside the meter; `steps` is 1–5.
pub fn strength(steps: u8) -> &'static str {
    match steps {
        0 => "",
        1 => "Too easy",
        2 => "Weak",
        3 => "Fair",
        4 => "Good",
        _ => "Strong",
    }
}

/// What a strength means, as the time that guessing takes.
pub fn strength_meaning(seconds: f64) -> String {
    const DAY: f64 = 86_400.0;
    const YEAR: f64 = 365.25 * DAY;
    let time = if seconds < 1.0 {
        "less than a second".into()
    } else if seconds < 100.0 {
        count(seconds as i64, "second")
    } else if seconds < 5_400.0 {
        count((seconds / 60.0) as i64, "minute")
    } else if seconds < 2.0 * DAY {
        count((seconds / 3_600.0) as i64, "hour")
    } else if seconds < YEAR {
        count((seconds / DAY) as i64, "day")
    } else if seconds < 1_000.0 * YEAR {
        count((seconds / YEAR) as i64, "year")
    } else {
        return "At ten thousand guesses a second, finding it takes more than a thousand years."
            .into();
    };
    format!("At ten thousand guesses a second, finding it takes {time}.")
}
