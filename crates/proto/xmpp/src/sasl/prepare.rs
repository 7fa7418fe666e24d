use zeroize::Zeroizing;

/// Prepares a user name or password (SASLprep, RFC 4013).
///
/// A text that SASLprep refuses (unassigned in Unicode 3.2, such as emoji, or mixed directions) is
/// used as it was typed: servers that took such a password did not prepare it either, and others
/// refuse it anyway.
pub(crate) fn prepared(text: &str) -> Zeroizing<String> {
    if text.is_ascii() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Zeroizing::new(text.to_owned());
    }
    Zeroizing::new(match stringprep::saslprep(text) {
        Ok(prepared) if !prepared.is_empty() => prepared.into_owned(),
        Ok(_) | Err(_) => text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::prepared;

    #[test]
    fn names_and_passwords_are_prepared_as_rfc_4013_shows() {
        for (typed, wanted) in [
            ("I\u{ad}X", "IX"),
            ("user", "user"),
            ("USER", "USER"),
            ("\u{aa}", "a"),
            ("\u{2168}", "IX"),
            ("p\u{a0}w", "p w"),
        ] {
            assert_eq!(*prepared(typed), wanted);
        }
    }

    #[test]
    fn what_cannot_be_prepared_is_used_as_typed() {
        for typed in ["\u{7}", "\u{627}1", "\u{1f600}", "\u{ad}"] {
            assert_eq!(*prepared(typed), typed);
        }
    }
}
