//! Answers to questions about certificates: given beforehand, or by a person who looks at it.

use std::io::Write;

use sotto_api::view::{CertificateView, QuestionView};
use sotto_api::{AccountId, CertificateAnswer, QuestionId, Reply, Request};

use super::{Session, unexpected};
use crate::failure::{Done, Failure};
use crate::output::text;

impl<W: Write> Session<'_, W> {
    /// Answers the question about a certificate that waits for this account (or for the registration under
    /// way, without one).
    ///
    /// # Errors
    /// When the answer is no, or nobody can give one.
    pub fn answer_certificate(&mut self, of: Option<AccountId>) -> Done {
        let Reply::Questions(questions) = self.call(Request::QuestionList {})? else {
            return Err(unexpected());
        };
        for question in questions {
            let QuestionView::Certificate {
                id,
                account,
                domain,
                reason,
                now,
                before,
            } = question
            else {
                continue;
            };
            if account != of {
                continue;
            }
            if self.accepted_beforehand(&now) {
                return self.reply_to(id, CertificateAnswer::Always);
            }
            let mut words = format!(
                "{reason}\nThe server shows this certificate for {domain}:\n{}",
                text::certificate(&now, &self.zone)
            );
            if let Some(before) = before {
                words.push_str(&format!(
                    "\nThe one known so far:\n  for:     {}\n  by:      {}\n  SHA-256: {}",
                    before.subject,
                    before.issuer,
                    text::grouped(&before.sha256)
                ));
            }
            let answer = self.ask_about(&words)?;
            self.reply_to(id, answer)?;
            if answer == CertificateAnswer::Reject {
                return Err(Failure::Certificate(
                    "The certificate was rejected; nothing was sent to the server.".to_owned(),
                ));
            }
            return Ok(());
        }
        // Answered meanwhile by another shell: the account's next state tells.
        Ok(())
    }

    fn ask_about(&mut self, words: &str) -> Done<CertificateAnswer> {
        self.out.remark(words);
        loop {
            let prompt = "Reject it (r), accept it this time (t), or always for this account (a)?";
            let Some(line) = self.asker.line(prompt)? else {
                return Err(Failure::Certificate(format!(
                    "{words}\nCompare it with what the server's owner says. If it is right, run this again with \
                     --accept-certificate and its SHA-256."
                )));
            };
            match line.trim().to_lowercase().as_str() {
                "r" | "reject" => return Ok(CertificateAnswer::Reject),
                "t" | "this time" => return Ok(CertificateAnswer::ThisTime),
                "a" | "always" => return Ok(CertificateAnswer::Always),
                _ => {}
            }
        }
    }

    fn accepted_beforehand(&self, certificate: &CertificateView) -> bool {
        let summary = &certificate.summary;
        let shown = [hex(&summary.sha256), hex(&summary.key_sha256)];
        self.accept
            .iter()
            .map(|given| hex(given))
            .any(|given| given.len() == 64 && shown.contains(&given))
    }

    fn reply_to(&self, question: QuestionId, answer: CertificateAnswer) -> Done {
        self.call(Request::CertificateAnswer { question, answer })?;
        Ok(())
    }
}

/// Only the digits, in lower case: people write fingerprints with colons, spaces and capitals.
fn hex(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_hexdigit)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}
