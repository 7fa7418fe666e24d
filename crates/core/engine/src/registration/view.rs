//! A registration as a shell shows it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sotto_api::RegistrationId;
use sotto_api::view::{
    FieldKind as ViewKind, FormField, FormView, RegistrationState, RegistrationView,
};
use sotto_xmpp::register::{Field, FieldKind, Form, Media};

use super::attempt::{Attempt, Stage, can_be_filled};
use crate::{text, words};

impl Attempt {
    pub fn view(&self, id: RegistrationId) -> RegistrationView {
        RegistrationView {
            id,
            server: self.domain().to_owned(),
            state: match (self.stage, &self.form) {
                (Stage::Form, Some(form)) => RegistrationState::Form {
                    form: self.form_view(form),
                },
                (Stage::Submitting, _) => RegistrationState::Submitting,
                (Stage::Done(account), _) => RegistrationState::Done { account },
                (Stage::Failed, _) => RegistrationState::Failed,
                (Stage::Connecting | Stage::Asking | Stage::Form, _) => {
                    RegistrationState::Connecting
                }
            },
            problem: self.problem.clone(),
        }
    }

    fn form_view(&self, form: &Form) -> FormView {
        FormView {
            title: text::clean_line(&form.title),
            instructions: text::clean(&form.instructions),
            // Without a name and a password to fill only the page is of use.
            fields: if can_be_filled(form) {
                form.fields
                    .iter()
                    .enumerate()
                    .filter(|(_, field)| field.kind != FieldKind::Hidden)
                    .map(|(place, shown)| field(shown, self.picture(place)))
                    .collect()
            } else {
                Vec::new()
            },
            page: form
                .page
                .as_deref()
                .and_then(crate::links::target)
                .map(|target| target.text),
        }
    }
}

fn field(field: &Field, picture: Option<&[u8]>) -> FormField {
    let label = if field.label.is_empty() {
        words::form_label(&field.name).to_owned()
    } else {
        text::clean_line(&field.label)
    };
    FormField {
        name: field.name.clone(),
        label,
        kind: kind(field.kind),
        required: field.required,
        value: text::clean(&field.values.join("\n")),
        options: field
            .options
            .iter()
            .map(|(value, label)| (value.clone(), text::clean_line(label)))
            .collect(),
        media: field.media.as_ref().and_then(|came| media(came, picture)),
    }
}

/// A CAPTCHA that came over the stream. Pictures are written anew, like all foreign pictures, and shown when
/// that is done; one that does not decode is not shown. Nothing is fetched.
fn media(media: &Media, picture: Option<&[u8]>) -> Option<(String, String)> {
    let Media::Data { media_type, bytes } = media else {
        return None;
    };
    if media_type.starts_with("image/") {
        return Some(("image/png".into(), STANDARD.encode(picture?)));
    }
    let known = ["audio/ogg", "audio/mpeg", "audio/x-wav", "audio/wav"];
    known
        .contains(&media_type.as_str())
        .then(|| (media_type.clone(), STANDARD.encode(bytes)))
}

fn kind(kind: FieldKind) -> ViewKind {
    match kind {
        FieldKind::Username => ViewKind::Username,
        FieldKind::Password => ViewKind::Password,
        FieldKind::Text => ViewKind::Text,
        FieldKind::Private => ViewKind::Private,
        FieldKind::Multi => ViewKind::Multi,
        FieldKind::Boolean => ViewKind::Boolean,
        FieldKind::List => ViewKind::List,
        FieldKind::ListMulti => ViewKind::ListMulti,
        FieldKind::Fixed => ViewKind::Fixed,
        FieldKind::Hidden => ViewKind::Hidden,
    }
}
