//! What only whole processes show: who owns a profile, how an owner ends, and what it leaves behind.
//!
//! Each process is this test program itself, started again to run [`a_process_of_these_tests`] alone.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{DumpableBehavior, Pid, Signal, kill_process, set_dumpable_behavior};
use sotto_api::{
    AccountSettings, ClientLine, Event, Outcome, Protection, Reply, Request, Secret, ServerLine,
    ServerOverride,
};
use sotto_runtime::{Client, Options, Role, connect};
use sotto_store::{KeyFile, ProfileDir, key_bytes_for_tests};
use sotto_testkit::memory::{Hidden, occurrences};
use sotto_testkit::profile::TempProfile;

const FOLDER: &str = "SOTTO_TEST_FOLDER";
const PORT: &str = "SOTTO_TEST_PORT";

/// How long a test waits for a process to say something.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than the two seconds that an owner may take (R-SYS-05) by what a busy machine adds.
const END: Duration = Duration::from_secs(4);

#[test]
fn r_data_05_of_twenty_starts_at_once_one_owns_the_profile_and_all_reach_it() {
    for round in 0..times("SOTTO_STARTS", 2) {
        let profile = TempProfile::new().unwrap();
        let mut starts: Vec<Process> = (0..20).map(|_| Process::start(&profile.path())).collect();
        let roles: Vec<String> = starts.iter().map(Process::next).collect();
        let owners = roles.iter().filter(|role| *role == "owner").count();
        let attached = roles.iter().filter(|role| *role == "attached").count();
        assert_eq!((owners, attached), (1, 19), "round {round}: {roles:?}");
        for start in &mut starts {
            start.say("version");
        }
        for start in &starts {
            assert_eq!(start.next(), "Test 1");
        }
    }
}

#[test]
fn a_start_after_the_owner_was_killed_owns_the_profile() {
    let profile = TempProfile::new().unwrap();
    for _ in 0..3 {
        let mut owner = Process::start(&profile.path());
        assert_eq!(owner.next(), "owner");
        owner.signal(Signal::KILL);
        owner.end();
        assert!(socket(&profile).exists());
    }
}

#[test]
fn whoever_is_attached_hears_that_the_owner_ended() {
    let profile = TempProfile::new().unwrap();
    let mut owner = Process::start(&profile.path());
    assert_eq!(owner.next(), "owner");
    let mut attached = Process::start(&profile.path());
    assert_eq!(attached.next(), "attached");
    owner.signal(Signal::KILL);
    owner.end();
    attached.say("version");
    assert_eq!(attached.next(), "Sotto has ended.");
}

#[test]
fn r_sys_05_a_signal_ends_the_owner_cleanly_within_two_seconds() {
    for signal in [Signal::TERM, Signal::INT] {
        let profile = TempProfile::new().unwrap();
        let mut owner = Process::start(&profile.path());
        assert_eq!(owner.next(), "owner");
        owner.say("create");
        assert_eq!(owner.next(), "Done");
        let (asked, started) = (owner.signal(signal), Instant::now());
        assert!(asked);
        // The last handle of the client is dropped only when its input ends.
        wait_until(|| !socket(&profile).exists());
        assert!(started.elapsed() < END, "{:?}", started.elapsed());
        owner.say("version");
        assert_eq!(owner.next(), "Sotto has ended.");
        assert!(owner.end().success());
        let mut next = Process::start(&profile.path());
        assert_eq!(next.next(), "owner");
        next.say("unlock");
        assert_eq!(next.next(), "Done");
    }
}

#[test]
fn dropping_the_last_handle_ends_the_owner_and_leaves_no_socket() {
    let profile = TempProfile::new().unwrap();
    let mut owner = Process::start(&profile.path());
    assert_eq!(owner.next(), "owner");
    let started = Instant::now();
    assert!(owner.end().success());
    assert!(started.elapsed() < END, "{:?}", started.elapsed());
    assert!(!socket(&profile).exists());
}

