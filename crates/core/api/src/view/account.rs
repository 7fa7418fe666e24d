use serde::{Deserialize, Serialize};

use crate::error::Problem;
use crate::id::{AccountId, QuestionId, RegistrationId, Timestamp};
use crate::request::AccountSettings;
use crate::view::people::Availability;

/// A row of `networks.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkView {
    /// Stable name, for example `xmpp`, `google-talk`.
    pub id: String,
    /// As people call it.
    pub name: String,
    /// One sentence on what it is.
    pub summary: String,
    /// Example of an address, for the field's placeholder.
    pub example: String,
    /// Whether an account can be made from inside.
    pub can_register: bool,
    /// A page on which to sign up, where there is one.
    pub sign_up: Option<String>,
    /// A page that explains it, where there is one.
    #[serde(default)]
    pub help: Option<String>,
    /// Whether it can be used.
    pub status: NetworkStatus,
}

/// Whether a network can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum NetworkStatus {
    /// Yes.
    Active,
    /// Not yet in this version of the program.
    Planned,
    /// Its owner closed it to other programs.
    Withdrawn {
        /// In which year.
        year: u16,
        /// One sentence.
        reason: String,
        /// What to do instead.
        instead: String,
    },
}

/// A server on which an account can be made, from the bundled list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerView {
    /// Its domain.
    pub domain: String,
    /// Who runs it, where, and what it asks: one sentence.
    pub about: String,
}

/// An account as a shell shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// The network's id.
    pub network: String,
    /// Its address.
    pub address: String,
    /// Whether it should be online.
    pub enabled: bool,
    /// Whether a password is stored.
    pub remembered: bool,
    /// Where it stands.
    pub state: AccountState,
    /// The state in plain words, for example *Online* or *No connection. The next try is in 20 seconds.*
    pub state_text: String,
    /// What went wrong last, worded; absent when nothing did.
    pub problem: Option<ProblemView>,
    /// My own status on this account.
    pub availability: Availability,
    /// My own line.
    pub status_text: String,
    /// My picture's hash, if I have one.
    pub avatar: Option<String>,
    /// The advanced page; secrets in it are blanked in a view.
    pub settings: AccountSettings,
    /// Whether the password can be changed from here.
    pub password_change: PasswordChange,
    /// How the connection is protected, for the details page, for example `TLS 1.3, SCRAM-SHA-256`. Empty when offline.
    pub connection: String,
    /// Certificates that were accepted for ever for this account, SHA-256 in groups.
    pub accepted_certificates: Vec<String>,
}

/// Where an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AccountState {
    /// Switched off by the person.
    Disabled,
    /// On its way: resolving, connecting, signing in.
    Connecting,
    /// Signed in.
    Online,
    /// Lost; tries again by itself.
    Waiting {
        /// When.
        retry_at: Timestamp,
    },
    /// Waits for the password: none stored, or refused.
    NeedsPassword,
    /// Waits for an answer about a certificate.
    NeedsAnswer,
    /// Stopped by a problem that will not go away by itself.
    Stopped,
}

/// Whether the password can be changed from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordChange {
    /// Yes.
    Possible,
    /// No; the reason in a sentence.
    Impossible(String),
}

/// A problem, worded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemView {
    /// For programs.
    #[serde(flatten)]
    pub problem: Problem,
    /// What happened, in a few words.
    pub title: String,
    /// Why, and what to do.
    pub text: String,
    /// The server's own words or a technical cause, for *Details*; untrusted, may be empty.
    pub details: String,
}

/// A registration under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationView {
    /// Its id.
    pub id: RegistrationId,
    /// The server's domain.
    pub server: String,
    /// Where it stands.
    pub state: RegistrationState,
    /// What went wrong last; the form stays and what was typed is kept by the shell.
    pub problem: Option<ProblemView>,
}

/// Where a registration stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RegistrationState {
    /// Connecting and asking for the form.
    Connecting,
    /// The form is here.
    Form {
        /// As the server sent it.
        form: FormView,
    },
    /// The answers are on their way.
    Submitting,
    /// The account was made, added, and signs in.
    Done {
        /// The new account.
        account: AccountId,
    },
    /// It cannot go on; `problem` says why.
    Failed,
}

/// A registration form: plain fields, or a data form (XEP-0004), perhaps with a CAPTCHA (XEP-0158).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormView {
    /// The server's title; untrusted plain text.
    pub title: String,
    /// The server's instructions; untrusted plain text.
    pub instructions: String,
    /// In the server's order.
    pub fields: Vec<FormField>,
    /// A page on which to register instead (XEP-0066), opened only after a question.
    pub page: Option<String>,
}

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormField {
    /// The name under which its answer is sent.
    pub name: String,
    /// The server's label; untrusted plain text.
    pub label: String,
    /// What to draw.
    pub kind: FieldKind,
    /// Must be filled.
    pub required: bool,
    /// Prefilled by the server.
    pub value: String,
    /// Choices, where `kind` is a list: value and label.
    pub options: Vec<(String, String)>,
    /// A CAPTCHA's picture or a CAPTCHA's sound, base64, with its media type first.
    pub media: Option<(String, String)>,
}

/// What to draw for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(
    missing_docs,
    reason = "the names are those of XEP-0004 §3.3, or say it"
)]
pub enum FieldKind {
    /// The wanted name of the account.
    Username,
    /// The password: entered twice by the shell, sent once.
    Password,
    Text,
    Private,
    Multi,
    Boolean,
    List,
    ListMulti,
    /// Text to read, nothing to fill.
    Fixed,
    /// Not shown; its value is sent back.
    Hidden,
}

/// One answer to a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormAnswer {
    /// The field's name.
    pub name: String,
    /// The value; several for `ListMulti`, lines for `Multi`. A password is among them.
    pub values: Vec<crate::Secret>,
}

/// A question that waits for the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuestionView {
    /// Nobody vouches for this certificate, or it is not the one known.
    Certificate {
        /// Its id.
        id: QuestionId,
        /// For which account; absent while an account is being made.
        account: Option<AccountId>,
        /// The domain that should have been proved.
        domain: String,
        /// What is wrong, in a sentence.
        reason: String,
        /// What the server shows now.
        now: Box<CertificateView>,
        /// What it showed before, where that is known.
        before: Option<Box<CertificateSummary>>,
    },
}

/// A certificate, readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    /// The short form.
    #[serde(flatten)]
    pub summary: CertificateSummary,
    /// All names it is for.
    pub names: Vec<String>,
    /// The chain, leaf first, PEM, for *Show the whole certificate*.
    pub pem: String,
}

/// What is kept of a certificate to say later what changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateSummary {
    /// For whom: the first name.
    pub subject: String,
    /// By whom; *itself (nobody vouches)* when self-signed.
    pub issuer: String,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// SHA-256 of the certificate, 64 hexadecimal digits.
    pub sha256: String,
    /// SHA-256 of its public key (SubjectPublicKeyInfo), 64 hexadecimal digits: what an exception is bound to.
    pub key_sha256: String,
}
