//! Signing in: passwords, certificates, retries, several accounts.

use std::time::Duration;

use sotto_api::view::{AccountState, QuestionView};
use sotto_api::{CertificateAnswer, ErrorKind, Problem, Reply, Request, Secret};

use super::harness::server::Server;
use super::harness::{DOMAIN, PASSWORD, Who, World, certificate};

fn problem(world: &mut World, who: Who) -> Option<Problem> {
    let account = world.accounts(who).remove(0);
    account.problem.map(|view| view.problem)
}

fn with_alice() -> (World, Who) {
    let mut world = World::new();
    world.servers[0].add_user("alice", PASSWORD);
    let who = world.add_player();
    (world, who)
}

fn password(world: &mut World, who: Who, password: &str, remember: bool) {
    let account = world.accounts(who)[0].id;
    world.ask(
        who,
        Request::AccountPassword {
            account,
            password: Secret::new(password.into()),
            remember,
        },
    );
    world.settle();
}

// ---- passwords -----------------------------------------------------------------------------------

#[test]
fn a_wrong_password_is_told_and_never_tried_again_by_itself() {
    let (mut world, who) = with_alice();
    let account = world.add_account(who, "alice@example.org", "wrong", true);
    world.settle();
    let view = world.account(who, account);
    assert_eq!(view.state, AccountState::NeedsPassword);
    assert_eq!(problem(&mut world, who), Some(Problem::WrongPassword));
    assert!(
        !view.remembered,
        "a password that was never accepted is not stored"
    );
    let dials = world.dialled(who).len();
    world.pass(Duration::from_secs(3600));
    world.network_up(who);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.dialled(who).len(), dials);
    password(&mut world, who, PASSWORD, true);
    let view = world.account(who, account);
    assert_eq!(view.state, AccountState::Online);
    assert!(view.remembered);
    assert!(view.problem.is_none());
}

#[test]
fn a_refused_password_keeps_the_stored_one() {
    let (mut world, who) = with_alice();
    let account = world.sign_in(who, "alice");
    password(&mut world, who, "typed wrongly", true);
    assert_eq!(
        world.account(who, account).state,
        AccountState::NeedsPassword
    );
    world.kill(who);
    world.restart(who);
    world.settle();
    // The stored one still is the one that was accepted.
    assert_eq!(world.account(who, account).state, AccountState::Online);
}

#[test]
fn a_password_that_is_not_to_be_remembered_lasts_until_the_end() {
    let (mut world, who) = with_alice();
    let account = world.add_account(who, "alice@example.org", PASSWORD, false);
    world.settle();
    assert_eq!(world.account(who, account).state, AccountState::Online);
    world.servers[0].refuse_resume = true;
    world.cut(who);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.account(who, account).state, AccountState::Online);
    world.kill(who);
    world.restart(who);
    world.settle();
    assert_eq!(
        world.account(who, account).state,
        AccountState::NeedsPassword
    );
    assert_eq!(problem(&mut world, who), Some(Problem::NoPassword));
}

// ---- certificates --------------------------------------------------------------------------------

fn question(world: &mut World, who: Who) -> Option<QuestionView> {
    match world.ask(who, Request::QuestionList {}) {
        Reply::Questions(mut questions) => questions.pop(),
        other => panic!("{other:?}"),
    }
}

fn answer(world: &mut World, who: Who, answer: CertificateAnswer) {
    let Some(QuestionView::Certificate { id, .. }) = question(world, who) else {
        panic!("no question")
    };
    world.ask(
        who,
        Request::CertificateAnswer {
            question: id,
            answer,
        },
    );
    world.settle();
}

#[test]
fn an_unknown_certificate_is_asked_about_and_always_is_remembered() {
    let (mut world, who) = with_alice();
    world.show_certificate(who, Some(certificate(7)));
    let account = world.add_account(who, "alice@example.org", PASSWORD, true);
    world.settle();
    assert_eq!(world.account(who, account).state, AccountState::NeedsAnswer);
    let Some(QuestionView::Certificate { before, domain, .. }) = question(&mut world, who) else {
        panic!("no question")
    };
    assert_eq!((before, domain.as_str()), (None, DOMAIN));
    answer(&mut world, who, CertificateAnswer::Always);
    let view = world.account(who, account);
    assert_eq!(view.state, AccountState::Online);
    assert_eq!(view.accepted_certificates.len(), 1);
    assert!(question(&mut world, who).is_none());
    world.kill(who);
    world.restart(who);
    world.settle();
    assert_eq!(world.account(who, account).state, AccountState::Online);
}

