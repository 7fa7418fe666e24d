//! `sotto-cli` as people and scripts use it: one command, one process.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use sotto_api::view::{Privacy, PrivateState, VerificationState};
use sotto_api::{ConversationId, Request, Secret};
use sotto_testkit::ca::Authority;
use sotto_testkit::profile::TempProfile;
use sotto_testkit::rpc::{Failure, Step};

use super::otr::{stands, verifying};
use super::{BOTH, Case, PROSODY, case, ensure, same};
use crate::server::{Options, Server};
use crate::sotto::Sotto;
use crate::world::{PASSWORD, World};

const PASSPHRASE: &str = "seven sealed boxes of tea";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "commands: an account is created, a message sent, found and listed",
            BOTH,
            create_and_send,
        ),
        case(
            "commands: a taken name, a wrong password and a closed server have their exit statuses",
            BOTH,
            refusals,
        ),
        case(
            "commands: an unknown certificate is shown, and accepted by its SHA-256",
            PROSODY,
            certificate,
        ),
        case(
            "commands: contacts are asked, accepted, renamed, moved, blocked and removed",
            PROSODY,
            contacts,
        ),
        case(
            "commands: a command attaches to the profile that rpc has open",
            PROSODY,
            attach,
        ),
        case(
            "commands: watch prints what arrives, as JSON",
            PROSODY,
            watch,
        ),
        case(
            "commands: a private conversation is required, begun, used, and its end leaves before the program does",
            PROSODY,
            private,
        ),
        case(
            "commands: somebody is verified by code, question and secret, and keys are managed",
            PROSODY,
            verify,
        ),
    ]
}

fn create_and_send(world: &World<'_>) -> Step {
    let shell = Shell::new(world)?;
    let name = world.name("script");
    let created = shell.ok(
        &[
            "account",
            "create",
            &world.server.domain,
            "--username",
            &name,
        ],
        Some(world.server),
        &[PASSPHRASE, PASSWORD],
    )?;
    same(
        "the account",
        &created["address"],
        &Value::from(format!("{name}@{}", world.server.domain)),
    )?;
    let mut leila = world.signed_in("leila")?;
    let sent = shell.ok(
        &["send", &leila.address(), "hello from a script"],
        None,
        &[PASSPHRASE],
    )?;
    ensure(
        matches!(sent["delivery"].as_str(), Some("sent" | "delivered")),
        || format!("sent: {sent}"),
    )?;
    let from_script = leila.talk_to(&format!("{name}@{}", world.server.domain))?;
    leila.hears(from_script, "hello from a script")?;
    let history = shell.ok(&["history", &leila.address()], None, &[PASSPHRASE])?;
    same(
        "the history",
        &history["messages"][0]["body"],
        &Value::from("hello from a script"),
    )?;
    let found = shell.ok(&["search", "scri"], None, &[PASSPHRASE])?;
    same(
        "the search",
        &found["hits"].as_array().map(Vec::len),
        &Some(1),
    )?;
    let accounts = shell.ok(&["account", "list"], None, &[PASSPHRASE])?;
    same("the accounts", &accounts.as_array().map(Vec::len), &Some(1))?;
    shell.ok(
        &[
            "account",
            "password",
            &format!("{name}@{}", world.server.domain),
        ],
        None,
        &[PASSPHRASE, "another long one"],
    )?;
    let other = Shell::new(world)?;
    let run = other.run(
        &["account", "add", &format!("{name}@{}", world.server.domain)],
        Some(world.server),
        &[PASSPHRASE, "another long one"],
    )?;
    same("exit status with the new password", &run.status, &0)
}

fn refusals(world: &World<'_>) -> Step {
    let shell = Shell::new(world)?;
    let taken = world.account("taken")?;
    let name = taken.split('@').next().unwrap_or_default();
    let run = shell.run(
        &[
            "account",
            "create",
            &world.server.domain,
            "--username",
            name,
        ],
        Some(world.server),
        &[PASSPHRASE, PASSWORD],
    )?;
    same(
        "taken name",
        &(run.status, run.value["error"]["problem"].as_str()),
        &(4, Some("name_taken")),
    )?;
    let closed = format!("closed.{}", world.server.domain);
    let run = shell.run(
        &["account", "create", &closed, "--username", "x"],
        Some(world.server),
        &[PASSPHRASE, PASSWORD],
    )?;
    same(
        "closed",
        &(run.status, run.value["error"]["problem"].as_str()),
        &(4, Some("registration_closed")),
    )?;
    let run = shell.run(
        &["account", "add", &taken],
        Some(world.server),
        &[PASSPHRASE, "wrong"],
    )?;
    same(
        "wrong password",
        &(run.status, run.value["error"]["problem"].as_str()),
        &(4, Some("wrong_password")),
    )?;
    let run = shell.run(&["account", "list"], None, &["not the passphrase"])?;
    same(
        "wrong passphrase",
        &(run.status, run.value["error"]["kind"].as_str()),
        &(3, Some("wrong_passphrase")),
    )?;
    let run = shell.run(
        &["account", "password", &taken, "--sign-in"],
        None,
        &[PASSPHRASE, PASSWORD],
    )?;
    same("right password", &run.status, &0)
}

