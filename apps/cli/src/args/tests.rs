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
