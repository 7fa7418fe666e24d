//! What a person fills in to make an account, apart from any window.
//!
//! The server sends a form; name and password have places of their own on the page, everything else is a row.
//! What was typed survives a refusal and a new form: it is kept by field name.

use std::collections::BTreeMap;

use sotto_api::Secret;
use sotto_api::view::{FieldKind, FormAnswer, FormField, FormView};

/// One row below name and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The field's name.
    pub name: String,
    /// What stands above it.
    pub label: String,
    /// What to draw.
    pub kind: FieldKind,
    /// Must be filled.
    pub required: bool,
    /// What is in it now.
    pub value: String,
    /// Choices: value and label.
    pub options: Vec<(String, String)>,
    /// A picture to read: media type and base64.
    pub media: Option<(String, String)>,
}

/// The form as it stands on the page.
#[derive(Clone, Debug, Default)]
pub struct Form {
    username: Option<String>,
    password: Option<String>,
    hidden: Vec<(String, String)>,
    rows: Vec<Row>,
    typed: BTreeMap<String, String>,
}

/// What must be mended before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// No name.
    Username,
    /// No password.
    Password,
    /// The two passwords differ.
    Different,
    /// The row with this index is empty.
    Row(usize),
}

impl Form {
    /// Takes the server's form; keeps what was typed into fields that are still there.
    pub fn show(&mut self, form: &FormView) {
        self.username = None;
        self.password = None;
        self.hidden.clear();
        self.rows.clear();
        for field in &form.fields {
            match field.kind {
                FieldKind::Username if self.username.is_none() => {
                    self.username = Some(field.name.clone())
                }
                FieldKind::Password if self.password.is_none() => {
                    self.password = Some(field.name.clone())
                }
                FieldKind::Hidden => self.hidden.push((field.name.clone(), field.value.clone())),
                _ => self.rows.push(self.row(field)),
            }
        }
    }

    fn row(&self, field: &FormField) -> Row {
        // A CAPTCHA's answer belongs to its picture; a new picture needs a new answer.
        let typed = if field.media.is_some() {
            None
        } else {
            self.typed.get(&field.name)
        };
        Row {
            name: field.name.clone(),
            label: if field.label.is_empty() {
                field.name.clone()
            } else {
                field.label.clone()
            },
            kind: field.kind,
            required: field.required,
            value: typed.cloned().unwrap_or_else(|| field.value.clone()),
            options: field.options.clone(),
            media: field.media.clone(),
        }
    }

    /// The rows below name and password.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Notes what was typed into a row.
    pub fn type_into(&mut self, index: usize, value: &str) {
        if let Some(row) = self.rows.get_mut(index) {
            row.value = value.to_owned();
            self.typed.insert(row.name.clone(), value.to_owned());
        }
    }

    /// The answers to send, or what must be mended first; then nothing is sent.
    pub fn answers(
        &self,
        username: &str,
        password: &Secret,
        again: &Secret,
    ) -> Result<Vec<FormAnswer>, Missing> {
        if self.username.is_some() && username.trim().is_empty() {
            return Err(Missing::Username);
        }
        if self.password.is_some() {
            if password.is_empty() {
                return Err(Missing::Password);
            }
            if password != again {
                return Err(Missing::Different);
            }
        }
        let empty =
            |row: &Row| row.required && row.kind != FieldKind::Fixed && row.value.trim().is_empty();
        if let Some(index) = self.rows.iter().position(empty) {
            return Err(Missing::Row(index));
        }
        let mut answers: Vec<FormAnswer> = Vec::new();
        let mut put = |name: &str, values: Vec<Secret>| {
            answers.push(FormAnswer {
                name: name.to_owned(),
                values,
            })
        };
        if let Some(name) = &self.username {
            put(name, vec![Secret::new(username.trim().to_owned())]);
        }
        if let Some(name) = &self.password {
            put(name, vec![password.clone()]);
        }
        for (name, value) in &self.hidden {
            put(name, vec![Secret::new(value.clone())]);
        }
        for row in &self.rows {
            match row.kind {
                FieldKind::Fixed => {}
                FieldKind::Multi => put(
                    &row.name,
                    row.value
                        .lines()
                        .map(|l| Secret::new(l.to_owned()))
                        .collect(),
                ),
                _ if row.value.is_empty() => {}
                _ => put(&row.name, vec![Secret::new(row.value.clone())]),
            }
        }
        Ok(answers)
    }
}

