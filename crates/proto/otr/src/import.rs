//! Keys, trust and tags of other programs, read from their files.