fn certificate(world: &World<'_>) -> Step {
    let strangers = Authority::new()?;
    let server = world
        .tools
        .server(world.kind, Options::default(), &strangers)?;
    let address = world.account_at(&server, "sara")?;
    let shell = Shell::new(world)?;
    let run = shell.run(
        &["account", "add", &address],
        Some(&server),
        &[PASSPHRASE, PASSWORD],
    )?;
    same(
        "unknown certificate",
        &(run.status, run.value["error"]["kind"].as_str()),
        &(5, Some("certificate")),
    )?;
    let words = run.value["error"]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let sha256: String = words
        .split("SHA-256: ")
        .nth(1)
        .and_then(|rest| rest.lines().next())
        .ok_or_else(|| Failure::new(format!("no SHA-256 in {words:?}")))?
        .to_owned();
    let run = shell.run(
        &["status", "--accept-certificate", &sha256],
        None,
        &[PASSPHRASE],
    )?;
    same(
        "accepted",
        &(run.status, run.value[0]["state"]["state"].as_str()),
        &(0, Some("online")),
    )?;
    let run = shell.run(&["status"], None, &[PASSPHRASE])?;
    same(
        "remembered",
        &run.value[0]["state"]["state"].as_str(),
        &Some("online"),
    )
}

fn contacts(world: &World<'_>) -> Step {
    let shell = Shell::new(world)?;
    let address = world.account("sara")?;
    shell.ok(
        &["account", "add", &address],
        Some(world.server),
        &[PASSPHRASE, PASSWORD],
    )?;
    let mut leila = world.signed_in("leila")?;
    let friend = leila.address();
    shell.ok(
        &[
            "contacts", "add", &friend, "--name", "Leila", "--group", "Friends",
        ],
        None,
        &[PASSPHRASE],
    )?;
    leila.answer(&address, sotto_api::SubscriptionAnswer::Accept)?;
    leila.add_contact(&address)?;
    let pending = |shell: &Shell| -> Step<bool> {
        // Each look is a sign-in of its own, so the server tells again of a request that waits.
        shell.ok(&["status"], None, &[PASSPHRASE])?;
        let requests = shell.ok(&["contacts", "requests"], None, &[PASSPHRASE])?;
        Ok(requests[0]["address"] == friend.as_str())
    };
    let mut looks = 0;
    while !pending(&shell)? {
        looks += 1;
        ensure(looks < 10, || "the request did not come".to_owned())?;
    }
    shell.ok(&["contacts", "accept", &friend], None, &[PASSPHRASE])?;
    shell.ok(
        &["contacts", "rename", &friend, "Leila R."],
        None,
        &[PASSPHRASE],
    )?;
    shell.ok(&["contacts", "move", &friend, "Choir"], None, &[PASSPHRASE])?;
    let list = shell.ok(&["contacts", "list"], None, &[PASSPHRASE])?;
    same(
        "the list",
        &(
            list[0]["name"].as_str(),
            list[0]["contacts"][0]["name"].as_str(),
        ),
        &(Some("Choir"), Some("Leila R.")),
    )?;
    shell.ok(&["contacts", "block", &friend], None, &[PASSPHRASE])?;
    shell.ok(&["contacts", "unblock", &friend], None, &[PASSPHRASE])?;
    shell.ok(&["contacts", "remove", &friend], None, &[PASSPHRASE])?;
    let list = shell.ok(&["contacts", "list"], None, &[PASSPHRASE])?;
    let left: usize = list.as_array().map_or(0, |groups| {
        groups
            .iter()
            .filter_map(|g| g["contacts"].as_array())
            .map(Vec::len)
            .sum()
    });
    same("the list at the end", &left, &0)
}

