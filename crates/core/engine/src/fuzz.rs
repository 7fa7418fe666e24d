//! Parsers of foreign bytes, as fuzz targets call them. Not an interface for programs.

pub use crate::confusable::address_ascii;
pub use crate::links::{find as links, target as link};
pub use crate::picture::{VIEW_SIDE, own as own_picture, reencode};
pub use crate::text::{action, clean, clean_line, colour, fold, initials, isolate, preview};
