use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::mpsc::channel;

use sotto_api::view::{
    Availability, CertificateSummary, CertificateView, PasswordChange, ProblemView, ProfileView,
    ProtectionKind, QuestionView,
};
use sotto_api::{AccountSettings, CertificateAnswer, Problem, QuestionId, Secret, Timestamp};

use super::*;

#[test]
fn a_locked_profile_is_opened_with_the_passphrase() {
    let api = Script::new(vec![Ok(profile(ProfileState::Locked)), Ok(Reply::Done)]);
    with_session(&api, &[], &["open sesame"], |session| {
        session.open().unwrap();
    });
    let asked = api.asked.borrow();
    assert!(
        matches!(&asked[1], Request::ProfileUnlock { passphrase } if passphrase.expose() == "open sesame")
    );
}

#[test]
fn a_profile_without_a_passphrase_is_waited_for_and_nothing_is_asked() {
    let locked = || Err(ApiError::new(ErrorKind::Locked, "It is locked."));
    let without = |state| match profile(state) {
        Reply::Profile(view) => Reply::Profile(ProfileView {
            protection: Some(ProtectionKind::KeyFile),
            ..view
        }),
        other => other,
    };
    let open = Ok(Reply::Accounts(Vec::new()));
    let damaged = Err(ApiError::new(ErrorKind::Store, "It is damaged."));
    for (last, status) in [(open, None), (damaged, Some(1)), (locked(), Some(3))] {
        let start = Ok(without(ProfileState::Locked));
        let api = Script::new(vec![start, locked(), last]);
        with_events(&api, &[Event::ProfileChanged], &[], &[], |session| {
            let failure = session.open().err();
            assert_eq!(failure.map(|failure| failure.status()), status);
        });
    }
}

#[test]
fn a_script_with_a_wrong_passphrase_gets_no_second_try() {
    let api = Script::new(vec![
        Ok(profile(ProfileState::Locked)),
        Err(ApiError::new(ErrorKind::WrongPassphrase, "No.")),
    ]);
    with_session(&api, &[], &["wrong", "another"], |session| {
        assert_eq!(session.open().unwrap_err().status(), 3);
    });
}

#[test]
fn without_a_profile_the_way_to_make_one_is_named() {
    let api = Script::new(vec![Ok(profile(ProfileState::Absent))]);
    with_session(&api, &[], &[], |session| {
        let failure = session.open().unwrap_err();
        assert_eq!(failure.status(), 3);
        assert!(failure.sentence().contains("sotto-cli profile create"));
    });
}

#[test]
fn with_two_accounts_the_one_that_knows_the_person_is_taken() {
    for (holder, expected) in [(Some(2), Some(2)), (None, None)] {
        let api = Script::new(vec![
            Ok(Reply::Accounts(vec![
                account(1, AccountState::Online),
                account(2, AccountState::Online),
            ])),
            Ok(Reply::Contacts(
                holder.map(group_with).into_iter().collect(),
            )),
        ]);
        with_session(&api, &[], &[], |session| {
            let found = session.account_for("leila@b.example", None);
            assert_eq!(found.ok().map(|a| a.id.0), expected);
        });
    }
}

#[test]
fn a_refused_password_is_told_with_its_own_exit_status() {
    let mut view = account(1, AccountState::NeedsPassword);
    view.problem = Some(ProblemView {
        problem: Problem::WrongPassword,
        title: "Password not accepted".into(),
        text: "Check it.".into(),
        details: String::new(),
    });
    let api = Script::new(vec![Ok(Reply::Accounts(vec![view]))]);
    with_session(&api, &[], &[], |session| {
        let failure = session.online(AccountId(1), OnTrouble::Wait).unwrap_err();
        assert_eq!(failure.status(), 4);
    });
}

#[test]
fn a_certificate_named_beforehand_is_accepted_in_whatever_form_it_was_written() {
    for given in ["AB".repeat(32), "ab:".repeat(32), "cd ".repeat(32)] {
        let api = Script::new(vec![
            Ok(Reply::Accounts(vec![account(1, AccountState::NeedsAnswer)])),
            Ok(Reply::Questions(vec![question()])),
            Ok(Reply::Done),
            Ok(Reply::Accounts(vec![account(1, AccountState::Online)])),
        ]);
        with_session(&api, &[&given], &[], |session| {
            session.online(AccountId(1), OnTrouble::Wait).unwrap();
        });
        assert!(matches!(
            api.asked.borrow()[2],
            Request::CertificateAnswer {
                question: QuestionId(9),
                answer: CertificateAnswer::Always
            }
        ));
    }
}

#[test]
fn an_unknown_certificate_is_shown_and_not_accepted() {
    for given in ["", "ab", &"ef".repeat(32)] {
        let api = Script::new(vec![
            Ok(Reply::Accounts(vec![account(1, AccountState::NeedsAnswer)])),
            Ok(Reply::Questions(vec![question()])),
        ]);
        with_session(&api, &[given], &[], |session| {
            let failure = session.online(AccountId(1), OnTrouble::Wait).unwrap_err();
            assert_eq!(failure.status(), 5);
            assert!(failure.sentence().contains("abab abab"), "{failure:?}");
        });
    }
}