fn attach(world: &World<'_>) -> Step {
    let mut sara = world.signed_in("sara")?;
    let leila = world.signed_in("leila")?;
    // The profile is open in the owner, so no passphrase is asked for, and the account is signed in already.
    let shell = Shell::at(world, sara.profile());
    let sent = shell.ok(
        &["send", &leila.address(), "by the owner's stream"],
        None,
        &[],
    )?;
    ensure(
        matches!(sent["delivery"].as_str(), Some("sent" | "delivered")),
        || format!("sent: {sent}"),
    )?;
    let conversation = sara.talk_to(&leila.address())?;
    sara.hears(conversation, "by the owner's stream")?;
    Ok(())
}

fn watch(world: &World<'_>) -> Step {
    let shell = Shell::new(world)?;
    let address = world.account("sara")?;
    shell.ok(
        &["account", "add", &address],
        Some(world.server),
        &[PASSPHRASE, PASSWORD],
    )?;
    let mut leila = world.signed_in("leila")?;
    let to_sara = leila.talk_to(&address)?;
    leila.say(to_sara, "are you watching?")?;
    let run = shell.run(&["watch", "--count", "1"], None, &[PASSPHRASE])?;
    same(
        "what watch printed",
        &(run.status, run.value["body"].as_str()),
        &(0, Some("are you watching?")),
    )
}

/// Each command is a process of its own: what it says must have left when it ends.
fn private(world: &World<'_>) -> Step {
    let (shell, mut leila, to_sara) = with_leila(world)?;
    let friend = leila.address();
    let policies = shell.ok(
        &["policy", "set", "required", "--contact", &friend],
        None,
        &[PASSPHRASE],
    )?;
    same(
        "the policy",
        &policies["own"][0]["policy"],
        &Value::from("required"),
    )?;
    let begun = shell.ok(&["private", "start", &friend], None, &[PASSPHRASE])?;
    same("begun", &begun["private"]["state"], &Value::from("private"))?;
    stands(&mut leila, to_sara, "private", |v| {
        v.private.state == PrivateState::Private
    })?;
    shell.ok(&["send", &friend, "for you only"], None, &[PASSPHRASE])?;
    let heard = leila.hears(to_sara, "for you only")?;
    same("who can read", &heard.privacy, &Privacy::Encrypted)?;
    let status = shell.ok(&["private", "status", &friend], None, &[PASSPHRASE])?;
    let device = status["private"]["devices"][0]["id"].as_str();
    let device = device
        .ok_or_else(|| Failure::new(format!("no device: {status}")))?
        .to_owned();
    let chosen = shell.ok(
        &["private", "device", &friend, &device],
        None,
        &[PASSPHRASE],
    )?;
    same(
        "the device",
        &chosen["private"]["devices"][0]["chosen"],
        &Value::from(true),
    )?;
    shell.ok(&["private", "end", &friend], None, &[PASSPHRASE])?;
    stands(&mut leila, to_sara, "ended", |v| {
        v.private.state == PrivateState::Ended
    })?;
    let inherited = shell.ok(
        &["policy", "set", "inherit", "--contact", &friend],
        None,
        &[PASSPHRASE],
    )?;
    same("own policies", &inherited["own"], &serde_json::json!([]))
}

