//! Data forms (XEP-0004) with media (XEP-0221).

use minidom::Element;

use crate::dom::{self, Build, el};
use crate::ns;
use crate::text;

/// Most fields that are kept of a form.
pub const MAX_FIELDS: usize = 128;
/// Most options or values that are kept of a field.
pub const MAX_VALUES: usize = 256;
/// Longest label, title or name, in bytes.
const MAX_LABEL: usize = 1024;
/// Longest value or instructions, in bytes.
const MAX_VALUE: usize = 16 * 1024;

/// A form to fill, or a filled one. Text in it is untrusted plain text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataForm {
    /// One line; may be empty.
    pub title: String,
    /// Paragraphs joined with line ends; may be empty.
    pub instructions: String,
    /// In the sender's order.
    pub fields: Vec<Field>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; empty only for [`FieldType::Fixed`].
    pub var: String,
    /// What to draw.
    pub field_type: FieldType,
    /// One line; may be empty.
    pub label: String,
    /// An explanation; may be empty.
    pub description: String,
    /// Must be filled.
    pub required: bool,
    /// What it holds so far.
    pub values: Vec<String>,
    /// Choices: value and label.
    pub options: Vec<(String, String)>,
    /// Pictures and sounds that belong to it (XEP-0221).
    pub media: Vec<MediaUri>,
}

/// What a field is (XEP-0004 §3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of XEP-0004 §3.3")]
pub enum FieldType {
    Boolean,
    Fixed,
    Hidden,
    JidMulti,
    JidSingle,
    ListMulti,
    ListSingle,
    TextMulti,
    TextPrivate,
    #[default]
    TextSingle,
}

/// Where a picture or sound is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaUri {
    /// Its media type as the sender says.
    pub media_type: String,
    /// `cid:` for data that came along or can be asked for (XEP-0231), or a web address, which is
    /// never fetched by itself.
    pub uri: String,
}

impl DataForm {
    /// Reads a form of type `form` (or `result`); `None` for anything else.
    pub fn parse(x: &Element) -> Option<Self> {
        if !x.is("x", ns::DATA_FORM) || !matches!(x.attr("type"), Some("form" | "result")) {
            return None;
        }
        let lines: Vec<String> = x
            .children()
            .filter(|child| child.is("instructions", ns::DATA_FORM))
            .take(16)
            .map(paragraph)
            .collect();
        Some(Self {
            title: text::one_line(
                &dom::child_text(x, "title", ns::DATA_FORM, MAX_VALUE).unwrap_or_default(),
                MAX_LABEL,
            ),
            instructions: lines.join("\n"),
            fields: x
                .children()
                .filter(|child| child.is("field", ns::DATA_FORM))
                .filter_map(Field::parse)
                .take(MAX_FIELDS)
                .collect(),
        })
    }

    /// The value of `FORM_TYPE` (XEP-0068).
    pub fn form_type(&self) -> Option<&str> {
        let field = self.field("FORM_TYPE")?;
        field.values.first().map(String::as_str)
    }

    /// A field by its name.
    pub fn field(&self, var: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.var == var)
    }
}

