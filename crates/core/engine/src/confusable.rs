//! Letters that look like others: S-UI-05, after UTS 39.

use unicode_security::RestrictionLevelDetection;
use unicode_security::confusable_detection::skeleton;
use unicode_security::restriction_level::RestrictionLevel;

/// Why a name can be taken for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// Letters of several alphabets in one word.
    MixedScripts,
    /// All letters look like Latin ones, and are none.
    LooksLatin,
}

/// Looks at one word: a label of a host, the part of an address before the @.
///
/// Words wholly in ASCII, and words in one alphabet that do not imitate Latin ones, pass.
pub fn suspicion(word: &str) -> Option<Suspicion> {
    if word.is_ascii() {
        return None;
    }
    let letters: String = word.chars().filter(|c| c.is_alphabetic()).collect();
    if letters.is_ascii() {
        return None;
    }
    let level = letters.as_str().detect_restriction_level();
    if level > RestrictionLevel::HighlyRestrictive {
        return Some(Suspicion::MixedScripts);
    }
    let imitated = skeleton(&letters).all(|c| c.is_ascii_alphanumeric());
    imitated.then_some(Suspicion::LooksLatin)
}

/// Looks at every label of a host in Unicode form.
pub fn host_suspicion(host: &str) -> Option<Suspicion> {
    host.split('.').find_map(suspicion)
}

/// An address in ASCII, where it holds letters that could be confused; absent where it does not.
///
/// The host takes its form of the DNS; a name before the @ has none, so it is shown the same way.
pub fn address_ascii(address: &str) -> Option<String> {
    let (local, host) = match address.split_once('@') {
        Some((local, host)) => (Some(local), host),
        None => (None, address),
    };
    let suspected = local.and_then(suspicion).is_some() || host_suspicion(host).is_some();
    suspected.then(|| {
        let host = idna::domain_to_ascii(host).unwrap_or_else(|_| punycode(host));
        match local {
            Some(local) => format!("{}@{host}", punycode(local)),
            None => host,
        }
    })
}

fn punycode(word: &str) -> String {
    if word.is_ascii() {
        return word.to_owned();
    }
    match idna::punycode::encode_str(word) {
        Some(encoded) => format!("xn--{encoded}"),
        // Only a word of more than some thousand letters is refused; no address is that long.
        None => word.escape_unicode().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_ui_05_a_cyrillic_twin_of_a_latin_name_is_noticed() {
        assert_eq!(suspicion("раураӏ"), Some(Suspicion::LooksLatin));
        assert_eq!(suspicion("pаypal"), Some(Suspicion::MixedScripts));
        assert_eq!(
            address_ascii("sаra@riverside.example").as_deref(),
            Some("xn--sra-6cd@riverside.example")
        );
    }

    #[test]
    fn s_ui_05_names_in_one_alphabet_pass() {
        for word in [
            "sara",
            "müller",
            "élodie",
            "дмитрий",
            "ليلى",
            "δημήτρης",
            "さくら太郎",
            "李雷li",
            "דנה",
        ] {
            assert_eq!(suspicion(word), None, "{word}");
        }
        assert_eq!(address_ascii("jürgen@bücher.example"), None);
        assert_eq!(address_ascii("sara@riverside.example"), None);
    }
}
