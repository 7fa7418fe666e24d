use std::net::Ipv4Addr;

use sotto_testkit::dns::{Answer, DnsServer, kind};

use super::*;

fn record(priority: u16, weight: u16, host: &str) -> Record {
    Record {
        priority,
        weight,
        target: Target {
            host: host.into(),
            port: 5222,
            direct_tls: false,
        },
    }
}

fn hosts(targets: &[Target]) -> Vec<&str> {
    targets.iter().map(|t| t.host.as_str()).collect()
}

#[test]
fn a_lower_priority_number_comes_first() {
    let records = vec![record(20, 100, "late"), record(10, 0, "early")];
    assert_eq!(hosts(&order(records, |_| 0)), ["early", "late"]);
}

#[test]
fn chance_follows_weight() {
    let records = || vec![record(0, 1, "one"), record(0, 9, "nine")];
    assert_eq!(order(records(), |n| n)[0].host, "nine");
    assert_eq!(order(records(), |_| 1)[0].host, "one");
    assert_eq!(order(records(), |_| 2)[0].host, "nine");
}

#[test]
fn weight_zero_is_chosen_only_at_zero() {
    let records = || vec![record(0, 5, "five"), record(0, 0, "zero")];
    assert_eq!(order(records(), |_| 0)[0].host, "zero");
    assert_eq!(order(records(), |_| 1)[0].host, "five");
}

#[test]
fn s_tls_14_a_thousand_targets_of_weight_zero_are_no_more_than_32() {
    let records = (0..1000).map(|i| record(0, 0, &format!("h{i}"))).collect();
    assert_eq!(order(records, |n| n).len(), 32);
}

#[tokio::test]
async fn literal_addresses_and_localhost_are_never_asked_of_dns() {
    // Nobody listens there: a question would fail.
    let dns = Dns::new(Some(vec!["127.0.0.1:1".parse().unwrap()]));
    assert_eq!(
        dns.addresses("192.0.2.1", 5).await.unwrap(),
        ["192.0.2.1:5".parse().unwrap()]
    );
    assert_eq!(
        dns.addresses("[2001:db8::1]", 5).await.unwrap(),
        ["[2001:db8::1]:5".parse().unwrap()]
    );
    assert_eq!(
        dns.addresses("localhost", 5).await.unwrap(),
        ["127.0.0.1:5".parse().unwrap()]
    );
    assert_eq!(dns.services("192.0.2.1").await.unwrap(), Found::None);
}

#[tokio::test]
async fn s_tls_13_names_of_tor_are_never_asked_of_dns() {
    let (server, dns) = asked(|_, _| Answer::Failure);
    for host in ["abc.onion", "chat.abc.ONION", "abc.onion."] {
        assert_eq!(dns.services(host).await.unwrap(), Found::None);
        let refused = dns.addresses(host, 5222).await.unwrap_err();
        assert!(
            matches!(&refused, CloseReason::Unreachable(why) if why.contains("Tor")),
            "{refused:?}"
        );
    }
    assert!(server.questions().is_empty());
}

fn asked(answer: impl Fn(&str, u16) -> Answer + Send + 'static) -> (DnsServer, Dns) {
    let server = DnsServer::start(answer).unwrap();
    let dns = Dns::new(Some(vec![server.address()]));
    (server, dns)
}

fn srv(priority: u16, port: u16, target: &str) -> Answer {
    Answer::Srv(vec![(priority, 0, port, target.to_owned())])
}

#[tokio::test]
async fn both_kinds_of_service_are_one_list() {
    let (server, dns) = asked(|name, _| match name {
        "_xmpps-client._tcp.river.test" => srv(20, 5223, "late.river.test"),
        "_xmpp-client._tcp.river.test" => srv(10, 5222, "early.river.test"),
        _ => Answer::NoSuchName,
    });
    let Found::Targets(targets) = dns.services("river.test").await.unwrap() else {
        panic!("no targets");
    };
    assert_eq!(hosts(&targets), ["early.river.test.", "late.river.test."]);
    assert_eq!(
        targets.iter().map(|t| t.port).collect::<Vec<_>>(),
        [5222, 5223]
    );
    assert_eq!(
        targets.iter().map(|t| t.direct_tls).collect::<Vec<_>>(),
        [false, true]
    );
    let mut questions = server.questions();
    questions.sort();
    assert_eq!(questions.len(), 2);
    assert!(questions.iter().all(|(_, asked)| *asked == kind::SRV));
}