#[test]
fn this_time_lasts_until_the_program_ends() {
    let (mut world, who) = with_alice();
    world.show_certificate(who, Some(certificate(7)));
    let account = world.add_account(who, "alice@example.org", PASSWORD, true);
    world.settle();
    answer(&mut world, who, CertificateAnswer::ThisTime);
    assert_eq!(world.account(who, account).state, AccountState::Online);
    world.cut(who);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.account(who, account).state, AccountState::Online);
    world.kill(who);
    world.restart(who);
    world.settle();
    assert_eq!(world.account(who, account).state, AccountState::NeedsAnswer);
}

#[test]
fn a_refused_certificate_keeps_the_account_offline_until_it_is_retried() {
    let (mut world, who) = with_alice();
    world.show_certificate(who, Some(certificate(7)));
    let account = world.add_account(who, "alice@example.org", PASSWORD, true);
    world.settle();
    answer(&mut world, who, CertificateAnswer::Reject);
    assert_eq!(world.account(who, account).state, AccountState::Stopped);
    assert_eq!(problem(&mut world, who), Some(Problem::Certificate));
    world.pass(Duration::from_secs(3600));
    assert_eq!(world.dialled(who).len(), 1);
    world.show_certificate(who, None);
    world.ask(who, Request::AccountRetry { account: None });
    world.settle();
    assert_eq!(world.account(who, account).state, AccountState::Online);
}

#[test]
fn a_changed_certificate_says_what_it_was_before() {
    let (mut world, who) = with_alice();
    world.sign_in(who, "alice");
    world.show_certificate(who, Some(certificate(9)));
    world.cut(who);
    world.pass(Duration::from_secs(5));
    let Some(QuestionView::Certificate { before, reason, .. }) = question(&mut world, who) else {
        panic!("no question")
    };
    assert_eq!(
        before.map(|before| before.key_sha256),
        Some(certificate(1).summary.key_sha256)
    );
    assert!(reason.contains("different certificate"), "{reason}");
}

#[test]
fn s_tls_05_an_exception_is_for_one_account_and_one_key() {
    let (mut world, who) = with_alice();
    world.servers[0].add_user("carol", PASSWORD);
    world.show_certificate(who, Some(certificate(7)));
    world.add_account(who, "alice@example.org", PASSWORD, true);
    world.settle();
    answer(&mut world, who, CertificateAnswer::Always);
    let carol = world.add_account(who, "carol@example.org", PASSWORD, true);
    world.settle();
    assert_eq!(world.account(who, carol).state, AccountState::NeedsAnswer);
    answer(&mut world, who, CertificateAnswer::Always);
    world.show_certificate(who, Some(certificate(8)));
    world.cut(who);
    world.pass(Duration::from_secs(5));
    for view in world.accounts(who) {
        assert_eq!(view.state, AccountState::NeedsAnswer, "another key");
    }
}

// ---- the network ---------------------------------------------------------------------------------

#[test]
fn r_net_12_a_dead_server_does_not_disturb_another_account() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let mut dead = Server::new("dead.example");
    dead.add_user("alice", PASSWORD);
    dead.frozen = true;
    world.servers.push(dead);
    let other = world.add_account(who[0], "alice@dead.example", PASSWORD, true);
    for number in 0..20 {
        world.say(who[0], "bob@example.org", &number.to_string());
        world.settle();
        assert_eq!(
            world.bodies(who[1], "alice@example.org").len(),
            number + 1,
            "it arrives without the clock going on"
        );
        world.pass(Duration::from_secs(10));
    }
    assert_ne!(world.account(who[0], other).state, AccountState::Online);
    let view = &world.accounts(who[0])[0];
    assert_eq!(view.state, AccountState::Online);
}

#[test]
fn a_lost_account_waits_longer_each_time_and_the_network_coming_up_ends_the_wait() {
    let (mut world, who) = with_alice();
    let account = world.sign_in(who, "alice");
    world.pass(Duration::from_secs(60));
    let before = world.dialled(who).len();
    world.cut_off(who, true);
    world.pass(Duration::from_secs(1));
    assert_eq!(
        world.dialled(who).len(),
        before + 1,
        "first try within a second"
    );
    world.pass(Duration::from_secs(299));
    let tries = world.dialled(who).len() - before;
    assert!((8..=14).contains(&tries), "{tries} tries in five minutes");
    let AccountState::Waiting { .. } = world.account(who, account).state else {
        panic!("not waiting")
    };
    world.cut_off(who, false);
    world.network_up(who);
    world.settle();
    assert_eq!(world.account(who, account).state, AccountState::Online);
}