#[test]
fn s_proc_06_the_socket_is_closed_to_others_and_the_only_one_that_listens() {
    let profile = TempProfile::new().unwrap();
    let mut owner = Process::start(&profile.path());
    assert_eq!(owner.next(), "owner");
    let mode = socket(&profile).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let folder = profile.path().metadata().unwrap().permissions().mode();
    assert_eq!(folder & 0o777, 0o700, "{folder:o}");

    owner.say("sockets");
    let inodes = owner.next();
    let inodes: Vec<&str> = inodes.split(' ').collect();
    let listening = |table: &str, state: &str, state_column: usize, inode_column: usize| {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        let ours = text.lines().filter(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            columns.get(state_column) == Some(&state)
                && columns
                    .get(inode_column)
                    .is_some_and(|i| inodes.contains(i))
        });
        ours.count()
    };
    assert_eq!(listening("/proc/net/tcp", "0A", 3, 9), 0);
    assert_eq!(listening("/proc/net/tcp6", "0A", 3, 9), 0);
    // Flags 00010000: accepts connections.
    assert_eq!(listening("/proc/net/unix", "00010000", 3, 6), 1);
}

#[test]
fn s_store_09_the_owner_leaves_no_core_file() {
    let profile = TempProfile::new().unwrap();
    let owner = Process::start(&profile.path());
    assert_eq!(owner.next(), "owner");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", owner.child.id())).unwrap();
    let core = limits
        .lines()
        .find(|l| l.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    assert_eq!(core.split_whitespace().nth(5), Some("0"), "{core}");
}

#[test]
fn s_proc_06_a_shell_that_breaks_the_rules_harms_only_itself() {
    let profile = TempProfile::new().unwrap();
    let mut owner = Process::start(&profile.path());
    assert_eq!(owner.next(), "owner");

    // No request, but its id is read; never its contents.
    let mut shell = Shell::attach(&profile);
    shell.write(b"{\"id\":7,\"method\":\"canary\",\"params\":{}}\nnot json\n");
    for id in [7, 0] {
        let text = shell.line().unwrap();
        let Ok(ServerLine::Answer {
            id: told,
            outcome: Outcome::Error(_),
        }) = serde_json::from_str(&text)
        else {
            panic!("{text}")
        };
        assert_eq!(told, id);
        assert!(!text.contains("canary"));
    }
    shell.write(&line(8, Request::Version {}));
    assert!(shell.line().unwrap().contains("Test 1"));

    // A line that does not end.
    let mut endless = Shell::attach(&profile);
    let chunk = vec![b'x'; 64 * 1024];
    let mut sent = 0;
    while sent < 64 * 1024 * 1024 && endless.stream.write_all(&chunk).is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 6 * 1024 * 1024, "{sent} bytes were taken");
    assert_eq!(endless.line(), None);

    // Requests whose answers are never read.
    let mut deaf = Shell::attach(&profile);
    deaf.stream
        .set_write_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let request = line(1, Request::NetworkList {});
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(3) && deaf.stream.write_all(&request).is_ok() {}

    owner.say("version");
    assert_eq!(owner.next(), "Test 1");
    shell.write(&line(9, Request::Version {}));
    assert!(shell.line().unwrap().contains("Test 1"));
    let memory = owner.resident_kib();
    assert!(memory < 120 * 1024, "{memory} KiB after a deaf shell");
}

#[test]
fn s_store_16_a_log_at_the_finest_level_holds_no_canary() {
    let profile = TempProfile::new().unwrap();
    let port = refusing_server();
    let mut owner = Process::with(&profile.path(), |command| {
        command
            .env("SOTTO_LOG", "trace")
            .env(PORT, port.to_string());
    });
    assert_eq!(owner.next(), "owner");
    owner.say("canaries");
    assert_eq!(owner.next(), "Done");
    let log = owner.log();
    assert!(log.contains(" DEBUG sotto_"), "nothing was logged: {log}");
    for word in ["canary", "Y2FuYXJ5"] {
        let found: Vec<&str> = log.lines().filter(|l| l.contains(word)).collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn s_store_08_a_locked_profile_leaves_no_text_and_no_password_in_memory() {
    let profile = TempProfile::new().unwrap();
    let port = refusing_server();
    let mut owner = Process::with(&profile.path(), |command| {
        command.env(PORT, port.to_string());
    });
    assert_eq!(owner.next(), "owner");
    owner.say("canaries");
    assert_eq!(owner.next(), "Done");
    owner.say("memory");
    let open = owner.next();
    // Else the test would look in the wrong place.
    assert!(!open.starts_with("0 ") && !open.contains(" 0 "), "{open}");
    for round in 0..2 {
        owner.say("lock");
        assert_eq!(owner.next(), "Done");
        owner.say("memory");
        assert_eq!(
            owner.next(),
            "0 words, 0 keys",
            "round {round}; open: {open}"
        );
        owner.say("unlock");
        assert_eq!(owner.next(), "Done");
        owner.say("use");
        assert_eq!(owner.next(), "Done");
    }
}

/// A server that refuses everybody, with canaries in its words. The port that it listens at.
fn refusing_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            // The words of a server are foreign text as well.
            let _ = stream.write_all(
                b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
                  id='canary-10' from='canary.example' version='1.0'><stream:error>\
                  <host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
                  <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>canary-11 canary-12@canary.example</text>\
                  </stream:error></stream:stream>",
            );
            let _ = stream.read(&mut [0; 4096]);
        }
    });
    port
}

