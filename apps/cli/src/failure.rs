//! Why a command did not do what it was asked, and the exit status that says so.

use std::process::ExitCode;

use sotto_api::view::ProblemView;
use sotto_api::{ApiError, ErrorKind};

/// Why a command ended early.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// Sotto or the server refused.
    Refused(ApiError),
    /// The account is not signed in; the problem says why.
    Problem(ProblemView),
    /// A certificate waits for an answer that could not be had here.
    Certificate(String),
    /// The time limit was reached; the sentence says what stands.
    TimedOut(String),
    /// Arguments or input that cannot be used.
    Usage(String),
    /// Reading or writing failed.
    Io(String),
    /// The reader of the output has gone; nothing to say, and nobody to say it to.
    OutputClosed,
}

/// What a command gives.
pub type Done<T = ()> = Result<T, Failure>;

impl Failure {
    /// The exit status, as the help text lists them.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.status())
    }

    /// The same as a number.
    pub fn status(&self) -> u8 {
        match self {
            Self::OutputClosed => 0,
            Self::Refused(error) => match error.kind {
                ErrorKind::Locked
                | ErrorKind::NoProfile
                | ErrorKind::ProfileExists
                | ErrorKind::WrongPassphrase
                | ErrorKind::InUse => 3,
                ErrorKind::Offline => 4,
                _ => 1,
            },
            Self::Io(_) => 1,
            Self::Usage(_) => 2,
            Self::Problem(_) => 4,
            Self::Certificate(_) => 5,
            Self::TimedOut(_) => 6,
        }
    }

    /// For people: one or more sentences.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(error) => error.message.clone(),
            Self::Problem(problem) => {
                let mut words = format!("{} {}", ended(&problem.title), problem.text);
                if !problem.details.is_empty() {
                    words.push_str("\nThe server's words: ");
                    words.push_str(&problem.details);
                }
                words
            }
            Self::Certificate(words)
            | Self::TimedOut(words)
            | Self::Usage(words)
            | Self::Io(words) => words.clone(),
            Self::OutputClosed => String::new(),
        }
    }

    /// For programs: an object with `kind` and `message`, and what belongs to the kind.
    pub fn to_json(&self) -> serde_json::Value {
        let kind = match self {
            Self::Refused(error) => return as_value(error),
            Self::Problem(problem) => {
                let mut value = as_value(problem);
                if let Some(object) = value.as_object_mut() {
                    object.insert("kind".into(), "problem".into());
                    object.insert("message".into(), self.sentence().into());
                }
                return value;
            }
            Self::Certificate(_) => "certificate",
            Self::TimedOut(_) => "timed_out",
            Self::Usage(_) => "usage",
            Self::Io(_) => "io",
            Self::OutputClosed => "output_closed",
        };
        serde_json::json!({ "kind": kind, "message": self.sentence() })
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

/// A title as the first sentence of several.
fn ended(title: &str) -> String {
    if title.ends_with(['.', '?', '!']) {
        title.to_owned()
    } else {
        format!("{title}.")
    }
}

fn as_value<T: serde::Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use sotto_api::Problem;

    use super::*;

    #[test]
    fn each_kind_of_failure_has_the_exit_status_that_the_help_names() {
        let refused = |kind| Failure::Refused(ApiError::new(kind, "No.")).status();
        assert_eq!(refused(ErrorKind::Refused), 1);
        assert_eq!(refused(ErrorKind::WrongPassphrase), 3);
        assert_eq!(refused(ErrorKind::NoProfile), 3);
        assert_eq!(refused(ErrorKind::Offline), 4);
        assert_eq!(Failure::Usage(String::new()).status(), 2);
        assert_eq!(problem().status(), 4);
        assert_eq!(Failure::Certificate(String::new()).status(), 5);
        assert_eq!(Failure::TimedOut(String::new()).status(), 6);
    }

    #[test]
    fn a_problem_is_told_with_the_words_of_the_server_last() {
        assert_eq!(
            problem().sentence(),
            "Password not accepted. Check it and try again.\nThe server's words: not-authorized"
        );
    }

    #[test]
    fn a_problem_keeps_its_name_for_programs() {
        let json = problem().to_json();
        assert_eq!(json["kind"], "problem");
        assert_eq!(json["problem"], "wrong_password");
    }

    fn problem() -> Failure {
        Failure::Problem(ProblemView {
            problem: Problem::WrongPassword,
            title: "Password not accepted".into(),
            text: "Check it and try again.".into(),
            details: "not-authorized".into(),
        })
    }
}
