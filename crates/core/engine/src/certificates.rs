//! Certificates that nobody vouches for: asked about, accepted for exactly one account, domain and
//! key (S-TLS-05), remembered so that a change can be told.

use std::collections::BTreeMap;

use sotto_api::view::{CertificateSummary, CertificateView, QuestionView};
use sotto_api::{AccountId, ApiError, QuestionId, RegistrationId};
use sotto_store::row::CertSeenRow;

use crate::context::Context;
use crate::error::Fault;
use crate::words;

/// Whose connection it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Account(AccountId),
    Registration(RegistrationId),
}

/// A question that waits for the person.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub subject: Subject,
    pub domain: String,
    pub key: [u8; 32],
    view: QuestionView,
}

/// Questions that wait. They do not survive the program: the next connection asks again.
#[derive(Default)]
pub(crate) struct Questions {
    open: BTreeMap<QuestionId, Question>,
    next: i64,
    /// Accepted for ever for an account that is being made.
    kept: Vec<(RegistrationId, [u8; 32])>,
}

impl Questions {
    /// Asks. An older question of the same connection is replaced.
    pub fn ask(
        &mut self,
        cx: &mut Context,
        subject: Subject,
        domain: &str,
        reason: &str,
        chain: CertificateView,
    ) -> Result<Option<QuestionId>, Fault> {
        let Some(key) = key_of(&chain.summary) else {
            return Ok(None);
        };
        let before = match subject {
            Subject::Account(account) => cx.store.cert_seen(account, domain)?,
            Subject::Registration(_) => None,
        };
        let before: Option<CertificateSummary> = before
            .filter(|seen| seen.spki != key)
            .and_then(|seen| serde_json::from_str(&seen.json).ok());
        self.open.retain(|_, question| question.subject != subject);
        self.next += 1;
        let id = QuestionId(self.next);
        let view = QuestionView::Certificate {
            id,
            account: match subject {
                Subject::Account(account) => Some(account),
                Subject::Registration(_) => None,
            },
            domain: domain.to_owned(),
            reason: words::certificate_reason(reason, domain, before.is_some()),
            now: Box::new(chain),
            before: before.map(Box::new),
        };
        self.open.insert(
            id,
            Question {
                subject,
                domain: domain.to_owned(),
                key,
                view,
            },
        );
        cx.changes.questions();
        Ok(Some(id))
    }

    /// Takes a question away to act on its answer.
    pub fn answer(&mut self, cx: &mut Context, id: QuestionId) -> Result<Question, ApiError> {
        let question = self.open.remove(&id).ok_or_else(words::not_found)?;
        cx.changes.questions();
        Ok(question)
    }

    /// A key was accepted for ever, for the account that a registration makes.
    pub fn keep_for(&mut self, registration: RegistrationId, key: [u8; 32]) {
        self.kept.push((registration, key));
    }

    /// The keys for the account that a registration made.
    pub fn take_kept(&mut self, registration: RegistrationId) -> Vec<[u8; 32]> {
        let mut keys = Vec::new();
        self.kept.retain(|(of, key)| {
            if *of == registration {
                keys.push(*key);
            }
            *of != registration
        });
        keys
    }

    /// The connection that asked is gone or tries again: its question is void.
    pub fn withdraw(&mut self, cx: &mut Context, subject: Subject) {
        let before = self.open.len();
        self.open.retain(|_, question| question.subject != subject);
        if self.open.len() != before {
            cx.changes.questions();
        }
    }

    pub fn views(&self) -> Vec<QuestionView> {
        self.open
            .values()
            .map(|question| question.view.clone())
            .collect()
    }
}

/// Remembers the certificate that a log-in went through with.
pub(crate) fn remember_seen(
    cx: &Context,
    account: AccountId,
    domain: &str,
    certificate: &CertificateSummary,
) -> Result<(), Fault> {
    let (Some(spki), Ok(json)) = (key_of(certificate), serde_json::to_string(certificate)) else {
        return Ok(());
    };
    cx.store.cert_seen_set(
        account,
        domain,
        &CertSeenRow {
            spki,
            json,
            at: cx.timestamp(),
        },
    )?;
    Ok(())
}

/// The SHA-256 of the public key that a summary names.
fn key_of(certificate: &CertificateSummary) -> Option<[u8; 32]> {
    let hex = certificate.key_sha256.as_bytes();
    let mut key = [0; 32];
    if hex.len() != 64 {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(hex.chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(key)
}

/// A key as the details page shows it: groups of four digits.
pub(crate) fn grouped(key: &[u8; 32]) -> String {
    let mut groups = String::new();
    for (index, pair) in key.chunks(2).enumerate() {
        if index > 0 {
            groups.push(' ');
        }
        for byte in pair {
            groups.push_str(&format!("{byte:02X}"));
        }
    }
    groups
}
