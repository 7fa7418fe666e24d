//! XML on the wire: a reader for foreign bytes with hard limits, and a writer that cannot be made to
//! write anything but what was meant.
//!
//! The reader takes restricted XML only (RFC 6120 §11.1): no document type, no entities but the five,
//! no comments, no processing instructions, strict UTF-8 (S-XML-01, S-XML-03).

mod error;
mod reader;
mod utf8;
mod writer;

pub(crate) use reader::{Header, Item, Limits, Reader};
pub(crate) use writer::escape_attribute;
pub use writer::to_string;
pub(crate) use writer::write_in_stream;
