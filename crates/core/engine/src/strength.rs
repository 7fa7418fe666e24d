//! How well a passphrase resists guessing, and passphrases drawn at random.

use diceware_wordlists::Wordlist;
use sotto_api::view::StrengthView;
use zxcvbn::zxcvbn;

use crate::words;

/// Guesses a second that are reckoned with: many machines against Argon2id at 64 MiB.
const GUESSES_PER_SECOND: f64 = 10_000.0;

/// Characters that are looked at. Longer ones are better still, never worse.
const LOOKED_AT: usize = 72;

/// Words in a suggested passphrase: 4 × 12.9 bits.
const SUGGESTED_WORDS: usize = 4;

/// Estimates how many guesses a passphrase takes (zxcvbn) and says what that means.
///
/// `own` are words that somebody who guesses would try first: addresses, names.
pub fn strength(passphrase: &str, own: &[&str]) -> StrengthView {
    if passphrase.is_empty() {
        return StrengthView {
            steps: 0,
            word: String::new(),
            meaning: String::new(),
        };
    }
    let head: zeroize::Zeroizing<String> =
        zeroize::Zeroizing::new(passphrase.chars().take(LOOKED_AT).collect());
    let mut own = own.to_vec();
    own.extend(["sotto", "xmpp", "jabber", "passphrase"]);
    let log10 = zxcvbn(&head, &own).guesses_log10();
    let steps = match log10 {
        guesses if guesses < 6.0 => 1,
        guesses if guesses < 9.0 => 2,
        guesses if guesses < 12.0 => 3,
        guesses if guesses < 15.0 => 4,
        _ => 5,
    };
    let seconds = 10_f64.powf(log10) / GUESSES_PER_SECOND;
    StrengthView {
        steps,
        word: words::strength(steps).into(),
        meaning: words::strength_meaning(seconds),
    }
}

/// Four words of the EFF's long list, each as likely as any other.
///
/// `random` fills its argument from a source fit for keys.
pub fn suggest(random: &mut dyn FnMut(&mut [u8])) -> String {
    let list = Wordlist::EffLong.get_list();
    let mut words = Vec::with_capacity(SUGGESTED_WORDS);
    while words.len() < SUGGESTED_WORDS {
        let mut bytes = [0; 2];
        random(&mut bytes);
        if let Some(word) = index(u16::from_be_bytes(bytes), list.len()).and_then(|i| list.get(i)) {
            words.push(*word);
        }
    }
    words.join(" ")
}

/// A place in a list of `len`, or nothing where the draw would favour its first entries.
fn index(draw: u16, len: usize) -> Option<usize> {
    let draw = usize::from(draw);
    let fair = (usize::from(u16::MAX) + 1) / len * len;
    (draw < fair).then_some(draw % len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_passwords_are_too_easy_however_they_are_dressed() {
        for bad in [
            "password",
            "P@ssw0rd",
            "123456789",
            "qwertyuiop",
            "sotto",
            "letmein1",
        ] {
            let view = strength(bad, &[]);
            assert!(view.steps <= 1, "{bad}: {view:?}");
            assert_eq!(view.word, "Too easy");
        }
    }

    #[test]
    fn the_own_address_is_too_easy() {
        let own = ["maryam.tehrani", "riverside"];
        assert!(strength("maryam.tehrani1", &own).steps <= 1);
    }

    #[test]
    fn length_and_chance_make_it_strong() {
        assert!(strength("correcthorse", &[]).steps < 4);
        assert_eq!(strength("kR9#vT2!qLw8zX4m", &[]).steps, 5);
    }

    #[test]
    fn an_empty_field_says_nothing() {
        assert_eq!(strength("", &[]).steps, 0);
    }

    #[test]
    fn a_very_long_passphrase_is_looked_at_in_bounded_time() {
        assert_eq!(
            strength(&"correct horse battery staple ".repeat(10_000), &[]).steps,
            5
        );
    }

    #[test]
    fn a_suggestion_is_four_words_and_good_or_better() {
        // A linear congruential generator: any fixed stream will do here.
        let mut state = 7_u64;
        let mut random = |bytes: &mut [u8]| {
            for byte in bytes {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                *byte = (state >> 33) as u8;
            }
        };
        for _ in 0..20 {
            let suggestion = suggest(&mut random);
            assert_eq!(suggestion.split(' ').count(), 4);
            assert!(strength(&suggestion, &[]).steps >= 4, "{suggestion}");
        }
    }

    #[test]
    fn every_word_is_as_likely_as_any_other() {
        let len = Wordlist::EffLong.get_list().len();
        assert_eq!(len, 7776);
        let mut hits = vec![0_u32; len];
        for draw in 0..=u16::MAX {
            if let Some(index) = index(draw, len) {
                hits[index] += 1;
            }
        }
        assert!(hits.iter().all(|n| *n == 8));
    }
}
