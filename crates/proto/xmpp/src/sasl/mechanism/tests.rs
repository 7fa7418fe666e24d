use zeroize::Zeroizing;

use super::*;
use crate::stream::{TlsVersion, UserAgent};

fn login() -> Login {
    Login {
        username: "u".to_owned(),
        password: Some(Zeroizing::new("p".to_owned())),
        external: false,
        allow_plain: false,
        resource: None,
        user_agent: UserAgent::default(),
        resume: None,
        remembered: None,
    }
}

fn remembering(mechanism: &str, channel_binding: bool) -> Login {
    Login {
        remembered: Some(MechanismMemory {
            mechanism: mechanism.to_owned(),
            channel_binding,
        }),
        ..login()
    }
}

fn tls() -> TlsBinding {
    TlsBinding {
        exporter: Some([1; 32]),
        server_end_point: Some(vec![2; 32]),
        version: TlsVersion::Tls13,
    }
}

fn without_binding() -> TlsBinding {
    TlsBinding {
        exporter: None,
        server_end_point: None,
        version: TlsVersion::Tls12,
    }
}

fn offer(mechanisms: &[&str], bindings: Option<&[&str]>) -> Offer {
    let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Offer {
        mechanisms: owned(mechanisms),
        bindings: bindings.map(owned),
    }
}

fn chosen(
    offer: &Offer,
    login: &Login,
    tls: &TlsBinding,
) -> Result<(String, String), StreamFailure> {
    offer.choose(login, tls, &[]).map(|choice| {
        let flag = match &choice {
            Choice::Scram { gs2, .. } => match gs2 {
                Gs2::None => "n".to_owned(),
                Gs2::ClientOnly => "y".to_owned(),
                Gs2::Bound { name, .. } => format!("p={name}"),
            },
            Choice::External | Choice::Plain => String::new(),
        };
        (choice.name().to_owned(), flag)
    })
}

fn ok(name: &str, flag: &str) -> Result<(String, String), StreamFailure> {
    Ok((name.to_owned(), flag.to_owned()))
}

#[test]
fn the_strongest_common_mechanism_is_used() {
    let all = [
        "PLAIN",
        "SCRAM-SHA-1",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256-PLUS",
        "SCRAM-SHA-512",
        "SCRAM-SHA-512-PLUS",
        "X-OAUTH2",
    ];
    let both = offer(&all, Some(&["tls-server-end-point", "tls-exporter"]));
    assert_eq!(
        chosen(&both, &login(), &tls()),
        ok("SCRAM-SHA-512-PLUS", "p=tls-exporter")
    );
    let end_point = offer(&all[..5], Some(&["tls-server-end-point"]));
    assert_eq!(
        chosen(&end_point, &login(), &tls()),
        ok("SCRAM-SHA-256-PLUS", "p=tls-server-end-point")
    );
    assert_eq!(
        chosen(&both, &login(), &without_binding()),
        ok("SCRAM-SHA-512", "n")
    );
}

#[test]
fn prosody_0_12_is_signed_in_to_by_scram_and_not_by_plain() {
    let prosody = offer(&["PLAIN", "SCRAM-SHA-1"], None);
    let plain_allowed = Login {
        allow_plain: true,
        ..login()
    };
    assert_eq!(
        chosen(&prosody, &plain_allowed, &tls()),
        ok("SCRAM-SHA-1", "y")
    );
    assert_eq!(
        chosen(&prosody, &login(), &without_binding()),
        ok("SCRAM-SHA-1", "n")
    );
}

#[test]
fn ejabberd_23_is_not_told_that_it_cannot_bind() {
    // It offers -PLUS without types and refuses tls-exporter; `y` would make it refuse as well.
    let ejabberd = offer(
        &["PLAIN", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "X-OAUTH2"],
        None,
    );
    assert_eq!(
        chosen(&ejabberd, &login(), &tls()),
        ok("SCRAM-SHA-256", "n")
    );
}

#[test]
fn s_tls_07_plain_is_used_only_where_allowed_and_when_nothing_better_is_there() {
    let plain = offer(&["PLAIN"], None);
    assert!(matches!(
        chosen(&plain, &login(), &tls()),
        Err(StreamFailure::MechanismTooWeak { offered }) if offered == ["PLAIN"]
    ));
    let allowed = Login {
        allow_plain: true,
        ..login()
    };
    assert_eq!(chosen(&plain, &allowed, &tls()), ok("PLAIN", ""));
    let unknown = offer(&["CRAM-MD5", "DIGEST-MD5", "SCRAM-MD5"], None);
    assert!(matches!(
        chosen(&unknown, &allowed, &tls()),
        Err(StreamFailure::MechanismTooWeak { .. })
    ));
}

