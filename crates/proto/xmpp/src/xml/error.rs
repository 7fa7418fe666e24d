use rxml::Error as Rxml;
use thiserror::Error;

use crate::stream::Condition;

/// Why bytes are not a stream.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum XmlError {
    #[error("not UTF-8")]
    NotUtf8,
    #[error("a construct that streams must not have: {what}")]
    Restricted { what: String },
    #[error("not well-formed: {what}")]
    NotWellFormed { what: String },
    #[error("an undeclared prefix")]
    UndeclaredPrefix,
    #[error("more than {limit} {of}")]
    TooMuch { limit: usize, of: &'static str },
    #[error("a stream in a stream")]
    NestedStream,
    #[error("text between stanzas")]
    StrayText,
}

impl XmlError {
    /// What the server is told.
    pub fn condition(&self) -> Condition {
        match self {
            Self::NotUtf8 => Condition::UnsupportedEncoding,
            Self::Restricted { .. } => Condition::RestrictedXml,
            Self::NotWellFormed { .. } => Condition::NotWellFormed,
            Self::UndeclaredPrefix => Condition::BadNamespacePrefix,
            Self::TooMuch { .. } => Condition::PolicyViolation,
            Self::NestedStream => Condition::InvalidXml,
            Self::StrayText => Condition::BadFormat,
        }
    }
}

impl From<Rxml> for XmlError {
    fn from(error: Rxml) -> Self {
        let what = error.to_string();
        match error {
            Rxml::InvalidUtf8Byte(_) => Self::NotUtf8,
            Rxml::RestrictedXml(_) | Rxml::UndeclaredEntity => Self::Restricted { what },
            // The parser has no name for a document type: `<!` that begins neither a comment nor a
            // section. Both conditions close the stream; this one says why.
            Rxml::InvalidSyntax(syntax) if syntax.ends_with("section start") => {
                Self::Restricted { what }
            }
            Rxml::UndeclaredNamespacePrefix(_) => Self::UndeclaredPrefix,
            _ => Self::NotWellFormed { what },
        }
    }
}
