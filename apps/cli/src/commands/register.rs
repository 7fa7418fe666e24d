//! `sotto-cli account create`: the server's form, its answers, and another try when a name is taken.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use sotto_api::view::{
    FieldKind, FormAnswer, FormField, FormView, RegistrationState, RegistrationView,
};
use sotto_api::{
    AccountId, AccountSettings, ApiError, ErrorKind, Event, RegistrationId, Reply, Request, Secret,
};

use crate::failure::{Done, Failure};
use crate::output::text;
use crate::session::{Session, unexpected};

/// What is known before the server shows its form.
pub(super) struct Plan {
    /// The server's domain.
    pub server: String,
    /// The wanted name.
    pub username: Option<String>,
    /// Answers to other fields.
    pub answers: Vec<(String, String)>,
    /// Where to write the picture or sound of a CAPTCHA.
    pub captcha_file: Option<PathBuf>,
    /// Keep the password.
    pub remember: bool,
    /// The advanced page.
    pub settings: AccountSettings,
}

/// What the person has given so far; it outlives a refusal.
#[derive(Default)]
struct Typed {
    answers: BTreeMap<String, String>,
    passwords: BTreeMap<String, Secret>,
    /// The form went to the server at least once.
    once: bool,
}

/// Creates the account.
pub(super) fn run<W: Write>(plan: Plan, session: &mut Session<'_, W>) -> Done<AccountId> {
    let reply = session.call(Request::RegistrationStart {
        server: plan.server,
        settings: plan.settings,
    })?;
    let Reply::Registration(mut view) = reply else {
        return Err(unexpected());
    };
    let mut typed = Typed {
        answers: plan.answers.into_iter().collect(),
        ..Typed::default()
    };
    let mut username = plan.username;
    loop {
        view = settled(session, view)?;
        match view.state {
            RegistrationState::Done { account } => return Ok(account),
            RegistrationState::Failed => {
                return Err(view.problem.map_or_else(unexpected, Failure::Problem));
            }
            RegistrationState::Connecting | RegistrationState::Submitting => {}
            RegistrationState::Form { form } => {
                if let Some(problem) = view.problem {
                    let failure = Failure::Problem(problem);
                    if typed.once && !session.asker.interactive() {
                        cancel(session, view.id);
                        return Err(failure);
                    }
                    session.out.remark(&failure.sentence());
                }
                if let (Some(name), Some(field)) = (username.take(), field_of(&form)) {
                    typed.answers.insert(field, name);
                }
                let answers = fill(&form, &mut typed, plan.captcha_file.as_ref(), session)?;
                typed.once = true;
                let reply = session.call(Request::RegistrationSubmit {
                    registration: view.id,
                    answers,
                    remember: plan.remember,
                })?;
                let Reply::Registration(next) = reply else {
                    return Err(unexpected());
                };
                view = next;
                continue;
            }
        }
        let request = Request::RegistrationView {
            registration: view.id,
        };
        let Reply::Registration(next) = session.call(request)? else {
            return Err(unexpected());
        };
        view = next;
    }
}

/// Waits until the registration needs something, answering questions about certificates on the way.
fn settled<W: Write>(
    session: &mut Session<'_, W>,
    mut view: RegistrationView,
) -> Done<RegistrationView> {
    let mut deadline = session.deadline();
    while matches!(
        view.state,
        RegistrationState::Connecting | RegistrationState::Submitting
    ) {
        let event = session.next_event(deadline);
        match event {
            Some(Event::QuestionsChanged) => {
                session.answer_certificate(None)?;
                deadline = session.deadline();
            }
            Some(_) => {}
            None => {
                cancel(session, view.id);
                return Err(Failure::TimedOut(format!(
                    "{} did not answer within {} seconds.",
                    view.server,
                    session.limit.as_secs()
                )));
            }
        }
        let request = Request::RegistrationView {
            registration: view.id,
        };
        match session.call(request)? {
            Reply::Registration(next) => view = next,
            _ => return Err(unexpected()),
        }
    }
    Ok(view)
}

fn cancel<W: Write>(session: &Session<'_, W>, registration: RegistrationId) {
    // The program ends anyway; the engine only gets the chance to close the stream politely.
    let _ = session.call(Request::RegistrationCancel { registration });
}