fn verify(world: &World<'_>) -> Step {
    let (shell, mut leila, to_sara) = with_leila(world)?;
    let friend = leila.address();
    let begun = shell.ok(&["private", "start", &friend], None, &[PASSPHRASE])?;
    let view = stands(&mut leila, to_sara, "private", |v| {
        v.private.state == PrivateState::Private
    })?;
    let own = shell.ok(&["keys", "own"], None, &[PASSPHRASE])?;
    same(
        "the own code",
        &own[0]["code"].as_str(),
        &Some(view.private.code.as_str()),
    )?;
    let code = view.private.own_code;
    same(
        "the other's code",
        &begun["private"]["code"].as_str(),
        &Some(code.as_str()),
    )?;
    let trust = |shell: &Shell| -> Step<Value> {
        let keys = shell.ok(&["keys", "list"], None, &[PASSPHRASE])?;
        Ok(keys[0]["trust"].clone())
    };
    let wrong = shell.run(
        &["verify", &friend, "--code", &"0".repeat(40)],
        None,
        &[PASSPHRASE],
    )?;
    ensure(wrong.status != 0, || "a wrong code was taken".to_owned())?;
    same("after a wrong code", &trust(&shell)?, &Value::from("new"))?;
    shell.ok(&["verify", &friend, "--code", &code], None, &[PASSPHRASE])?;
    let status = shell.ok(&["private", "status", &friend], None, &[PASSPHRASE])?;
    same(
        "by code",
        &status["private"]["trust"],
        &Value::from("verified"),
    )?;
    shell.ok(&["keys", "distrust", &code], None, &[PASSPHRASE])?;
    same("distrusted", &trust(&shell)?, &Value::from("distrusted"))?;
    let run = shell.run(&["keys", "forget", &code], None, &[PASSPHRASE])?;
    ensure(run.status != 0, || "a key in use was forgotten".to_owned())?;

    // Sara asks, and her command waits for the answer.
    let question = "Where did we meet?";
    let asked = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            shell.ok(
                &["verify", &friend, "--question", question],
                None,
                &[PASSPHRASE, "at the choir"],
            )
        });
        let answered = verifying(&mut leila, to_sara, VerificationState::Asked).and_then(|view| {
            same(
                "the question",
                &view.private.verification.question.as_str(),
                &question,
            )?;
            leila.ask(Request::VerifyAnswer {
                conversation: to_sara,
                secret: Secret::new("at the choir".to_owned()),
            })
        });
        let asked = asking
            .join()
            .map_err(|_| Failure::new("the command panicked"))?;
        answered.and(asked)
    })?;
    same("by question", &asked["trust"], &Value::from("verified"))?;

    // Leila asks while no command runs; the next one finds her request.
    leila.ask(Request::VerifyAsk {
        conversation: to_sara,
        question: None,
        secret: Secret::new("choir".to_owned()),
    })?;
    shell.ok(
        &["verify", &friend, "--answer"],
        None,
        &[PASSPHRASE, "choir"],
    )?;
    verifying(&mut leila, to_sara, VerificationState::Succeeded)?;

    shell.ok(&["private", "end", &friend], None, &[PASSPHRASE])?;
    stands(&mut leila, to_sara, "ended", |v| {
        v.private.state == PrivateState::Ended
    })?;
    shell.ok(&["keys", "forget", &code], None, &[PASSPHRASE])?;
    let keys = shell.ok(&["keys", "list"], None, &[PASSPHRASE])?;
    same("the keys at the end", &keys, &serde_json::json!([]))
}

/// A shell with an account, and Leila with Sotto, who know each other.
fn with_leila(world: &World<'_>) -> Step<(Shell, Sotto, ConversationId)> {
    let shell = Shell::new(world)?;
    let address = world.account("sara")?;
    shell.ok(
        &["account", "add", &address],
        Some(world.server),
        &[PASSPHRASE, PASSWORD],
    )?;
    let mut leila = world.signed_in("leila")?;
    // A stranger's wish for a private conversation is not answered.
    leila.add_contact(&address)?;
    let to_sara = leila.talk_to(&address)?;
    Ok((shell, leila, to_sara))
}

/// A terminal without a person: commands with `--json` and `--password-stdin`.
struct Shell {
    binary: PathBuf,
    environment: Vec<(String, String)>,
    profile: PathBuf,
    _folder: Option<TempProfile>,
}

/// What a command left behind.
struct Run {
    status: i32,
    /// The last line of its output.
    value: Value,
    errors: String,
}

impl Shell {
    /// With a fresh profile.
    fn new(world: &World<'_>) -> Step<Self> {
        let folder = TempProfile::new()?;
        let mut shell = Self::at(world, folder.path());
        shell._folder = Some(folder);
        shell.ok(&["profile", "create"], None, &[PASSPHRASE])?;
        Ok(shell)
    }

    /// On a profile that exists.
    fn at(world: &World<'_>, profile: PathBuf) -> Self {
        Self {
            binary: world.tools.program.binary.clone(),
            environment: world.tools.program.environment.clone(),
            profile,
            _folder: None,
        }
    }

    fn ok(&self, words: &[&str], server: Option<&Server>, secrets: &[&str]) -> Step<Value> {
        let run = self.run(words, server, secrets)?;
        ensure(run.status == 0, || {
            format!(
                "{words:?} ended with {}: {} {}",
                run.status, run.value, run.errors
            )
        })?;
        Ok(run.value)
    }

    fn run(&self, words: &[&str], server: Option<&Server>, secrets: &[&str]) -> Step<Run> {
        let mut command = Command::new(&self.binary);
        command
            .args(["--json", "--password-stdin", "--timeout", "60", "--profile"])
            .arg(&self.profile)
            .args(words)
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(server) = server {
            let port = server.starttls().port().to_string();
            command.args(["--server-host", "127.0.0.1", "--port", &port]);
        }
        let mut child = command.spawn()?;
        if let Some(mut input) = child.stdin.take() {
            for secret in secrets {
                // A command that has failed already does not read the rest.
                let _ = writeln!(input, "{secret}");
            }
        }
        let output = child.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(Run {
            status: output.status.code().unwrap_or(-1),
            value: text
                .lines()
                .next_back()
                .and_then(|line| serde_json::from_str(line).ok())
                .unwrap_or_default(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
