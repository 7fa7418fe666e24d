use sotto_api::AccountId;

use super::*;

const KINDS: [AlertKind; 6] = [
    AlertKind::NotPossible,
    AlertKind::Ended,
    AlertKind::KeyChanged,
    AlertKind::Distrusted,
    AlertKind::CameUnencrypted,
    AlertKind::Fault,
];

fn of(kind: AlertKind, required: bool) -> AlertView {
    let context = AlertContext {
        name: "Omar",
        required,
        details: "",
    };
    alert(kind, context)
}

fn sentences() -> Vec<String> {
    let mut all = vec![
        private_started("Omar", true, false),
        private_started("Omar", false, true),
        not_kept().into(),
        private_ended_here().into(),
        private_ended_there("Omar"),
        no_answer("Omar"),
        not_reached("Omar"),
        sent_again("Omar", 1),
        sent_again("Omar", 2),
        written_for_another_key("Omar"),
        key_changed("Omar", "A", "B", true),
        key_changed("Omar", "A", "B", false),
        verified("Omar"),
        not_verified("Omar"),
        private_unreadable("Omar"),
        for_another_device().into(),
        correction_held().into(),
        policy_uncovered().into(),
        verification_asked("Omar", ""),
        verification_waiting("Omar"),
        verification_comparing().into(),
        verification_succeeded("Omar"),
        verification_answered("Omar"),
        verification_failed("Omar"),
        verification_stopped("Omar", true),
        verification_stopped("Omar", false),
    ];
    for error in [
        policy_missing(),
        verify_needs_private("Omar"),
        verify_not_asked("Omar"),
        verify_under_way(),
        verify_empty(),
        verify_empty_question(),
        verify_other_key(),
        no_such_trust(),
        key_in_use("Omar"),
        key_being_made(),
        import_unreadable("otr.private_key"),
        import_nothing(),
        ended_choose_first("Omar"),
        changed_choose_first("Omar"),
        distrusted_refused("Omar"),
        required_refused("Omar"),
        private_not_correctable(),
        not_private("Omar"),
        no_such_device(),
    ] {
        all.push(error.message);
    }
    for kind in KINDS {
        all.push(of(kind, false).text);
    }
    all
}

#[test]
fn the_voice_is_low() {
    let mut seen = std::collections::BTreeSet::new();
    for text in sentences() {
        let lower = text.to_lowercase();
        for unwanted in [
            "!",
            "oops",
            "sorry",
            "please",
            "error",
            "invalid",
            "abort",
            "session",
            "fingerprint",
            "user",
            "peer",
        ] {
            assert!(!lower.contains(unwanted), "{unwanted:?}: {text}");
        }
        assert!(text.ends_with('.'), "{text}");
        assert!(seen.insert(text.clone()), "said twice: {text}");
    }
}

#[test]
fn the_safest_choice_comes_first_and_a_risky_one_asks_again() {
    for kind in KINDS {
        for required in [true, false] {
            let view = of(kind, required);
            assert!(
                !view.title.ends_with('.') && !view.title.is_empty(),
                "{kind:?}"
            );
            let first = view.choices.first().expect("a choice");
            assert!(!first.risky, "{kind:?}");
            for choice in &view.choices {
                assert_eq!(choice.risky, !choice.question.is_empty());
                assert_eq!(
                    choice.risky,
                    choice.label.ends_with('…') && choice.act != AlertAct::Options
                );
                if choice.risky {
                    let (title, sentence) = choice.question.split_once('\n').expect("two lines");
                    assert!(title.ends_with('?') && sentence.ends_with('.'));
                }
            }
        }
    }
}

#[test]
fn s_otr_14_where_privacy_is_required_no_notice_offers_to_go_on_without() {
    for kind in KINDS {
        assert!(
            of(kind, true)
                .choices
                .iter()
                .all(|choice| choice.act != AlertAct::ContinueUnencrypted),
            "{kind:?}"
        );
    }
    assert!(
        of(AlertKind::Ended, false)
            .choices
            .iter()
            .any(|choice| choice.act == AlertAct::ContinueUnencrypted && choice.risky)
    );
}

#[test]
fn s_otr_07_a_fault_of_the_other_program_is_text_and_isolated() {
    let context = AlertContext {
        name: "Omar",
        required: false,
        details: "שגיאה %s {}.",
    };
    let view = alert(AlertKind::Fault, context);
    assert!(
        view.text.contains("\u{2068}שגיאה %s {}\u{2069}"),
        "{}",
        view.text
    );
}

#[test]
fn names_are_isolated() {
    let name = "שרה";
    let isolated = "\u{2068}שרה\u{2069}";
    for text in [
        private_started(name, false, false),
        no_answer(name),
        verified(name),
        verification_asked(name, "מתי"),
        policy_text(Policy::Required, PolicyScope::Global {}, name, ""),
        key_in_use(name).message,
    ] {
        assert!(text.contains(isolated), "{text}");
    }
}

#[test]
fn a_policy_says_who_set_it() {
    assert_eq!(
        policy_text(Policy::Required, PolicyScope::Global {}, "Omar", ""),
        "Omar: required, as for everyone"
    );
    let account = PolicyScope::Account {
        account: AccountId(1),
    };
    assert_eq!(
        policy_text(Policy::Off, account, "Omar", "sara@riverside.example"),
        "Omar: no private conversations, as for everyone on sara@riverside.example"
    );
}