#[test]
fn r_net_04_a_connection_that_leads_nowhere_after_a_change_of_network_is_replaced_quickly() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.servers[0].frozen = true;
    world.network_up(who[0]);
    world.pass(Duration::from_millis(2500));
    world.servers[0].frozen = false;
    world.settle();
    let dials = world.dialled(who[0]).len();
    assert_eq!(dials, 2);
    world.network_up(who[0]);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.dialled(who[0]).len(), dials, "a living one stays");
    world.say(who[0], "bob@example.org", "still here");
    world.settle();
    assert_eq!(world.bodies(who[1], "alice@example.org"), ["still here"]);
}

#[test]
fn r_sys_01_a_jump_of_the_wall_clock_changes_no_timer_and_no_order() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    for (number, jump) in [0, 86_400_000, -172_800_000, 31_536_000_000, -60_000_000_000]
        .into_iter()
        .enumerate()
    {
        world.now.unix_ms += jump;
        world.say(who[0], "bob@example.org", &number.to_string());
        world.cut(who[0]);
        world.pass(Duration::from_secs(60));
        let view = &world.accounts(who[0])[0];
        assert_eq!(
            view.state,
            AccountState::Online,
            "after a jump of {jump} ms"
        );
    }
    let expected = ["0", "1", "2", "3", "4"];
    assert_eq!(world.bodies(who[1], "alice@example.org"), expected);
    assert_eq!(world.bodies(who[0], "bob@example.org"), expected);
}

// ---- on, off, away -------------------------------------------------------------------------------

#[test]
fn an_account_is_switched_off_and_on_and_removed() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    let account = world.accounts(who[0])[0].id;
    world.ask(
        who[0],
        Request::AccountEnable {
            account,
            enabled: false,
        },
    );
    world.settle();
    assert_eq!(world.account(who[0], account).state, AccountState::Disabled);
    assert!(!world.servers[0].users_with_sessions().contains("alice"));
    world.kill(who[0]);
    world.restart(who[0]);
    world.settle();
    assert_eq!(world.account(who[0], account).state, AccountState::Disabled);
    world.ask(
        who[0],
        Request::AccountEnable {
            account,
            enabled: true,
        },
    );
    world.settle();
    assert_eq!(world.account(who[0], account).state, AccountState::Online);
    let removal = Request::AccountRemove {
        account,
        erase_history: true,
    };
    world.ask_for_long(who[0], removal);
    assert!(world.accounts(who[0]).is_empty());
    assert!(!world.servers[0].users_with_sessions().contains("alice"));
}

#[test]
fn the_end_signs_out_properly_and_is_quick_even_when_the_server_is_dead() {
    let (mut world, who) = World::of(&["alice", "bob"]);
    world.say(who[0], "bob@example.org", "last words");
    world.ask(who[0], Request::Quit {});
    world.settle();
    assert!(world.has_ended(who[0]));
    assert!(!world.servers[0].users_with_sessions().contains("alice"));
    assert_eq!(world.bodies(who[1], "alice@example.org"), ["last words"]);
    world.servers[0].frozen = true;
    world.ask(who[1], Request::Quit {});
    assert!(!world.has_ended(who[1]));
    world.pass(Duration::from_secs(2));
    assert!(world.has_ended(who[1]));
}

#[test]
fn addresses_that_cannot_be_are_refused_next_to_the_field() {
    let mut world = World::new();
    let who = world.add_player();
    for address in ["", "alice", "@example.org", "alice@", "a b@example.org"] {
        let refused = world.try_ask(
            who,
            Request::AccountAdd {
                network: "xmpp".into(),
                address: address.into(),
                password: None,
                remember: true,
                settings: Default::default(),
            },
        );
        let error = refused.expect_err(address);
        assert_eq!(error.kind, ErrorKind::Invalid, "{address}");
        assert!(error.field.is_some(), "{address}");
    }
}

#[test]
fn secrets_in_settings_are_blanked_in_views_and_kept_when_they_come_back_blank() {
    let (mut world, who) = with_alice();
    let account = world.sign_in(who, "alice");
    let mut settings = world.account(who, account).settings;
    settings.proxy = Some(sotto_api::Proxy {
        kind: sotto_api::ProxyKind::Socks5,
        host: "127.0.0.1".into(),
        port: 9050,
        username: Some("u".into()),
        password: Some(Secret::new("canary".into())),
    });
    world.ask(who, Request::AccountConfigure { account, settings });
    world.settle();
    let mut shown = world.account(who, account).settings;
    assert!(!serde_json::to_string(&shown).unwrap().contains("canary"));
    shown.priority = 5;
    world.ask(
        who,
        Request::AccountConfigure {
            account,
            settings: shown,
        },
    );
    world.cut(who);
    world.pass(Duration::from_secs(2));
    let plan = world.dialled(who).last().unwrap();
    let proxy = plan.proxy.as_ref().unwrap();
    assert_eq!(proxy.password.as_ref().unwrap().expose(), "canary");
}
