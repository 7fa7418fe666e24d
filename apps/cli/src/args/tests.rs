use clap::CommandFactory;
use sotto_api::ProxyKind;

use super::*;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn no_argument_takes_a_password_or_passphrase() {
    // The names of all options with a value, in every subcommand.
    fn walk(command: &clap::Command, found: &mut Vec<String>) {
        for arg in command.get_arguments() {
            let takes_value = arg.get_action().takes_values();
            let id = arg.get_id().as_str();
            if takes_value && (id.contains("password") || id.contains("passphrase")) {
                found.push(format!("{} {id}", command.get_name()));
            }
        }
        for sub in command.get_subcommands() {
            walk(sub, found);
        }
    }
    let mut found = Vec::new();
    walk(&Cli::command(), &mut found);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn options_for_all_commands_may_stand_behind_them() {
    let cli = parse(&["account", "list", "--json", "--profile", "/p"]);
    assert!(cli.json);
    assert_eq!(cli.profile, Some(PathBuf::from("/p")));
    assert_eq!(cli.timeout, 30);
}

#[test]
fn send_waits_for_the_server_unless_told_otherwise() {
    let Command::Send(send) = parse(&["send", "leila@b.example", "hello"]).command else {
        panic!("not send");
    };
    assert_eq!(send.wait, WaitFor::Sent);
    assert_eq!(send.text.as_deref(), Some("hello"));
    let Command::Send(send) = parse(&["send", "--wait", "none", "leila@b.example"]).command else {
        panic!("not send");
    };
    assert_eq!((send.wait, send.text), (WaitFor::None, None));
}

#[test]
fn history_alone_prints_and_its_commands_decide_what_is_kept() {
    let history = |words: &[&str]| match parse(words).command {
        Command::History(args) => args,
        other => panic!("{other:?}"),
    };
    let last = history(&["history", "leila@b.example", "--limit", "3"]);
    assert_eq!(
        (last.address.as_deref(), last.limit, last.command.is_none()),
        (Some("leila@b.example"), 3, true)
    );
    let keep = history(&["history", "keep", "off", "--with", "leila@b.example"]);
    assert!(matches!(
        keep.command,
        Some(HistoryCommand::Keep { keep, with: Some(_), .. }) if keep.keep() == Some(false)
    ));
    let expire = history(&["history", "expire", "inherit"]);
    assert!(matches!(
        expire.command,
        Some(HistoryCommand::Expire { after, .. }) if after.expiry().is_none()
    ));
    for wrong in [
        &["history"][..],
        &["history", "keep", "sometimes"],
        &["history", "expire", "century"],
        &["history", "days", "--limit", "401"],
        &["history", "days", "--account", "sara@a.example"],
    ] {
        assert!(Cli::try_parse_from(line(wrong)).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_erasure_says_exactly_what_it_is_about() {
    for right in [
        &["--with", "leila@b.example"][..],
        &["--with", "leila@b.example", "--account", "sara@a.example"],
        &["--message", "7"],
        &["--day", "2026-11-26", "--zone", "Europe/Berlin"],
        &["--day", "2026-11-26", "--with", "leila@b.example"],
        &["--all-of", "sara@a.example"],
        &["--all", "--yes"],
    ] {
        let words = [&["history", "erase"], right].concat();
        assert!(Cli::try_parse_from(line(&words)).is_ok(), "{words:?}");
    }
    for wrong in [
        &[][..],
        &["--yes"],
        &["--all", "--with", "leila@b.example"],
        &["--all", "--day", "2026-11-26"],
        &["--message", "7", "--day", "2026-11-26"],
        &["--all-of", "sara@a.example", "--all"],
        &["--zone", "Europe/Berlin", "--all"],
    ] {
        let words = [&["history", "erase"], wrong].concat();
        assert!(Cli::try_parse_from(line(&words)).is_err(), "{words:?}");
    }
}

#[test]
fn a_password_is_removed_by_address_or_all_of_them() {
    for (words, ok) in [
        (&["passwords", "remove", "sara@a.example"][..], true),
        (&["passwords", "remove", "--all"], true),
        (&["passwords", "remove"], false),
        (&["passwords", "remove", "sara@a.example", "--all"], false),
        (&["passwords", "show", "sara@a.example"], true),
    ] {
        assert_eq!(Cli::try_parse_from(line(words)).is_ok(), ok, "{words:?}");
    }
}

#[test]
fn an_import_takes_everything_unless_parts_are_named() {
    let parts = |words: &[&str]| match parse(words).command {
        Command::Import(args) => args.parts(),
        other => panic!("{other:?}"),
    };
    let all = parts(&["import", "jitsi", "--shred"]);
    assert!(all.accounts && all.passwords && all.history && all.keys);
    let some = parts(&["import", "pidgin", "--history", "--keys"]);
    assert!(!some.accounts && !some.passwords && some.history && some.keys);
}

#[test]
fn a_server_override_needs_host_and_port() {
    let add = ["account", "add", "sara@a.example"];
    assert!(Cli::try_parse_from(line(&[&add[..], &["--server-host", "h"]].concat())).is_err());
    assert!(Cli::try_parse_from(line(&[&add[..], &["--port", "5222"]].concat())).is_err());
    assert!(
        Cli::try_parse_from(line(
            &[&add[..], &["--server-host", "h", "--port", "0"]].concat()
        ))
        .is_err()
    );
    let settings = settings(&["--server-host", "h", "--port", "5223", "--direct-tls"]);
    let server = settings.settings(None).unwrap().server.unwrap();
    assert_eq!(
        (server.host.as_str(), server.port, server.direct_tls),
        ("h", 5223, true)
    );
}

#[test]
fn a_proxy_is_read_from_its_address() {
    let proxy = settings(&["--proxy", "socks5://127.0.0.1:9050"])
        .proxy
        .unwrap();
    assert_eq!(
        (proxy.kind, proxy.host.as_str(), proxy.port),
        (ProxyKind::Socks5, "127.0.0.1", 9050)
    );
    let args = settings(&["--proxy", "http://sara@[::1]:3128/"]);
    assert!(args.wants_proxy_password());
    let proxy = args.proxy.unwrap();
    assert_eq!(
        (proxy.kind, proxy.host.as_str(), proxy.username.as_deref()),
        (ProxyKind::HttpConnect, "::1", Some("sara"))
    );
}

#[test]
fn a_proxy_with_a_password_in_its_address_is_refused() {
    for wrong in [
        "socks5://sara:secret@h:1",
        "ftp://h:1",
        "socks5://h",
        "http://:80",
        "http://h:0",
        "http://h:70000",
    ] {
        let words = line(&["account", "add", "a@b", "--proxy", wrong]);
        assert!(Cli::try_parse_from(words).is_err(), "{wrong}");
    }
}

#[test]
fn a_negative_priority_is_a_value() {
    assert_eq!(settings(&["--priority", "-5"]).priority, -5);
}

#[test]
fn answers_to_a_form_are_split_at_the_first_equals_sign() {
    let cli = parse(&["account", "create", "b.example", "--answer", "ocr=a=b"]);
    let Command::Account(AccountCommand::Create { answer, .. }) = cli.command else {
        panic!("not create");
    };
    assert_eq!(answer, [("ocr".to_owned(), "a=b".to_owned())]);
}

#[test]
fn forgetting_belongs_to_a_given_password_only() {
    assert!(Cli::try_parse_from(line(&["account", "password", "a@b", "--forget"])).is_err());
    parse(&["account", "password", "a@b", "--sign-in", "--forget"]);
}

#[test]
fn verifying_takes_exactly_one_way() {
    for one in [
        &["--code", "0123"][..],
        &["--question", "Where?"],
        &["--secret"],
        &["--answer"],
        &["--stop"],
    ] {
        parse(&[&["verify", "leila@b.example"], one].concat());
    }
    assert!(Cli::try_parse_from(line(&["verify", "leila@b.example"])).is_err());
    let two = ["verify", "leila@b.example", "--secret", "--answer"];
    assert!(Cli::try_parse_from(line(&two)).is_err());
}

#[test]
fn an_answer_or_shared_secret_is_never_an_argument() {
    for words in [
        ["verify", "leila@b.example", "--secret", "tea"],
        ["verify", "leila@b.example", "--answer", "tea"],
    ] {
        assert!(Cli::try_parse_from(line(&words)).is_err(), "{words:?}");
    }
}

#[test]
fn a_policy_is_for_everyone_an_account_or_a_person() {
    let cli = parse(&[
        "policy",
        "set",
        "when-possible",
        "--contact",
        "leila@b.example",
    ]);
    let Command::Policy(PolicyCommand::Set {
        policy, contact, ..
    }) = cli.command
    else {
        panic!("not policy set");
    };
    assert_eq!(policy, PolicyArg::WhenPossible);
    assert_eq!(contact.as_deref(), Some("leila@b.example"));
    parse(&["policy", "set", "required", "--follow"]);
    let both = ["policy", "set", "off", "--follow", "--contact", "a@b"];
    assert!(Cli::try_parse_from(line(&both)).is_err());
}

#[test]
fn an_import_names_at_least_one_file() {
    assert!(Cli::try_parse_from(line(&["keys", "import"])).is_err());
    parse(&["keys", "import", "--fingerprints", "otr.fingerprints"]);
}

fn line<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["sotto-cli"];
    all.extend_from_slice(words);
    all
}

fn parse(words: &[&str]) -> Cli {
    Cli::try_parse_from(line(words)).unwrap()
}

fn settings(words: &[&str]) -> SettingsArgs {
    let all = [&["account", "add", "sara@a.example"], words].concat();
    match parse(&all).command {
        Command::Account(AccountCommand::Add { settings, .. }) => settings,
        other => panic!("{other:?}"),
    }
}
