//! The languages of the window.

/// Tag (BCP 47) and own name of each; the first is the one the words were written in.
pub const ALL: &[(&str, &str)] = &[("en", "English"), ("ar", "العربية")];
