use sotto_api::Problem;
use sotto_api::view::{Availability, Delivery, MessageKind, Privacy, ProtectionKind};

use super::*;
use crate::networks::Networks;

const PROBLEMS: [Problem; 24] = [
    Problem::WrongPassword,
    Problem::NoPassword,
    Problem::AccountDisabled,
    Problem::MechanismTooWeak,
    Problem::Downgrade,
    Problem::ServerNotAuthentic,
    Problem::NoEncryption,
    Problem::Certificate,
    Problem::UnknownServer,
    Problem::DnsFailed,
    Problem::Unreachable,
    Problem::ConnectionLost,
    Problem::TimedOut,
    Problem::Proxy,
    Problem::ServerUnavailable,
    Problem::ReplacedElsewhere,
    Problem::Forbidden,
    Problem::HostUnknown,
    Problem::ProtocolViolation,
    Problem::NameTaken,
    Problem::NameInvalid,
    Problem::RegistrationClosed,
    Problem::RegistrationWait,
    Problem::FormRejected,
];

fn on(server: &str) -> ProblemContext<'_> {
    ProblemContext {
        server,
        ..ProblemContext::default()
    }
}

#[test]
fn each_problem_names_the_server_and_has_words_of_its_own() {
    let mut seen = std::collections::BTreeSet::new();
    for kind in PROBLEMS {
        let view = problem(&kind, on("riverside.example"));
        assert!(view.text.contains("riverside.example"), "{kind:?}");
        assert_ne!(view.title, "Problem", "{kind:?}");
        assert!(
            seen.insert(view.text.clone()),
            "{kind:?} says what another one says"
        );
        assert!(
            seen.insert(view.title.clone()),
            "{kind:?} is titled like another one"
        );
    }
}

#[test]
fn the_voice_is_low() {
    for kind in PROBLEMS {
        let view = problem(&kind, on("riverside.example"));
        let text = format!("{} {}", view.title, view.text);
        let lower = text.to_lowercase();
        for unwanted in [
            "!", "oops", "sorry", "please", "error", "invalid", "abort", "user ",
        ] {
            assert!(
                !lower.contains(unwanted),
                "{kind:?} says {unwanted:?}: {text}"
            );
        }
        assert!(view.text.ends_with('.'), "{kind:?}: {}", view.text);
    }
}

#[test]
fn a_wrong_password_says_that_nothing_was_deleted() {
    let view = problem(&Problem::WrongPassword, on("riverside.example"));
    assert_eq!(
        view.text,
        "riverside.example did not accept this password. Nothing was deleted. Check it and try again."
    );
}

#[test]
fn a_network_with_the_hint_speaks_of_application_passwords() {
    let networks = Networks::parse(
        r#"
        [[network]]
        id = "test"
        name = "Test"
        protocol = "xmpp"
        summary = "A network for this test."
        example = "sara"
        suffix = "test.example"
        status = "active"
        [network.app_password]
        text = "If you use two steps to sign in there, make an application password on its page and use that here."
        page = "https://test.example/app-passwords"
        "#,
    )
    .expect("the row is well formed");
    let network = networks.get("test");
    let view = problem(
        &Problem::WrongPassword,
        ProblemContext {
            server: "test.example",
            network,
            details: "",
        },
    );
    assert!(view.text.contains("application password"));
    assert!(view.text.contains("https://test.example/app-passwords"));
    let other = problem(
        &Problem::Unreachable,
        ProblemContext {
            server: "test.example",
            network,
            details: "",
        },
    );
    assert!(!other.text.contains("application password"));
}

#[test]
fn s_ui_06_words_of_a_server_are_cleaned_and_its_name_isolated() {
    let view = problem(
        &Problem::ConnectionLost,
        ProblemContext {
            server: "שרת.example",
            network: None,
            details: "bye\u{202e}\u{7}",
        },
    );
    assert!(view.text.contains("\u{2068}שרת.example\u{2069}"));
    assert_eq!(view.details, "bye");
}

#[test]
fn the_next_try_is_counted_down() {
    use sotto_api::Timestamp;
    use sotto_api::view::AccountState;
    let state = AccountState::Waiting {
        retry_at: Timestamp(20_000),
    };
    let lost = problem(&Problem::ConnectionLost, on("riverside.example"));
    assert_eq!(
        account_state(&state, Some(&lost), Timestamp(0)),
        "No connection. The next try is in 20 seconds."
    );
    let busy = problem(&Problem::ServerUnavailable, on("riverside.example"));
    assert_eq!(
        account_state(&state, Some(&busy), Timestamp(19_100)),
        "Server not available. The next try is in 1 second."
    );
    assert_eq!(
        account_state(&state, None, Timestamp(30_000)),
        "No connection. Trying again."
    );
}

#[test]
fn certificates_are_told_apart() {
    let mut seen = std::collections::BTreeSet::new();
    for technical in [
        "Expired",
        "NotValidYet",
        "NotValidForName",
        "UnknownIssuer",
        "self-signed",
        "Revoked",
        "?",
    ] {
        let text = certificate_reason(technical, "riverside.example", false);
        assert!(text.contains("riverside.example") && text.contains("not sent"));
        assert!(seen.insert(text), "{technical}");
    }
    let changed = certificate_reason("UnknownIssuer", "riverside.example", true);
    assert!(changed.starts_with(
        "riverside.example shows a different certificate. Sotto stopped in time; your password was not sent."
    ));
}

#[test]
fn labels_are_those_of_the_design() {
    let view = privacy(Privacy::ServerOnly, "Leila");
    assert_eq!(view.label, "To the server only");
    assert_eq!(view.below, "The servers in between can read this.");
    assert_eq!(
        privacy(Privacy::Verified, "Leila").spoken,
        "Privacy: end-to-end, verified. Only you and Leila can read this. Opens details"
    );
    assert_eq!(typing("Leila"), "Leila is writing…");
    assert_eq!(delivery(Delivery::Failed), "Not sent");
}

#[test]
fn rows_and_messages_are_spoken_as_the_design_says() {
    assert_eq!(
        spoken_contact(
            "Leila Haddad",
            Availability::Available,
            "",
            false,
            2,
            "Then the small café, at six",
            false
        ),
        "Leila Haddad, available, 2 unread, Then the small café, at six"
    );
    assert_eq!(
        spoken_message(
            YOU,
            MessageKind::Text,
            "See you",
            Some(Delivery::Delivered),
            true,
            "14:07"
        ),
        "You: See you, edited, delivered, 14:07"
    );
}

#[test]
fn only_a_profile_with_a_passphrase_has_no_warning() {
    assert_eq!(profile_warning(ProtectionKind::Passphrase), "");
    for without in [ProtectionKind::Keyring, ProtectionKind::KeyFile] {
        assert!(profile_warning(without).contains("passphrase"));
    }
}

#[test]
fn times_read_as_a_person_says_them() {
    for (milliseconds, words) in [
        (0, "1 second"),
        (-5, "1 second"),
        (1_001, "2 seconds"),
        (60_000, "60 seconds"),
        (150_000, "3 minutes"),
        (3_600_000, "60 minutes"),
        (7_200_000, "2 hours"),
    ] {
        assert_eq!(span(milliseconds), words);
    }
    assert_eq!(
        strength_meaning(0.5),
        "At ten thousand guesses a second, finding it takes less than a second."
    );
    assert!(strength_meaning(f64::INFINITY).contains("more than a thousand years"));
    assert!(strength_meaning(1e9).contains("31 years"));
}