#[test]
fn an_account_that_does_not_get_online_is_told_after_the_limit() {
    let api = Script::new(vec![
        Ok(Reply::Accounts(vec![account(1, AccountState::Connecting)])),
        Ok(Reply::Accounts(vec![account(1, AccountState::Connecting)])),
    ]);
    with_session(&api, &[], &[], |session| {
        let failure = session.online(AccountId(1), OnTrouble::Wait).unwrap_err();
        assert_eq!(failure.status(), 6);
    });
}

/// Answers requests from a list, in order, and keeps what was asked.
struct Script {
    answers: RefCell<VecDeque<Result<Reply, ApiError>>>,
    asked: RefCell<Vec<Request>>,
}

impl Script {
    fn new(answers: Vec<Result<Reply, ApiError>>) -> Self {
        Self {
            answers: RefCell::new(answers.into()),
            asked: RefCell::default(),
        }
    }
}

impl Api for Script {
    fn call(&self, request: Request) -> Result<Reply, ApiError> {
        self.asked.borrow_mut().push(request);
        self.answers
            .borrow_mut()
            .pop_front()
            .expect("the script has an answer for each request")
    }
}

struct Typed(VecDeque<String>);

impl Asker for Typed {
    fn secret(&mut self, prompt: &str) -> Done<Secret> {
        self.0
            .pop_front()
            .map(Secret::new)
            .ok_or_else(|| Failure::Usage(prompt.to_owned()))
    }
    fn new_secret(&mut self, prompt: &str) -> Done<Secret> {
        self.secret(prompt)
    }
    fn line(&mut self, _: &str) -> Done<Option<String>> {
        Ok(None)
    }
    fn interactive(&self) -> bool {
        false
    }
}

fn with_session(
    api: &Script,
    accept: &[&str],
    typed: &[&str],
    act: impl FnOnce(&mut Session<'_, Vec<u8>>),
) {
    with_events(api, &[], accept, typed, act);
}

fn with_events(
    api: &Script,
    come: &[Event],
    accept: &[&str],
    typed: &[&str],
    act: impl FnOnce(&mut Session<'_, Vec<u8>>),
) {
    let (sender, events) = channel();
    for event in come {
        sender.send(event.clone()).unwrap();
    }
    let mut asker = Typed(typed.iter().map(|&t| t.to_owned()).collect());
    act(&mut Session {
        api,
        events: &events,
        asker: &mut asker,
        out: Output::new(Vec::new(), true),
        accept: accept.iter().map(|&a| a.to_owned()).collect(),
        limit: Duration::ZERO,
        zone: TimeZone::UTC,
    });
}

fn profile(state: ProfileState) -> Reply {
    Reply::Profile(ProfileView {
        state,
        protection: Some(ProtectionKind::Passphrase),
        folder: "/p".into(),
        warning: String::new(),
    })
}

fn account(id: i64, state: AccountState) -> AccountView {
    AccountView {
        id: AccountId(id),
        network: "xmpp".into(),
        address: format!("sara{id}@a.example"),
        enabled: true,
        remembered: true,
        state,
        state_text: String::new(),
        problem: None,
        availability: Availability::Available,
        status_text: String::new(),
        avatar: None,
        settings: AccountSettings::default(),
        password_change: PasswordChange::Possible,
        connection: String::new(),
        accepted_certificates: Vec::new(),
    }
}

fn group_with(account: i64) -> sotto_api::view::ContactGroup {
    serde_json::from_value(serde_json::json!({
        "name": "", "online": 0, "total": 1,
        "contacts": [{
            "id": 1, "name": "Leila", "initials": "L", "colour": 0, "avatar": null,
            "addresses": [{
                "account": account, "address": "leila@b.example", "ascii": null,
                "subscription": "both", "asking": false, "availability": "offline"
            }],
            "groups": [], "availability": "offline", "availability_text": "Offline", "status_text": "",
            "conversation": null, "unread": 0, "preview": "", "preview_is_draft": false,
            "preview_failed": false, "last_at": null, "blocked": false, "spoken": ""
        }]
    }))
    .expect("the example is a group")
}

fn question() -> QuestionView {
    QuestionView::Certificate {
        id: QuestionId(9),
        account: Some(AccountId(1)),
        domain: "a.example".into(),
        reason: "Nobody vouches for it.".into(),
        now: Box::new(CertificateView {
            summary: CertificateSummary {
                subject: "a.example".into(),
                issuer: "itself".into(),
                not_before: Timestamp(0),
                not_after: Timestamp(0),
                sha256: "ab".repeat(32),
                key_sha256: "cd".repeat(32),
            },
            names: vec!["a.example".into()],
            pem: String::new(),
        }),
        before: None,
    }
}
