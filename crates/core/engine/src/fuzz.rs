//! Parsers of foreign bytes, as fuzz targets call them. Not an interface for programs.

pub use crate::confusable::address_ascii;
pub use crate::links::{find as links, target as link};
pub use crate::text::{action, clean, clean_line, colour, fold, initials, isolate, preview};

use crate::picture::{self, PictureError};

/// A picture of somebody else, decoded and written anew.
pub fn reencode(file: &[u8]) -> Result<Vec<u8>, PictureError> {
    picture::reencode(file, picture::VIEW_SIDE, picture::decode)
}

/// One of one's own.
pub fn own_picture(file: &[u8]) -> Result<Vec<u8>, PictureError> {
    picture::own(file, picture::decode).map(|own| own.png)
}
