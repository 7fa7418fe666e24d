use crate::stanza_error::{Condition, ErrorType, StanzaError};

/// Why a server did not make or change an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For deciding.
    pub kind: RefusalKind,
    /// The server's words: untrusted plain text, one line, may be empty.
    pub text: String,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// Somebody has this name.
    NameTaken,
    /// This name cannot be used.
    NameInvalid,
    /// The server makes no accounts, or none for us.
    Closed,
    /// Too many for now.
    Wait,
    /// The CAPTCHA was not solved. Its form is used up: ask for a new one.
    CaptchaWrong,
    /// An answer is missing or not acceptable, for example a weak password.
    AnswerRejected,
    /// The account must be signed in for this, or is not known.
    NotAuthorized,
    /// Something else; the text may say what.
    Other,
}

impl Refusal {
    /// Sorts a server's error (XEP-0077 §3.1.1, XEP-0158 §7, and what Prosody and ejabberd do).
    /// `captcha`: the form that was sent had a CAPTCHA.
    pub fn of(error: &StanzaError, captcha: bool) -> Self {
        Self {
            kind: kind(error, captcha),
            text: error.text.clone(),
        }
    }
}

fn kind(error: &StanzaError, captcha: bool) -> RefusalKind {
    let words = error.text.to_lowercase();
    let about_captcha = words.contains("captcha");
    let about_name = words.contains("username") || words.contains("jid");
    let about_password = words.contains("password");
    let wait = error.error_type == Some(ErrorType::Wait);
    match error.condition {
        Condition::Conflict => RefusalKind::NameTaken,
        _ if captcha && about_captcha => RefusalKind::CaptchaWrong,
        Condition::ResourceConstraint => RefusalKind::Wait,
        Condition::PolicyViolation | Condition::NotAcceptable | Condition::NotAllowed if wait => {
            RefusalKind::Wait
        }
        Condition::JidMalformed => RefusalKind::NameInvalid,
        Condition::NotAcceptable if about_password => RefusalKind::AnswerRejected,
        Condition::NotAcceptable if captcha && !about_name => RefusalKind::CaptchaWrong,
        // XEP-0077 has it for missing answers too; those are caught before they are sent.
        Condition::NotAcceptable if words.contains("required") => RefusalKind::AnswerRejected,
        Condition::NotAcceptable => RefusalKind::NameInvalid,
        Condition::NotAllowed if captcha => RefusalKind::CaptchaWrong,
        Condition::NotAllowed
        | Condition::ServiceUnavailable
        | Condition::FeatureNotImplemented
        | Condition::Forbidden => RefusalKind::Closed,
        Condition::BadRequest => RefusalKind::AnswerRejected,
        Condition::NotAuthorized
        | Condition::RegistrationRequired
        | Condition::UnexpectedRequest => RefusalKind::NotAuthorized,
        Condition::PolicyViolation => RefusalKind::AnswerRejected,
        _ => RefusalKind::Other,
    }
}
