//! How Jitsi names folders after accounts and contacts, and how it writes them into keys of settings.

use std::collections::HashMap;

/// The name of the folder for an account or a contact: other characters than letters, digits and `_@.-+` become `_`,
/// and where one did, `$` and the hash of the original follow.
pub(super) fn folder(original: &str) -> String {
    let mut changed = false;
    let mut name: String = original
        .chars()
        .flat_map(|character| {
            let plain = character.is_ascii_alphanumeric()
                || matches!(character, '_' | '@' | '.' | '-' | '+');
            changed |= !plain;
            // One for each UTF-16 unit.
            std::iter::repeat_n(if plain { character } else { '_' }, character.len_utf16())
        })
        .collect();
    if changed {
        name.push_str(&format!("${:x}", hash(original)));
    }
    name
}

/// The hash of a Java string: over UTF-16 units, in 32 bits.
fn hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    })
}

/// Contacts by the names of their folders.
#[derive(Default)]
pub(super) struct Known(HashMap<String, String>);

impl Known {
    pub fn new<'a>(contacts: impl Iterator<Item = &'a str>) -> Self {
        Self(
            contacts
                .map(|contact| (folder(contact), contact.to_owned()))
                .collect(),
        )
    }
}

/// The contact that a folder is named after: the name itself, or the one of `known` that leads to it, or the one
/// that can be guessed and proved by the hash. Absent when it cannot be told.
pub(super) fn original(name: &str, known: &Known) -> Option<String> {
    let Some((plain, hash_text)) = name.rsplit_once('$') else {
        return Some(name.to_owned());
    };
    if let Some(contact) = known.0.get(name) {
        return Some(contact.clone());
    }
    let wanted = u32::from_str_radix(hash_text, 16).ok()?;
    // A resource, or one other character that addresses have.
    for (at, _) in plain.match_indices('_') {
        for other in ["/", ":", "'", "&", " ", "\\", "~", "!", "#", "%", "="] {
            let mut guess = plain.to_owned();
            guess.replace_range(at..=at, other);
            if hash(&guess) == wanted {
                return Some(guess);
            }
        }
    }
    None
}

/// A name within a key of settings: every character that is no letter or digit becomes `_`.
pub(super) fn in_key(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_address_is_its_own_folder() {
        assert_eq!(folder("leila+home@example.org"), "leila+home@example.org");
        assert_eq!(
            original("leila@example.org", &Known::default()).as_deref(),
            Some("leila@example.org")
        );
    }

    #[test]
    fn other_characters_are_replaced_and_the_hash_of_the_original_follows() {
        assert_eq!(hash("Hello"), 69_609_650);
        assert_eq!(hash("polygenelubricants"), 0x8000_0000);
        assert_eq!(folder("a:b"), format!("a_b${:x}", hash("a:b")));
    }

    #[test]
    fn the_original_is_found_among_the_known_or_proved_by_the_hash() {
        let unusual = "سارة@example.org";
        let name = folder(unusual);
        assert_eq!(original(&name, &Known::default()), None);
        assert_eq!(
            original(&name, &Known::new(["x@example.org", unusual].into_iter())).as_deref(),
            Some(unusual)
        );
        let with_resource = "leila_h@example.org/home";
        assert_eq!(
            original(&folder(with_resource), &Known::default()).as_deref(),
            Some(with_resource)
        );
    }
}