#[tokio::test]
async fn one_kind_may_be_decidedly_absent() {
    let (_server, dns) = asked(|name, _| match name {
        "_xmpps-client._tcp.river.test" => srv(0, 0, "."),
        _ => srv(0, 5222, "x.river.test"),
    });
    let Found::Targets(targets) = dns.services("river.test").await.unwrap() else {
        panic!("no targets");
    };
    assert_eq!(hosts(&targets), ["x.river.test."]);
}

#[tokio::test]
async fn a_domain_that_says_it_has_no_server_is_not_guessed_at() {
    let (_server, dns) = asked(|name, _| match name {
        "_xmpp-client._tcp.river.test" => srv(0, 0, "."),
        _ => Answer::NoSuchName,
    });
    assert_eq!(
        dns.services("river.test").await,
        Err(CloseReason::UnknownServer)
    );
}

#[tokio::test]
async fn no_record_means_the_domain_itself() {
    for answer in [Answer::NoSuchName, Answer::Nothing] {
        let (_server, dns) = asked(move |_, _| answer.clone());
        assert_eq!(dns.services("river.test").await, Ok(Found::None));
    }
}

#[tokio::test]
async fn a_router_that_knows_no_services_does_not_hide_the_domain() {
    let (_server, dns) = asked(|_, asked| match asked {
        kind::SRV => Answer::Failure,
        _ => Answer::Addresses(vec![Ipv4Addr::new(192, 0, 2, 7).into()]),
    });
    assert_eq!(dns.services("river.test").await, Ok(Found::None));
    assert_eq!(
        dns.addresses("river.test", 5222).await.unwrap(),
        ["192.0.2.7:5222".parse().unwrap()]
    );
}

#[tokio::test]
async fn r_net_06_no_such_name_and_a_failing_server_are_told_apart() {
    let (_server, dns) = asked(|_, _| Answer::NoSuchName);
    assert_eq!(
        dns.addresses("gone.test", 1).await,
        Err(CloseReason::UnknownServer)
    );
    let (_server, dns) = asked(|_, _| Answer::Failure);
    assert!(matches!(
        dns.addresses("gone.test", 1).await,
        Err(CloseReason::DnsFailed(_))
    ));
}

#[tokio::test]
async fn both_families_are_asked_for_and_take_turns() {
    let (_server, dns) = asked(|_, _| {
        Answer::Addresses(vec![
            "192.0.2.1".parse().unwrap(),
            "192.0.2.2".parse().unwrap(),
            "2001:db8::1".parse().unwrap(),
            "2001:db8::2".parse().unwrap(),
        ])
    });
    let found = dns.addresses("x.test", 5).await.unwrap();
    let six: Vec<bool> = found.iter().map(SocketAddr::is_ipv6).collect();
    assert_eq!(six, [true, false, true, false]);
}

#[tokio::test]
async fn one_failing_family_does_not_hide_the_other() {
    let (_server, dns) = asked(|_, asked| match asked {
        kind::AAAA => Answer::Failure,
        _ => Answer::Addresses(vec![Ipv4Addr::LOCALHOST.into()]),
    });
    assert_eq!(dns.addresses("x.test", 5).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn s_tls_14_cut_off_looping_and_meaningless_answers_are_failures() {
    for answer in [
        Answer::CutOff,
        Answer::Loop,
        Answer::Bytes(vec![0xff; 3]),
        Answer::Bytes(vec![0xff; 600]),
        Answer::Bytes(Vec::new()),
    ] {
        let (_server, dns) = asked({
            let answer = answer.clone();
            move |_, _| answer.clone()
        });
        let found = dns.addresses("x.test", 5).await;
        assert!(found.is_err(), "{answer:?}: {found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn r_net_06_a_silent_server_is_given_up_in_time() {
    let (_server, dns) = asked(|_, _| Answer::Silence);
    let before = tokio::time::Instant::now();
    assert!(matches!(
        dns.services("river.test").await,
        Err(CloseReason::DnsFailed(_))
    ));
    assert!(
        before.elapsed() < Duration::from_secs(10),
        "{:?}",
        before.elapsed()
    );
}
