use minidom::Element;

use crate::bob::Bob;
use crate::data_form::{self, DataForm, FieldType, submit_field};
use crate::dom::{self, Build, el};
use crate::ns;
use crate::refused::Refused;
use crate::text;

/// The fields of XEP-0077 §14.1 that a person fills; `key` is sent back as it came.
const LEGACY: [&str; 16] = [
    "username", "nick", "password", "name", "first", "last", "email", "address", "city", "state",
    "zip", "phone", "url", "date", "misc", "text",
];

/// A form for an account, as the server sent it. Text in it is untrusted plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// One line; may be empty.
    pub title: String,
    /// May be empty.
    pub instructions: String,
    /// In the server's order.
    pub fields: Vec<Field>,
    /// A page on which to register instead (XEP-0066): http or https only, opened only after a
    /// question.
    pub page: Option<String>,
    /// The stream is signed in to an account that exists already.
    pub registered: bool,
    data_form: bool,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name under which its answer is sent.
    pub name: String,
    /// One line; empty for the plain fields of XEP-0077, whose names are the well-known ones.
    pub label: String,
    /// What to draw.
    pub kind: FieldKind,
    /// Must be filled.
    pub required: bool,
    /// What it holds so far; never a password.
    pub values: Vec<String>,
    /// Choices: value and label.
    pub options: Vec<(String, String)>,
    /// A picture or sound to answer (XEP-0158).
    pub media: Option<Media>,
}

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "the names are those of XEP-0004 §3.3, or say it"
)]
pub enum FieldKind {
    Username,
    Password,
    Text,
    Private,
    Multi,
    Boolean,
    List,
    ListMulti,
    Fixed,
    Hidden,
}

/// A picture or sound of a CAPTCHA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Media {
    /// It came along.
    Data {
        /// Media type: `image/…` or `audio/…`.
        media_type: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// It can be asked for at the server with [`crate::bob::request`]; then [`Form::add_media`].
    ContentId(String),
}

/// An answer to a field. The values are borrowed, so that no copy of a password is made here.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// The field's name.
    pub name: &'a str,
    /// One value; several for lists, lines for [`FieldKind::Multi`].
    pub values: &'a [&'a str],
}

/// A required field has no answer: nothing was built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the field {name} must be filled")]
pub struct MissingAnswer {
    /// The field's name.
    pub name: String,
}

impl Form {
    /// Reads the payload of the answer to [`super::request`].
    ///
    /// A data form (XEP-0004) counts before the plain fields beside it, which are for programs
    /// without data forms (XEP-0077 §4).
    pub fn parse(query: &Element) -> Result<Self, Refused> {
        if !query.is("query", ns::REGISTER) {
            return Err(Refused::Malformed);
        }
        let instructions = dom::child_text(query, "instructions", ns::REGISTER, 16 * 1024)
            .map(|instructions| paragraph(&instructions))
            .unwrap_or_default();
        let page = query
            .get_child("x", ns::OOB)
            .and_then(|oob| dom::child_text(oob, "url", ns::OOB, 2048))
            .map(|url| url.trim().to_owned())
            .filter(|url| is_web_page(url));
        let registered = query.has_child("registered", ns::REGISTER);
        let data_form = query
            .children()
            .filter(|child| child.attr("type") == Some("form"))
            .find_map(DataForm::parse)
            .filter(|form| form.fields.iter().any(is_fillable));
        Ok(match data_form {
            Some(form) => Self {
                title: form.title,
                instructions: if form.instructions.is_empty() {
                    instructions
                } else {
                    form.instructions
                },
                fields: with_media(form.fields, query),
                page,
                registered,
                data_form: true,
            },
            None => Self {
                title: String::new(),
                instructions,
                fields: legacy_fields(query),
                page,
                registered,
                data_form: false,
            },
        })
    }

    /// Whether there is something to solve.
    pub fn has_captcha(&self) -> bool {
        self.fields.iter().any(|field| field.media.is_some())
    }

    /// Whether the form can be filled here; if not, [`Form::page`] is the way.
    pub fn is_fillable(&self) -> bool {
        self.fields
            .iter()
            .any(|field| field.kind == FieldKind::Username)
    }

    /// Content ids that did not come along and can be asked for.
    pub fn missing_media(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().filter_map(|field| match &field.media {
            Some(Media::ContentId(cid)) => Some(cid.as_str()),
            _ => None,
        })
    }

    /// Puts data that were asked for into place.
    pub fn add_media(&mut self, bob: &Bob) {
        for field in &mut self.fields {
            if matches!(&field.media, Some(Media::ContentId(cid)) if *cid == bob.cid) {
                field.media = media_data(bob);
            }
        }
    }

