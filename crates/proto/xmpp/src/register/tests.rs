use super::*;
use crate::stanza_error::StanzaError;

fn form(inner: &str) -> Form {
    let xml = format!("<query xmlns='jabber:iq:register'>{inner}</query>");
    Form::parse(&xml.parse().unwrap()).unwrap()
}

fn names(form: &Form) -> Vec<&str> {
    form.fields
        .iter()
        .map(|field| field.name.as_str())
        .collect()
}

const BILL: [Answer<'static>; 2] = [
    Answer {
        name: "username",
        values: &["bill"],
    },
    Answer {
        name: "password",
        values: &["Calliope"],
    },
];

/// XEP-0077 example 2.
const LEGACY: &str = "<instructions>\n  Choose a username and password for use with this service.\n  \
    Please also provide your email address.\n</instructions><username/><password/><email/>";

#[test]
fn plain_fields_are_read_and_answered_plainly() {
    let form = form(LEGACY);
    assert_eq!(names(&form), ["username", "password", "email"]);
    assert_eq!(form.fields[0].kind, FieldKind::Username);
    assert_eq!(form.fields[1].kind, FieldKind::Password);
    assert!(form.instructions.starts_with("Choose a username"));
    assert!(form.is_fillable() && !form.has_captcha() && !form.registered);
    let missing = form.submit(&BILL).unwrap_err();
    assert_eq!(missing.name, "email");
    let email = Answer {
        name: "email",
        values: &["bard@shakespeare.lit"],
    };
    let expected: Element = "<query xmlns='jabber:iq:register'><username>bill</username>\
        <password>Calliope</password><email>bard@shakespeare.lit</email></query>"
        .parse()
        .unwrap();
    assert_eq!(form.submit(&[BILL[0], BILL[1], email]), Ok(expected));
}

/// XEP-0158 example 16, with the picture along as ejabberd sends it.
fn captcha(bob: &str) -> Form {
    form(&format!(
        "<x xmlns='jabber:x:data' type='form'>\
         <field type='hidden' var='FORM_TYPE'><value>jabber:iq:register</value></field>\
         <field type='hidden' var='challenge'><value>F3A6292C</value></field>\
         <field type='hidden' var='sid'><value>reg1</value></field>\
         <field type='fixed'><value>Read this</value></field>\
         <field var='ocr' label='Enter the text you see'><media xmlns='urn:xmpp:media-element'>\
         <uri type='image/jpeg'>http://www.victim.com/challenges/ocr.jpeg?F3A6292C</uri>\
         <uri type='image/png'>cid:sha1+3da541559918a808c2402bba5012f6c60b27661c@bob.xmpp.org</uri>\
         </media><required/></field>\
         <field type='text-single' var='username'><required/></field>\
         <field type='text-private' var='password'><required/><value>never</value></field></x>\
         <instructions>To register, visit http://www.victim.com/register.html</instructions>\
         <x xmlns='jabber:x:oob'><url>http://www.victim.com/register.html</url></x>{bob}"
    ))
}

/// `asdf` with its SHA-1.
const PICTURE: &str = "<data xmlns='urn:xmpp:bob' type='image/png' \
    cid='sha1+3da541559918a808c2402bba5012f6c60b27661c@bob.xmpp.org'>YXNkZg==</data>";

#[test]
fn a_form_with_a_captcha_is_read_and_answered_as_a_form() {
    let form = captcha("");
    assert_eq!(
        form.page.as_deref(),
        Some("http://www.victim.com/register.html")
    );
    assert!(form.has_captcha() && form.is_fillable());
    assert!(form.instructions.starts_with("To register"));
    let ocr = Answer {
        name: "ocr",
        values: &["7nHL3"],
    };
    assert_eq!(form.submit(&BILL).unwrap_err().name, "ocr");
    let expected: Element =
        "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>\
        <field var='FORM_TYPE'><value>jabber:iq:register</value></field>\
        <field var='challenge'><value>F3A6292C</value></field>\
        <field var='sid'><value>reg1</value></field>\
        <field var='ocr'><value>7nHL3</value></field>\
        <field var='username'><value>bill</value></field>\
        <field var='password'><value>Calliope</value></field></x></query>"
            .parse()
            .unwrap();
    assert_eq!(form.submit(&[ocr, BILL[0], BILL[1]]), Ok(expected));
}

#[test]
fn a_hidden_field_cannot_be_answered() {
    let challenge = Answer {
        name: "challenge",
        values: &["other"],
    };
    let ocr = Answer {
        name: "ocr",
        values: &["x"],
    };
    let built = captcha("")
        .submit(&[challenge, ocr, BILL[0], BILL[1]])
        .unwrap();
    assert!(!String::from(&built).contains("other"));
}

#[test]
fn the_picture_of_a_captcha_comes_along_or_can_be_asked_for() {
    let data: Element = PICTURE.parse().unwrap();
    let bob = crate::bob::Bob::parse(&data).expect("the hash is that of the data");
    let along = captcha(PICTURE);
    assert!(along.missing_media().next().is_none());
    let mut asked = captcha("");
    let cid = "sha1+3da541559918a808c2402bba5012f6c60b27661c@bob.xmpp.org";
    assert_eq!(asked.missing_media().collect::<Vec<_>>(), [cid]);
    asked.add_media(&bob);
    assert_eq!(asked, along);
    let ocr = along
        .fields
        .iter()
        .find(|field| field.name == "ocr")
        .unwrap();
    let expected = Media::Data {
        media_type: "image/png".to_owned(),
        bytes: b"asdf".to_vec(),
    };
    assert_eq!(ocr.media, Some(expected));
    let forged: Element = PICTURE.replace("YXNkZg==", "YXNkZh==").parse().unwrap();
    assert_eq!(crate::bob::Bob::parse(&forged), None);
}