/// Other names to try when the wanted one is taken; none of them is asked for by itself.
pub fn other_names(taken: &str) -> Vec<String> {
    let name = taken.trim();
    if name.is_empty() {
        return Vec::new();
    }
    let trimmed = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let next = name[trimmed.len()..]
        .parse::<u32>()
        .map_or(2, |n| n.saturating_add(1));
    vec![
        format!("{name}.writes"),
        format!("{name}-here"),
        format!("{trimmed}{next}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: FieldKind, required: bool) -> FormField {
        FormField {
            name: name.into(),
            label: String::new(),
            kind,
            required,
            value: String::new(),
            options: Vec::new(),
            media: None,
        }
    }

    fn plain() -> FormView {
        FormView {
            title: String::new(),
            instructions: String::new(),
            fields: vec![
                field("username", FieldKind::Username, true),
                field("password", FieldKind::Password, true),
                field("email", FieldKind::Text, true),
            ],
            page: None,
        }
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.into())
    }

    #[test]
    fn different_passwords_are_caught_before_anything_is_sent() {
        let mut form = Form::default();
        form.show(&plain());
        assert_eq!(
            form.answers("sara", &secret("one"), &secret("two")),
            Err(Missing::Different)
        );
    }

    #[test]
    fn an_empty_required_field_is_named() {
        let mut form = Form::default();
        form.show(&plain());
        assert_eq!(
            form.answers("", &secret("a"), &secret("a")),
            Err(Missing::Username)
        );
        assert_eq!(
            form.answers("sara", &secret(""), &secret("")),
            Err(Missing::Password)
        );
        assert_eq!(
            form.answers("sara", &secret("a"), &secret("a")),
            Err(Missing::Row(0))
        );
    }

    #[test]
    fn what_was_typed_survives_a_refusal_and_a_new_form() {
        let mut form = Form::default();
        form.show(&plain());
        form.type_into(0, "sara@mail.example");
        form.show(&plain());
        let answers = form.answers(" sara ", &secret("a"), &secret("a")).unwrap();
        let values: Vec<(&str, &str)> = answers
            .iter()
            .map(|a| (a.name.as_str(), a.values[0].expose()))
            .collect();
        assert_eq!(
            values,
            [
                ("username", "sara"),
                ("password", "a"),
                ("email", "sara@mail.example")
            ]
        );
    }

    #[test]
    fn the_answer_to_an_old_captcha_is_not_kept() {
        let mut captcha = plain();
        captcha.fields[2].media = Some(("image/png".into(), "AAAA".into()));
        let mut form = Form::default();
        form.show(&captcha);
        form.type_into(0, "7nh2");
        form.show(&captcha);
        assert_eq!(form.rows()[0].value, "");
    }

    #[test]
    fn hidden_fields_go_back_and_fixed_ones_do_not() {
        let mut view = plain();
        view.fields.truncate(2);
        view.fields.push(FormField {
            value: "c1".into(),
            ..field("challenge", FieldKind::Hidden, false)
        });
        view.fields.push(field("note", FieldKind::Fixed, false));
        let mut form = Form::default();
        form.show(&view);
        let names: Vec<String> = form
            .answers("sara", &secret("a"), &secret("a"))
            .unwrap()
            .into_iter()
            .map(|a| a.name)
            .collect();
        assert_eq!(names, ["username", "password", "challenge"]);
    }

    #[test]
    fn a_taken_name_leads_to_three_others() {
        assert_eq!(other_names("sara"), ["sara.writes", "sara-here", "sara2"]);
        assert_eq!(other_names("sara2")[2], "sara3");
        assert!(other_names(" ").is_empty());
    }
}
