//! Registration forms as Prosody 0.12.3 and ejabberd 23.01 send them (recorded).

use sotto_xmpp::Element;
use sotto_xmpp::register::{Answer, FieldKind, Form, Media, Refusal, RefusalKind};
use sotto_xmpp::stanza_error::StanzaError;

fn form(iq: &str) -> Form {
    let iq: Element = iq.trim().parse().unwrap();
    Form::parse(iq.children().next().unwrap()).unwrap()
}

fn shape(form: &Form) -> Vec<(&str, FieldKind, bool)> {
    form.fields
        .iter()
        .map(|field| (field.name.as_str(), field.kind, field.required))
        .collect()
}

#[test]
fn prosody_sends_a_form_beside_plain_fields_and_the_form_counts() {
    let form = form(include_str!("registration/prosody-0.12.3-form.xml"));
    assert_eq!(form.title, "Creating a new account");
    assert_eq!(
        shape(&form),
        [
            ("FORM_TYPE", FieldKind::Hidden, false),
            ("username", FieldKind::Username, true),
            ("password", FieldKind::Password, true),
            ("email", FieldKind::Text, false),
            ("nick", FieldKind::Text, false),
        ]
    );
    assert_eq!(form.fields[3].label, "Email");
}

#[test]
fn ejabberd_sends_a_captcha_with_its_picture() {
    let form = form(include_str!("registration/ejabberd-23.01-captcha.xml"));
    assert!(form.has_captcha() && form.is_fillable());
    assert_eq!(
        shape(&form),
        [
            ("FORM_TYPE", FieldKind::Hidden, false),
            ("username", FieldKind::Username, true),
            ("password", FieldKind::Password, true),
            ("captcha-fallback-url", FieldKind::Hidden, false),
            ("from", FieldKind::Hidden, false),
            ("challenge", FieldKind::Hidden, true),
            ("sid", FieldKind::Hidden, false),
            ("ocr", FieldKind::Text, true),
        ]
    );
    let Some(Media::Data { media_type, bytes }) = &form.fields[7].media else {
        panic!("the picture came along");
    };
    assert_eq!(media_type, "image/png");
    assert!(bytes.starts_with(b"\x89PNG"));
    let answers = [
        ("username", "bill"),
        ("password", "Calliope"),
        ("ocr", "7nHL3"),
    ];
    let values: Vec<[&str; 1]> = answers.iter().map(|(_, value)| [*value]).collect();
    let answers: Vec<Answer<'_>> = answers
        .iter()
        .zip(&values)
        .map(|((name, _), values)| Answer { name, values })
        .collect();
    let submitted = String::from(&form.submit(&answers).unwrap());
    assert!(
        submitted.contains("9402404639247643591"),
        "the challenge goes back"
    );
}

#[test]
fn ejabberd_refuses_a_wrong_captcha_as_not_allowed() {
    let iq: Element = "<iq xmlns='jabber:client' from='lab.test' type='error' id='s'>\
        <error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
        <text xml:lang='en' xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>The CAPTCHA verification \
        has failed</text></error></iq>"
        .parse()
        .unwrap();
    let refusal = Refusal::of(&StanzaError::of(&iq), true);
    assert_eq!(refusal.kind, RefusalKind::CaptchaWrong);
}