#[test]
fn a_client_certificate_is_used_where_the_server_takes_it() {
    let external = Login {
        external: true,
        password: None,
        ..login()
    };
    let takes = offer(&["EXTERNAL", "SCRAM-SHA-1"], None);
    assert_eq!(chosen(&takes, &external, &tls()), ok("EXTERNAL", ""));
    let takes_not = offer(&["SCRAM-SHA-1"], None);
    assert_eq!(
        chosen(&takes_not, &external, &tls()),
        Err(StreamFailure::NoPassword)
    );
    let no_certificate = Login {
        external: false,
        ..login()
    };
    assert_eq!(
        chosen(&takes, &no_certificate, &tls()),
        ok("SCRAM-SHA-1", "y")
    );
}

#[test]
fn s_tls_07_a_weaker_mechanism_than_before_is_a_downgrade() {
    let weaker = offer(&["SCRAM-SHA-1", "PLAIN"], None);
    let login = remembering("SCRAM-SHA-256", false);
    assert!(matches!(
        chosen(&weaker, &login, &tls()),
        Err(StreamFailure::Downgrade { offered, .. }) if offered == ["SCRAM-SHA-1", "PLAIN"]
    ));
    let plain_only = Login {
        allow_plain: true,
        ..remembering("SCRAM-SHA-1", false)
    };
    assert!(matches!(
        chosen(&offer(&["PLAIN"], None), &plain_only, &tls()),
        Err(StreamFailure::Downgrade { .. })
    ));
    let stronger = offer(&["SCRAM-SHA-512", "SCRAM-SHA-1"], None);
    assert_eq!(chosen(&stronger, &login, &tls()), ok("SCRAM-SHA-512", "y"));
    let same = offer(&["SCRAM-SHA-256"], None);
    assert_eq!(chosen(&same, &login, &tls()), ok("SCRAM-SHA-256", "y"));
}

#[test]
fn s_tls_07_without_its_certificate_login_a_server_is_weaker() {
    let login = Login {
        external: true,
        ..remembering("EXTERNAL", false)
    };
    let without = offer(&["SCRAM-SHA-512"], None);
    assert!(matches!(
        chosen(&without, &login, &tls()),
        Err(StreamFailure::Downgrade { .. })
    ));
    // The person took the certificate away.
    let login = remembering("EXTERNAL", false);
    assert_eq!(chosen(&without, &login, &tls()), ok("SCRAM-SHA-512", "y"));
}

#[test]
fn s_tls_06_channel_binding_that_was_used_must_stay() {
    let login = remembering("SCRAM-SHA-256", true);
    let types: &[&str] = &["tls-exporter", "tls-server-end-point"];
    let bound = offer(&["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], Some(types));
    assert_eq!(
        chosen(&bound, &login, &tls()),
        ok("SCRAM-SHA-256-PLUS", "p=tls-exporter")
    );
    for stripped in [
        offer(&["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], None),
        offer(&["SCRAM-SHA-256"], None),
        offer(&["SCRAM-SHA-512"], None),
        offer(
            &["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"],
            Some(&["tls-unique"]),
        ),
    ] {
        assert!(
            matches!(
                chosen(&stripped, &login, &tls()),
                Err(StreamFailure::Downgrade { .. })
            ),
            "{stripped:?}"
        );
    }
}

#[test]
fn s_tls_06_binding_types_without_a_mechanism_for_them_are_a_downgrade() {
    // XEP-0440 §3 rule 5.
    let stripped = offer(&["SCRAM-SHA-256"], Some(&["tls-exporter"]));
    assert!(matches!(
        chosen(&stripped, &login(), &tls()),
        Err(StreamFailure::Downgrade { .. })
    ));
}

#[test]
fn s_tls_06_a_list_of_types_without_the_mandatory_one_must_be_proved() {
    // XEP-0440 §3 rule 6, relaxed by XEP-0474 §5.
    let odd = offer(
        &["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"],
        Some(&["tls-unique"]),
    );
    assert!(matches!(
        odd.choose(&login(), &tls(), &[]),
        Ok(Choice::Scram {
            gs2: Gs2::None,
            proof_needed: true,
            ..
        })
    ));
}

#[test]
fn the_list_is_hashed_as_xep_0474_shows() {
    // Its example: two mechanisms, two types, sorted.
    let offer = offer(
        &["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"],
        Some(&["tls-server-end-point", "tls-exporter"]),
    );
    assert_eq!(
        offer.downgrade_input(),
        b"SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1ftls-exporter\x1etls-server-end-point"
    );
    let without = Offer {
        bindings: None,
        ..offer
    };
    assert_eq!(
        without.downgrade_input(),
        b"SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS"
    );
}