    /// Builds the payload with the answers: for an iq `set` to the server's domain.
    ///
    /// Hidden fields go back as they came; fields without an answer keep what the server put in.
    pub fn submit(&self, answers: &[Answer<'_>]) -> Result<Element, MissingAnswer> {
        let answer = |field: &Field| {
            answers
                .iter()
                .find(|answer| answer.name == field.name && field.kind != FieldKind::Hidden)
        };
        for field in self.fields.iter().filter(|field| field.required) {
            let filled = match answer(field) {
                Some(answer) => answer.values.iter().any(|value| !value.is_empty()),
                None => field.values.iter().any(|value| !value.is_empty()),
            };
            if !filled {
                return Err(MissingAnswer {
                    name: field.name.clone(),
                });
            }
        }
        let query = el("query", ns::REGISTER);
        let fields = self
            .fields
            .iter()
            .filter(|field| field.kind != FieldKind::Fixed);
        if !self.data_form {
            return Ok(fields.fold(query, |query, field| {
                let value = match answer(field) {
                    Some(answer) => answer.values.first().copied(),
                    None => field.values.first().map(String::as_str),
                };
                match legacy_name(&field.name) {
                    Some(name) => {
                        query.child(el(name, ns::REGISTER).text_of(value.unwrap_or_default()))
                    }
                    None => query,
                }
            }));
        }
        let form = fields.fold(
            el("x", ns::DATA_FORM).with("type", "submit"),
            |form, field| match answer(field) {
                Some(answer) => form.child(submit_field(&field.name, answer.values)),
                None if field.values.is_empty() => form,
                None => form.child(submit_field(&field.name, &field.values)),
            },
        );
        Ok(query.child(form))
    }
}

fn is_fillable(field: &data_form::Field) -> bool {
    !matches!(field.field_type, FieldType::Hidden | FieldType::Fixed)
}

fn legacy_name(name: &str) -> Option<&'static str> {
    LEGACY
        .into_iter()
        .chain(["key"])
        .find(|known| *known == name)
}

fn legacy_fields(query: &Element) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for child in query.children().filter(|child| child.has_ns(ns::REGISTER)) {
        let Some(name) = legacy_name(child.name()) else {
            continue;
        };
        if fields.iter().any(|field| field.name == name) {
            continue;
        }
        let kind = match name {
            "username" => FieldKind::Username,
            "password" => FieldKind::Password,
            "key" => FieldKind::Hidden,
            _ => FieldKind::Text,
        };
        let value = dom::text_of(child, 1024);
        fields.push(Field {
            name: name.to_owned(),
            label: String::new(),
            kind,
            // §3.1.1: all that are asked for must be given.
            required: kind != FieldKind::Hidden,
            values: if value.is_empty() || kind == FieldKind::Password {
                Vec::new()
            } else {
                vec![value]
            },
            options: Vec::new(),
            media: None,
        });
    }
    fields
}

fn with_media(fields: Vec<data_form::Field>, query: &Element) -> Vec<Field> {
    // ejabberd offers its picture on a web page as well, as a text and a field to fill; with the
    // picture at hand they would only confuse.
    let pictured = fields.iter().any(|field| !field.media.is_empty());
    let bobs: Vec<Bob> = query.children().filter_map(Bob::parse).take(8).collect();
    fields
        .into_iter()
        .filter(|field| !(pictured && field.var == "captcha-fallback-text"))
        .map(|field| Field {
            kind: if pictured && field.var == "captcha-fallback-url" {
                FieldKind::Hidden
            } else {
                kind_of(&field)
            },
            label: if field.label.is_empty() {
                text::one_line(&field.description, 1024)
            } else {
                field.label
            },
            required: field.required,
            media: field
                .media
                .iter()
                .find_map(|uri| media(&uri.uri, &bobs))
                .or_else(|| {
                    field.media.iter().find_map(|uri| {
                        let cid = uri.uri.strip_prefix("cid:")?;
                        Some(Media::ContentId(cid.to_owned()))
                    })
                }),
            values: if field.field_type == FieldType::TextPrivate {
                Vec::new()
            } else {
                field.values
            },
            options: field.options,
            name: field.var,
        })
        .collect()
}

fn kind_of(field: &data_form::Field) -> FieldKind {
    match (field.var.as_str(), field.field_type) {
        ("username", FieldType::TextSingle) => FieldKind::Username,
        ("password", FieldType::TextSingle | FieldType::TextPrivate) => FieldKind::Password,
        (_, FieldType::Boolean) => FieldKind::Boolean,
        (_, FieldType::Fixed) => FieldKind::Fixed,
        (_, FieldType::Hidden) => FieldKind::Hidden,
        (_, FieldType::TextMulti | FieldType::JidMulti) => FieldKind::Multi,
        (_, FieldType::ListSingle) => FieldKind::List,
        (_, FieldType::ListMulti) => FieldKind::ListMulti,
        (_, FieldType::TextPrivate) => FieldKind::Private,
        (_, FieldType::TextSingle | FieldType::JidSingle) => FieldKind::Text,
    }
}

fn media(uri: &str, bobs: &[Bob]) -> Option<Media> {
    let cid = uri.strip_prefix("cid:")?;
    media_data(bobs.iter().find(|bob| bob.cid == cid)?)
}

fn media_data(bob: &Bob) -> Option<Media> {
    let shown = bob.media_type.starts_with("image/") || bob.media_type.starts_with("audio/");
    shown.then(|| Media::Data {
        media_type: bob.media_type.clone(),
        bytes: bob.bytes.clone(),
    })
}

fn is_web_page(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    (lower.starts_with("https://") || lower.starts_with("http://"))
        && !url.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn paragraph(words: &str) -> String {
    let shown = text::displayable(words);
    let lines: Vec<&str> = shown.lines().map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}
