//! Questions about certificates: what a server shows, beside what it showed before.

use slint::{ComponentHandle, SharedString};
use sotto_api::view::{CertificateSummary, CertificateView, QuestionView};
use sotto_api::{CertificateAnswer, QuestionId, Reply, Request, Timestamp};

use super::{About, Opening, close, next, present};
use crate::pages::{Pages, model};
use crate::{CertificateLine, DialogKind, Dialogs, PageWords, Words};

/// Reads the questions that wait, and shows the first if nothing else is open.
pub(in crate::pages) fn read_questions(pages: &Pages) {
    pages.ask(Request::QuestionList {}, |pages, result| {
        if let Ok(Reply::Questions(questions)) = result {
            let about = {
                let mut state = pages.state.borrow_mut();
                state.dialogs.questions = questions;
                state.dialogs.about.clone()
            };
            // Answered elsewhere, by another shell: the dialog has nothing more to ask.
            if let About::Certificate(question) = about
                && !pages
                    .state
                    .borrow()
                    .dialogs
                    .questions
                    .iter()
                    .any(|q| id(q) == question)
            {
                close(pages);
            } else {
                next(pages);
            }
        }
    });
}

/// A number for every question; that of an unknown kind is nobody's.
pub(super) fn id(question: &QuestionView) -> QuestionId {
    match question {
        QuestionView::Certificate { id, .. } => *id,
        _ => QuestionId(-1),
    }
}

/// Shows what differs, and asks.
pub(super) fn show(
    pages: &Pages,
    question: QuestionId,
    domain: &str,
    reason: &str,
    now: &CertificateView,
    before: Option<&CertificateSummary>,
) {
    let Some(ui) = pages.ui() else { return };
    let words = ui.global::<PageWords>();
    let title = words.invoke_other_certificate(domain.into(), before.is_some());
    present(
        pages,
        Opening {
            kind: DialogKind::Certificate,
            about: About::Certificate(question),
            title,
            lead: reason.into(),
            note: words.get_ask_operators(),
            ..Opening::default()
        },
    );
    let date = |at: Timestamp| -> SharedString {
        let Ok(at) = jiff::Timestamp::from_millisecond(at.0) else {
            return "?".into();
        };
        let at = at.to_zoned(jiff::tz::TimeZone::UTC);
        ui.global::<Words>().invoke_date_year(
            at.day().into(),
            at.month().into(),
            at.year().to_string().into(),
        )
    };
    let valid =
        |c: &CertificateSummary| words.invoke_from_to(date(c.not_before), date(c.not_after));
    let names = if now.names.is_empty() {
        now.summary.subject.clone()
    } else {
        now.names.join(", ")
    };
    let line =
        |label: SharedString, before: Option<SharedString>, now: SharedString| CertificateLine {
            label,
            differs: before.as_ref().is_some_and(|b| *b != now),
            before: before.unwrap_or_default(),
            now,
        };
    let dialogs = ui.global::<Dialogs>();
    dialogs.set_has_before(before.is_some());
    dialogs.set_pem(now.pem.as_str().into());
    dialogs.set_lines(model(vec![
        line(
            words.get_for_whom(),
            before.map(|b| b.subject.as_str().into()),
            if before.is_some() {
                now.summary.subject.as_str().into()
            } else {
                names.into()
            },
        ),
        line(
            words.get_issued_by(),
            before.map(|b| b.issuer.as_str().into()),
            now.summary.issuer.as_str().into(),
        ),
        line(words.get_valid(), before.map(valid), valid(&now.summary)),
        line(
            words.get_print(),
            before.map(|b| print_of(&b.sha256).into()),
            print_of(&now.summary.sha256).into(),
        ),
    ]));
}

/// Sixteen groups of four digits, four groups a line, to be read aloud.
fn print_of(hex: &str) -> String {
    let digits: Vec<char> = hex
        .chars()
        .filter(char::is_ascii_hexdigit)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let groups: Vec<String> = digits.chunks(4).map(|g| g.iter().collect()).collect();
    groups
        .chunks(4)
        .map(|line| line.join(" "))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Answers the open question.
pub(super) fn answer(pages: &Pages, answer: CertificateAnswer) {
    let about = pages.state.borrow().dialogs.about.clone();
    if let About::Certificate(question) = about {
        pages
            .state
            .borrow_mut()
            .dialogs
            .questions
            .retain(|q| id(q) != question);
        pages.ask(
            Request::CertificateAnswer { question, answer },
            |pages, result| {
                if let Err(error) = result {
                    pages.toast(error.message.into());
                }
            },
        );
        close(pages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_as_four_lines_of_four_groups() {
        let print = print_of(&"0a1B".repeat(16));
        assert_eq!(print.lines().count(), 4);
        assert_eq!(print.lines().next(), Some("0A1B 0A1B 0A1B 0A1B"));
    }
}
