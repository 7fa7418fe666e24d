/// Stands for an encrypted message that this version cannot read.
pub fn unreadable() -> &'static str {
    "An end-to-end encrypted message came that Sotto cannot read. Ask for it again without encryption, \
     or read it where it was meant to be read."
}
