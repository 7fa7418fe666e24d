use sotto_api::view::{AccountState, ProblemView};
use sotto_api::{ApiError, ErrorKind, Field, Problem, Timestamp};

use super::time::span;
use crate::networks::Network;
use crate::text::{clean, isolate};

/// What a problem is worded with.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProblemContext<'a> {
    /// The server's domain.
    pub server: &'a str,
    /// The network, for its hint about application passwords.
    pub network: Option<&'a Network>,
    /// The server's own words or a technical cause; untrusted, may be empty.
    pub details: &'a str,
}

/// A problem in words: what happened, why, and what to do.
pub fn problem(problem: &Problem, context: ProblemContext<'_>) -> ProblemView {
    let server = if context.server.is_empty() {
        "The server".to_owned()
    } else {
        isolate(context.server)
    };
    let (title, text) = sentences(problem, &server);
    let mut text = text;
    if *problem == Problem::WrongPassword
        && let Some(hint) = context.network.and_then(Network::app_password)
    {
        text.push(' ');
        text.push_str(&hint.text);
        if let Some(page) = &hint.page {
            text.push_str(" Its page: ");
            text.push_str(page);
        }
    }
    ProblemView {
        problem: problem.clone(),
        title: title.into(),
        text,
        details: clean(context.details),
    }
}

fn sentences(problem: &Problem, server: &str) -> (&'static str, String) {
    match problem {
        Problem::WrongPassword => (
            "Password not accepted",
            format!(
                "{server} did not accept this password. Nothing was deleted. Check it and try again."
            ),
        ),
        Problem::NoPassword => (
            "Password needed",
            format!("Sotto has no password for {server}. Enter it to sign in."),
        ),
        Problem::AccountDisabled => (
            "Account switched off",
            format!(
                "{server} has switched this account off, or its password has expired there. Ask those who run \
                 {server}. Nothing was deleted here."
            ),
        ),
        Problem::MechanismTooWeak => (
            "No safe way to sign in",
            format!(
                "{server} offers no way to sign in that keeps your password to yourself, so it was not sent. If \
                 you trust this server with the password itself, allow PLAIN on the advanced page of the account."
            ),
        ),
        Problem::Downgrade => (
            "Weaker than before",
            format!(
                "{server} now offers weaker protection than it did before. Somebody in between may have changed \
                 it. Sotto stopped in time; your password was not sent. Ask those who run {server} whether they \
                 changed something, and try again later or from another network."
            ),
        ),
        Problem::ServerNotAuthentic => (
            "Server not proved",
            format!(
                "{server} could not prove that it knows your password, so it may not be the real one. Sotto \
                 broke the connection. Try again from another network."
            ),
        ),
        Problem::NoEncryption => (
            "No encryption",
            format!("{server} offers no encrypted connection. Nothing was sent."),
        ),
        Problem::Certificate => (
            "Certificate not accepted",
            format!("Nobody vouches for the certificate of {server}. Your password was not sent."),
        ),
        Problem::UnknownServer => (
            "No such server",
            format!(
                "There is no server called {server}. Check the part of the address after the @."
            ),
        ),
        Problem::DnsFailed => (
            "Name service silent",
            format!("The address of {server} could not be looked up. Check the network."),
        ),
        Problem::Unreachable => (
            "No connection",
            format!("{server} does not answer. The network or the server may be down."),
        ),
        Problem::ConnectionLost => (
            "Connection lost",
            format!("The connection to {server} ended."),
        ),
        Problem::TimedOut => ("No answer", format!("{server} took too long to answer.")),
        Problem::Proxy => (
            "Proxy",
            format!(
                "The proxy did not make a connection to {server}. Check that it runs, and its address on the \
                 advanced page of the account. Nothing was sent beside it."
            ),
        ),
        Problem::ServerUnavailable => (
            "Server not available",
            format!("{server} takes nobody in at the moment. It may come back by itself."),
        ),
        Problem::ReplacedElsewhere => (
            "Signed in elsewhere",
            format!(
                "Another program signed in to {server} under the same name as this one, and took its place. If \
                 that was you, sign in there or here; if not, change your password."
            ),
        ),
        Problem::Forbidden => (
            "Not allowed",
            format!("{server} does not allow this connection. Ask those who run it."),
        ),
        Problem::HostUnknown => (
            "Wrong server",
            format!(
                "The server that answered does not serve {server}. Check the part of the address after the @, and \
                 the server on the advanced page."
            ),
        ),
        Problem::ProtocolViolation => (
            "Not understood",
            format!(
                "{server} answered in a way that Sotto does not understand, so the connection was closed."
            ),
        ),
        Problem::NameTaken => (
            "Name taken",
            format!(
                "Somebody already has this name on {server}. Choose another; the rest is still there."
            ),
        ),
        Problem::NameInvalid => (
            "Name not possible",
            format!(
                "{server} does not take this name. Letters a to z and digits are safe; leave out spaces and @. \
                 The rest is still there."
            ),
        ),
        Problem::RegistrationClosed => (
            "No new accounts here",
            format!("{server} makes no new accounts from a program. Choose another server."),
        ),
        Problem::RegistrationWait => (
            "Wait a while",
            format!(
                "{server} makes no more accounts from your network for now. Wait an hour or so and try again, or \
                 choose another server."
            ),
        ),
        Problem::FormRejected => (
            "Not accepted",
            format!(
                "{server} did not accept the answers. Look at what it asks, above all at letters in a picture, and \
                 try again."
            ),
        ),
        // `Problem` may grow; the details carry what is known.
        _ => ("Problem", format!("{server} could not be used.")),
    }
}