fn field_of(form: &FormView) -> Option<String> {
    form.fields
        .iter()
        .find(|f| f.kind == FieldKind::Username)
        .map(|f| f.name.clone())
}

/// Answers every field: from what is kept, from the person, or from what the server prefilled.
fn fill<W: Write>(
    form: &FormView,
    typed: &mut Typed,
    captcha_file: Option<&PathBuf>,
    session: &mut Session<'_, W>,
) -> Done<Vec<FormAnswer>> {
    let head = text::form(form);
    if !head.is_empty() && !typed.once {
        session.out.remark(&head);
    }
    let mut answers = Vec::new();
    for field in &form.fields {
        let values = match field.kind {
            FieldKind::Fixed => continue,
            FieldKind::Hidden => vec![Secret::new(field.value.clone())],
            FieldKind::Password => {
                let password = match typed.passwords.get(&field.name) {
                    Some(password) => password.clone(),
                    None => session.asker.new_secret(&text_of(field))?,
                };
                typed.passwords.insert(field.name.clone(), password.clone());
                vec![password]
            }
            FieldKind::Private => vec![session.asker.secret(&text_of(field))?],
            _ => {
                show_media(field, captcha_file, session)?;
                let value = visible(field, typed, session)?;
                typed.answers.insert(field.name.clone(), value.clone());
                match field.kind {
                    FieldKind::ListMulti => value
                        .split(',')
                        .map(|v| Secret::new(v.trim().to_owned()))
                        .collect(),
                    _ => vec![Secret::new(value)],
                }
            }
        };
        answers.push(FormAnswer {
            name: field.name.clone(),
            values,
        });
    }
    Ok(answers)
}

fn visible<W: Write>(
    field: &FormField,
    typed: &Typed,
    session: &mut Session<'_, W>,
) -> Done<String> {
    let known = typed.answers.get(&field.name).cloned();
    // What was given as an argument is not asked for; after a refusal all that can be seen is asked for again.
    if let (Some(value), true) = (&known, !typed.once || !session.asker.interactive()) {
        return Ok(value.clone());
    }
    let offered = known.unwrap_or_else(|| field.value.clone());
    loop {
        match session.asker.line(&text::field(field, &offered))? {
            Some(line) if line.is_empty() && (!offered.is_empty() || !field.required) => {
                return Ok(offered);
            }
            Some(line) if line.is_empty() => {}
            Some(line) => return Ok(line),
            None if !offered.is_empty() || !field.required => return Ok(offered),
            None => {
                return Err(Failure::Refused(ApiError::new(
                    ErrorKind::Invalid,
                    format!(
                        "The server asks for “{0}”. Give it with --answer {0}=VALUE.",
                        text::plain(&field.name)
                    ),
                )));
            }
        }
    }
}

fn show_media<W: Write>(
    field: &FormField,
    captcha_file: Option<&PathBuf>,
    session: &mut Session<'_, W>,
) -> Done {
    let Some((media_type, data)) = &field.media else {
        return Ok(());
    };
    let path = match captcha_file {
        Some(path) => path.clone(),
        None => {
            let prompt = format!(
                "The server wants a look at a picture or sound ({}). Write it to which file?",
                text::plain(media_type)
            );
            match session.asker.line(&prompt)? {
                Some(line) if !line.trim().is_empty() => PathBuf::from(line.trim()),
                _ => return Ok(()),
            }
        }
    };
    let bytes = base64(data)
        .ok_or_else(|| Failure::Io("The server's picture could not be read.".to_owned()))?;
    std::fs::write(&path, bytes)
        .map_err(|e| Failure::Io(format!("{} cannot be written: {e}.", path.display())))?;
    session.out.remark(&format!("Look at {}.", path.display()));
    Ok(())
}

fn text_of(field: &FormField) -> String {
    let label = if field.label.is_empty() {
        &field.name
    } else {
        &field.label
    };
    text::plain(label)
}

/// Decodes base64 (RFC 4648 §4), line breaks allowed; `None` for anything else.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' | b'\r' | b'\n' | b' ' => continue,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_as_the_vectors_of_rfc_4648_say() {
        for (text, plain) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9v\r\nYmFy", "foobar"),
        ] {
            assert_eq!(base64(text).unwrap(), plain.as_bytes(), "{text}");
        }
        assert_eq!(base64("Zm9v*"), None);
    }
}