/// Not a test: what the others start.
#[test]
#[ignore = "run by the other tests, in processes of its own"]
fn a_process_of_these_tests() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = std::path::PathBuf::from(folder);
    let options = Options {
        profile: folder.clone(),
        nameservers: Some(Vec::new()),
        software: "Test 1".to_owned(),
        decoder: None,
        writes: None,
    };
    let (client, role) = match connect(options) {
        Ok(connected) => connected,
        Err(error) => return tell(&error.to_string()),
    };
    tell(match role {
        Role::Owner => "owner",
        Role::Attached => "attached",
    });
    for order in std::io::stdin().lines().map_while(Result::ok) {
        let answer = match order.as_str() {
            "version" => client.call(Request::Version {}),
            "create" => client.call(Request::ProfileCreate {
                protection: Protection::Passphrase {
                    passphrase: passphrase(),
                },
            }),
            "unlock" => client.call(Request::ProfileUnlock {
                passphrase: passphrase(),
            }),
            "canaries" => canaries(&client),
            "lock" => client.call(Request::ProfileLock {}),
            "use" => client.call(Request::Search {
                query: "canary".to_owned(),
                conversation: None,
                before: None,
                limit: 10,
            }),
            "memory" => {
                let (words, keys) = canaries_in_memory(&folder);
                tell(&format!("{words} words, {keys} keys"));
                continue;
            }
            "sockets" => {
                tell(&sockets().join(" "));
                continue;
            }
            _ => return,
        };
        tell(&match answer {
            Ok(Reply::Version(version)) => version,
            Ok(_) => "Done".to_owned(),
            Err(error) => error.message,
        });
    }
}

/// Uses the profile with a canary in everything that is nobody's business.
fn canaries(client: &Client) -> Result<Reply, sotto_api::ApiError> {
    let (sender, changed) = channel();
    client.subscribe(move |event| {
        if matches!(event, Event::AccountChanged { .. }) {
            let _ = sender.send(());
        }
    });
    let port = std::env::var(PORT).unwrap().parse().unwrap();
    client.call(Request::ProfileCreate {
        protection: Protection::Passphrase {
            passphrase: passphrase(),
        },
    })?;
    let added = client.call(Request::AccountAdd {
        network: "xmpp".to_owned(),
        address: "canary-2@canary.example".to_owned(),
        password: Some(Secret::new("canary-3".to_owned())),
        remember: true,
        settings: AccountSettings {
            server: Some(ServerOverride {
                host: "127.0.0.1".to_owned(),
                port,
                direct_tls: false,
            }),
            resource: Some("canary-4".to_owned()),
            ..AccountSettings::default()
        },
    })?;
    let Reply::Account(account) = added else {
        panic!("{added:?}")
    };
    let opened = client.call(Request::ConversationOpen {
        account: account.id,
        address: "canary-5@canary.example".to_owned(),
    })?;
    let Reply::Conversation(conversation) = opened else {
        panic!("{opened:?}")
    };
    let conversation = conversation.id;
    client.call(Request::MessageSend {
        conversation,
        body: "canary-6".to_owned(),
    })?;
    client.call(Request::DraftSet {
        conversation,
        body: "canary-7".to_owned(),
    })?;
    client.call(Request::Search {
        query: "canary-8".to_owned(),
        conversation: None,
        before: None,
        limit: 10,
    })?;
    let wrong = Secret::new("canary-9".to_owned());
    let _ = client.call(Request::AccountPassword {
        account: account.id,
        password: wrong,
        remember: true,
    });
    // Until the server has said its words, and the account wears them.
    loop {
        let Reply::Accounts(accounts) = client.call(Request::AccountList {})? else {
            panic!()
        };
        if accounts.iter().all(|a| a.problem.is_some()) {
            return Ok(Reply::Done);
        }
        changed.recv_timeout(PATIENCE).expect("the server's words");
    }
}