/// The state of an account in words.
///
/// `problem` is why, where the state does not say it; `now` counts down the next try.
pub fn account_state(
    state: &AccountState,
    problem: Option<&ProblemView>,
    now: Timestamp,
) -> String {
    match state {
        AccountState::Disabled => "Off".into(),
        AccountState::Connecting => "Signing in…".into(),
        AccountState::Online => "Online".into(),
        AccountState::Waiting { retry_at } => {
            let left = retry_at.0.saturating_sub(now.0);
            let next = if left <= 0 {
                "Trying again.".to_owned()
            } else {
                format!("The next try is in {}.", span(left))
            };
            match problem.map(|view| &view.problem) {
                None | Some(Problem::Unreachable | Problem::ConnectionLost) => {
                    format!("No connection. {next}")
                }
                Some(_) => {
                    let title = problem.map_or("", |view| view.title.as_str());
                    format!("{title}. {next}")
                }
            }
        }
        AccountState::NeedsPassword => match problem.map(|view| &view.problem) {
            Some(Problem::WrongPassword) => "Password not accepted".into(),
            _ => "Waits for the password".into(),
        },
        AccountState::NeedsAnswer => "Waits for your answer about a certificate".into(),
        AccountState::Stopped => match problem {
            Some(view) => view.title.clone(),
            None => "Stopped".into(),
        },
    }
}

/// What is wrong with a certificate, in words.
///
/// `technical` is the cause as the TLS layer names it. `changed`: another key was accepted here before.
pub fn certificate_reason(technical: &str, domain: &str, changed: bool) -> String {
    let domain = isolate(domain);
    let key: String = technical
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let has = |word: &str| key.contains(word);
    let fault = if has("notvalidyet") {
        format!("The certificate of {domain} is not valid yet. Check the clock of this computer.")
    } else if has("expired") {
        format!("The certificate of {domain} has expired.")
    } else if has("notvalidforname")
        || has("wrongname")
        || has("namemismatch")
        || has("notvalidfor")
    {
        format!("The certificate is for another name, not for {domain}.")
    } else if has("revoked") {
        format!("The certificate of {domain} was withdrawn by those who issued it.")
    } else if has("selfsigned") || has("causedasendentity") {
        format!("{domain} vouches only for itself: nobody else has signed its certificate.")
    } else if has("unknownissuer") || has("unknownca") || has("issuer") {
        format!(
            "The certificate of {domain} was issued by somebody whom this computer does not know."
        )
    } else if has("badsignature") || has("signature") {
        format!("The signature of the certificate of {domain} does not hold.")
    } else {
        format!("The certificate of {domain} cannot be trusted.")
    };
    if changed {
        format!(
            "{domain} shows a different certificate. Sotto stopped in time; your password was not sent. {fault}"
        )
    } else {
        format!("{fault} Your password was not sent.")
    }
}

/// Why the password cannot be changed from here.
pub fn password_change_off(server: &str, online: bool) -> String {
    let server = isolate(server);
    if online {
        format!(
            "{server} does not let programs change the password. Use its page, or ask those who run it."
        )
    } else {
        "Sign in first: the server must agree to the new password.".into()
    }
}

/// The server took the new password, but it could not be stored here.
pub fn password_changed_not_stored(server: &str) -> String {
    format!(
        "{} has the new password from now on, but Sotto could not store it. Keep it in mind: you will be asked \
         for it at the next sign-in.",
        isolate(server)
    )
}

/// The server does not like the new password.
pub fn password_rejected(server: &str, theirs: &str) -> ApiError {
    let server = isolate(server);
    let theirs = isolate(theirs);
    let mut text = format!(
        "{server} does not accept this password. The old one still holds. Try a longer one."
    );
    if !theirs.is_empty() {
        text.push_str(" It said: ");
        text.push_str(&theirs);
    }
    ApiError::new(ErrorKind::Refused, text)
}

/// No answer came to a change of the password.
pub fn password_in_doubt(server: &str) -> String {
    format!(
        "{} did not answer, so it may have the old password or the new one. If it refuses the one at the next \
         sign-in, use the other.",
        isolate(server)
    )
}

/// A password is missing.
pub fn empty_password() -> ApiError {
    ApiError::new(ErrorKind::Invalid, "Enter a password.").at(Field::Password)
}

/// A field of a form that must be filled.
pub fn empty_field(label: &str) -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        format!("This must be filled: {}.", isolate(label)),
    )
}

/// The server's name does not read.
pub fn invalid_server() -> ApiError {
    ApiError::new(
        ErrorKind::Invalid,
        "This is not the name of a server. It looks like riverside.example.",
    )
    .at(Field::Server)
}

/// Too many registrations at once.
pub fn too_many_registrations() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "Several accounts are being made already. Finish or cancel one of them first.",
    )
}

/// A registration that waits for nothing, or for something else.
pub fn registration_busy() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "The form cannot be sent now. Look at it again.",
    )
}

/// The label of a plain field of XEP-0077, which has only a name.
pub fn form_label(name: &str) -> &str {
    match name {
        "username" => "Name",
        "password" => "Password",
        "nick" => "Nickname",
        "name" => "Full name",
        "first" => "First name",
        "last" => "Family name",
        "email" => "E-mail address",
        "address" => "Street",
        "city" => "City",
        "state" => "State or region",
        "zip" => "Postal code",
        "phone" => "Telephone number",
        "url" => "Web page",
        "date" => "Date",
        "misc" | "text" => "Other",
        other => other,
    }
}

/// Title of [`made_not_added`].
pub fn made_not_added_title() -> &'static str {
    "Made there, not added here"
}

/// The server made the account, but it could not be added to the profile.
pub fn made_not_added(server: &str, why: &str) -> String {
    format!(
        "{} made the account, but it could not be added here. {why} Add it as an existing account, with the \
         same password.",
        isolate(server)
    )
}