#[test]
fn a_password_of_the_server_is_never_kept() {
    assert!(
        captcha("")
            .fields
            .iter()
            .all(|field| !field.values.contains(&"never".to_owned()))
    );
    let registered = form("<registered/><username>juliet</username><password>R0m30</password>");
    assert!(registered.registered);
    assert!(!format!("{registered:?}").contains("R0m30"));
}

#[test]
fn s_xmpp_21_only_a_web_page_is_offered() {
    for url in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "xmpp:x?register",
        "https://a b",
        "",
    ] {
        let form = form(&format!("<x xmlns='jabber:x:oob'><url>{url}</url></x>"));
        assert_eq!(form.page, None, "{url}");
        assert!(!form.is_fillable());
    }
}

#[test]
fn s_xmpp_21_words_of_the_server_are_plain_and_bounded() {
    let long = "x".repeat(4000);
    let form = form(&format!(
        "<x xmlns='jabber:x:data' type='form'><title>a&#10;b {long}</title>\
         <field var='username' label='&lt;b&gt;&#9;{long}'/>{}</x>",
        "<field var='f'/>".repeat(1000)
    ));
    assert!(form.title.len() <= 1024 && form.title.starts_with("a b"));
    assert!(form.fields[0].label.starts_with("<b> x") && form.fields[0].label.len() <= 1024);
    assert!(form.fields.len() <= crate::data_form::MAX_FIELDS);
}

fn refusal(xml: &str, captcha: bool) -> RefusalKind {
    Refusal::of(&StanzaError::of(&xml.parse().unwrap()), captcha).kind
}

fn error(kind: &str, condition: &str, text: &str) -> String {
    format!(
        "<iq xmlns='jabber:client' type='error' id='reg2'><query xmlns='jabber:iq:register'>\
         <username>bill</username><password>m1cro$oft</password></query><error type='{kind}'>\
         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>{text}</text></error></iq>"
    )
}

#[test]
fn refusals_are_told_apart() {
    use RefusalKind::*;
    for (kind, condition, text, captcha, expected) in [
        (
            "cancel",
            "conflict",
            "The requested username already exists.",
            false,
            NameTaken,
        ),
        ("cancel", "conflict", "User already exists", true, NameTaken),
        (
            "modify",
            "not-acceptable",
            "The requested username is invalid.",
            false,
            NameInvalid,
        ),
        ("modify", "jid-malformed", "", false, NameInvalid),
        ("modify", "jid-malformed", "", true, NameInvalid),
        ("modify", "not-acceptable", "", false, NameInvalid),
        (
            "modify",
            "not-acceptable",
            "The password is too weak",
            false,
            AnswerRejected,
        ),
        (
            "modify",
            "not-acceptable",
            "Email: Required value missing",
            false,
            AnswerRejected,
        ),
        ("cancel", "service-unavailable", "", false, Closed),
        ("cancel", "not-allowed", "", false, Closed),
        (
            "auth",
            "forbidden",
            "Your IP address is blocklisted",
            false,
            Closed,
        ),
        (
            "wait",
            "resource-constraint",
            "Users are not allowed to register accounts so quickly",
            false,
            Wait,
        ),
        (
            "wait",
            "policy-violation",
            "Too many registrations from this IP address recently",
            false,
            Wait,
        ),
        ("wait", "not-acceptable", "", false, Wait),
        (
            "cancel",
            "not-allowed",
            "The CAPTCHA verification has failed",
            true,
            CaptchaWrong,
        ),
        ("cancel", "not-acceptable", "", true, CaptchaWrong),
        (
            "modify",
            "bad-request",
            "Incorrect CAPTCHA submit",
            true,
            CaptchaWrong,
        ),
        ("modify", "bad-request", "", false, AnswerRejected),
        ("auth", "not-authorized", "", false, NotAuthorized),
        ("wait", "internal-server-error", "", false, Other),
        ("cancel", "undefined-condition", "", false, Other),
    ] {
        assert_eq!(
            refusal(&error(kind, condition, text), captcha),
            expected,
            "{kind} {condition} {text}"
        );
    }
    let old = "<iq xmlns='jabber:client' type='error'><error code='409'/></iq>";
    assert_eq!(refusal(old, false), NameTaken);
}

#[test]
fn the_password_in_an_echoed_request_is_not_kept() {
    let iq: Element = error("modify", "jid-malformed", "no").parse().unwrap();
    let refusal = Refusal::of(&StanzaError::of(&iq), false);
    assert!(!format!("{refusal:?}").contains("m1cro$oft"));
}

#[test]
fn the_requests_of_a_signed_in_account_are_those_of_the_xep() {
    let expected: Element = "<query xmlns='jabber:iq:register'><username>bill</username>\
        <password>newpass</password></query>"
        .parse()
        .unwrap();
    assert_eq!(change_password("bill", "newpass"), expected);
    let expected: Element = "<query xmlns='jabber:iq:register'><remove/></query>"
        .parse()
        .unwrap();
    assert_eq!(remove_account(), expected);
}