/// How often a canary, and how often the key of the profile, stands in the memory of this process.
fn canaries_in_memory(folder: &Path) -> (usize, usize) {
    let profile = ProfileDir::open(folder).unwrap();
    let file = KeyFile::load(&profile).unwrap().unwrap();
    let (_, key) = file.unlock_job(&profile, Some(passphrase())).run().unwrap();
    let raw = key_bytes_for_tests(&key, |bytes| Hidden::new(bytes));
    drop(key);
    // Only root may look into a process that is not dumpable, and not even the process itself: for this once, it is.
    set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
    let hidden = [Hidden::new(b"canary-"), Hidden::new(b"canary.example"), raw];
    let found = occurrences("self", &hidden).unwrap();
    set_dumpable_behavior(DumpableBehavior::NotDumpable).unwrap();
    (found[0] + found[1], found[2])
}

/// The inodes of this process's sockets; no other process may look.
fn sockets() -> Vec<String> {
    let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    links
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter_map(|to| {
            let text = to.to_str()?.strip_prefix("socket:[")?;
            Some(text.strip_suffix(']')?.to_owned())
        })
        .collect()
}

fn passphrase() -> Secret {
    Secret::new("canary-1".to_owned())
}

/// What a process says to its test; the harness writes to the same place.
fn tell(text: &str) {
    println!("\n>{text}");
}

struct Process {
    child: Child,
    said: Receiver<String>,
    logged: Receiver<String>,
}

impl Process {
    fn start(folder: &Path) -> Self {
        Self::with(folder, |_| {})
    }

    fn with(folder: &Path, configure: impl FnOnce(&mut Command)) -> Self {
        // Unlike its name, this stays when the program is built anew meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command
            .args([
                "--exact",
                "a_process_of_these_tests",
                "--ignored",
                "--nocapture",
            ])
            .env(FOLDER, folder)
            .env_remove("SOTTO_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        configure(&mut command);
        let mut child = command.spawn().unwrap();
        let (sender, said) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(text) = line.strip_prefix('>') {
                    let _ = sender.send(text.to_owned());
                }
            }
        });
        let (sender, logged) = channel();
        let mut errors = child.stderr.take().unwrap();
        thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            let _ = sender.send(text);
        });
        Self {
            child,
            said,
            logged,
        }
    }

    /// What it says next.
    fn next(&self) -> String {
        self.said
            .recv_timeout(PATIENCE)
            .expect("the process says something")
    }

    fn say(&mut self, order: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        writeln!(input, "{order}").unwrap();
    }

    fn signal(&self, signal: Signal) -> bool {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
    }

    /// Ends its input, and waits until it has ended.
    fn end(&mut self) -> ExitStatus {
        drop(self.child.stdin.take());
        let mut status = None;
        wait_until(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Everything it wrote to standard error.
    fn log(&mut self) -> String {
        self.end();
        self.logged.recv_timeout(PATIENCE).unwrap()
    }

    fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shell that speaks to the socket by hand.
struct Shell {
    stream: UnixStream,
    reader: BufReader<UnixStream>,
}

impl Shell {
    fn attach(profile: &TempProfile) -> Self {
        let stream = UnixStream::connect(socket(profile)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Self { stream, reader }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next answer; absent when the owner has hung up.
    fn line(&mut self) -> Option<String> {
        loop {
            let mut text = String::new();
            match self.reader.read_line(&mut text) {
                Ok(1..) => {}
                Ok(0) => return None,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
            if !matches!(serde_json::from_str(&text), Ok(ServerLine::Event(_))) {
                return Some(text);
            }
        }
    }
}

fn line(id: u64, request: Request) -> Vec<u8> {
    let mut text = serde_json::to_vec(&ClientLine { id, request }).unwrap();
    text.push(b'\n');
    text
}

fn socket(profile: &TempProfile) -> std::path::PathBuf {
    let folder = sotto_store::ProfileDir::open(&profile.path()).unwrap();
    folder.socket_path()
}

/// Looks again and again, since another process tells nobody what it does.
fn wait_until(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "it does not come");
        thread::sleep(Duration::from_millis(5));
    }
}

/// How often a test is done over: more by hand than in every run.
fn times(name: &str, usual: u32) -> u32 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}