impl Field {
    fn parse(field: &Element) -> Option<Self> {
        let field_type = match field.attr("type") {
            Some("boolean") => FieldType::Boolean,
            Some("fixed") => FieldType::Fixed,
            Some("hidden") => FieldType::Hidden,
            Some("jid-multi") => FieldType::JidMulti,
            Some("jid-single") => FieldType::JidSingle,
            Some("list-multi") => FieldType::ListMulti,
            Some("list-single") => FieldType::ListSingle,
            Some("text-multi") => FieldType::TextMulti,
            Some("text-private") => FieldType::TextPrivate,
            _ => FieldType::TextSingle,
        };
        let var = dom::attr(field, "var", MAX_LABEL);
        if var.is_none() && field_type != FieldType::Fixed {
            return None;
        }
        Some(Self {
            var: var.unwrap_or_default(),
            field_type,
            label: text::one_line(field.attr("label").unwrap_or_default(), MAX_LABEL),
            description: field
                .get_child("desc", ns::DATA_FORM)
                .map(paragraph)
                .unwrap_or_default(),
            required: field.has_child("required", ns::DATA_FORM),
            values: values(field),
            options: field
                .children()
                .filter(|child| child.is("option", ns::DATA_FORM))
                .take(MAX_VALUES)
                .filter_map(|option| {
                    let value = dom::child_text(option, "value", ns::DATA_FORM, MAX_VALUE)?;
                    let label = match option.attr("label") {
                        Some(label) => text::one_line(label, MAX_LABEL),
                        None => text::one_line(&value, MAX_LABEL),
                    };
                    Some((value, label))
                })
                .collect(),
            media: field
                .get_child("media", ns::MEDIA_ELEMENT)
                .into_iter()
                .flat_map(Element::children)
                .filter(|child| child.is("uri", ns::MEDIA_ELEMENT))
                .take(8)
                .map(|uri| MediaUri {
                    media_type: text::one_line(uri.attr("type").unwrap_or_default(), 128),
                    uri: dom::text_of(uri, 2048).trim().to_owned(),
                })
                .collect(),
        })
    }
}

fn values(field: &Element) -> Vec<String> {
    field
        .children()
        .filter(|child| child.is("value", ns::DATA_FORM))
        .take(MAX_VALUES)
        .map(|value| dom::text_of(value, MAX_VALUE))
        .collect()
}

fn paragraph(element: &Element) -> String {
    text::displayable(&dom::text_of(element, MAX_VALUE))
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join("\n")
        .trim()
        .to_owned()
}

/// A field of a form of type `submit`.
pub(crate) fn submit_field<V: AsRef<str>>(
    var: &str,
    values: impl IntoIterator<Item = V>,
) -> Element {
    values.into_iter().fold(
        el("field", ns::DATA_FORM).with("var", var),
        |field, value| field.child(el("value", ns::DATA_FORM).text_of(value)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XEP-0004 example 2, shortened.
    const FORM: &str = "<x xmlns='jabber:x:data' type='form'><title>Bot Configuration</title>\
        <instructions>Fill out this form to configure your new bot!</instructions>\
        <instructions>Have fun.</instructions>\
        <field type='hidden' var='FORM_TYPE'><value>jabber:bot</value></field>\
        <field type='fixed'><value>Section 1: Bot Info</value></field>\
        <field type='text-multi' label='Helpful description of your bot' var='description'/>\
        <field type='boolean' label='Public bot?' var='public'><required/></field>\
        <field type='list-multi' label='Features' var='features'>\
        <option label='Contests'><value>contests</value></option><option><value>news</value></option>\
        <option/><value>news</value><value>search</value></field>\
        <field type='jid-multi' label='People to invite' var='invitelist'>\
        <desc>Tell all your friends!</desc></field><field label='nameless'/></x>";

    #[test]
    fn a_form_is_read_in_order_with_all_its_parts() {
        let form = DataForm::parse(&FORM.parse().unwrap()).unwrap();
        assert_eq!(form.title, "Bot Configuration");
        assert_eq!(form.instructions.lines().count(), 2);
        assert_eq!(form.form_type(), Some("jabber:bot"));
        let types: Vec<_> = form.fields.iter().map(|field| field.field_type).collect();
        use FieldType::*;
        assert_eq!(
            types,
            [Hidden, Fixed, TextMulti, Boolean, ListMulti, JidMulti]
        );
        let features = form.field("features").unwrap();
        assert_eq!(features.values, ["news", "search"]);
        let option = |value: &str, label: &str| (value.to_owned(), label.to_owned());
        assert_eq!(
            features.options,
            [option("contests", "Contests"), option("news", "news")]
        );
        assert!(form.field("public").unwrap().required);
        assert_eq!(
            form.field("invitelist").unwrap().description,
            "Tell all your friends!"
        );
    }

    #[test]
    fn answers_and_cancellations_are_no_forms() {
        for kind in ["submit", "cancel", "", "FORM"] {
            let xml = FORM.replace("type='form'", &format!("type='{kind}'"));
            assert_eq!(DataForm::parse(&xml.parse().unwrap()), None, "{kind}");
        }
    }
}
