use std::io::Read as _;
use std::sync::mpsc::{Receiver, channel};

use sotto_api::{
    AccountSettings, ApiError, ClientLine, ErrorKind, Protection, Reply, Secret, ServerOverride,
};
use sotto_testkit::profile::TempProfile;

use super::*;
use crate::{Role, connect};

mod server;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What R-SYS-05 allows, and what a busy machine adds.
const END: Duration = Duration::from_millis(2500);

fn options(profile: &TempProfile) -> Options {
    Options {
        profile: profile.path(),
        nameservers: Some(Vec::new()),
        software: "Test 1".to_owned(),
        decoder: None,
        writes: None,
    }
}

fn owner(profile: &TempProfile) -> Client {
    let (client, role) = connect(options(profile)).unwrap();
    assert_eq!(role, Role::Owner);
    client
}

fn attached(profile: &TempProfile) -> Client {
    let (client, role) = connect(options(profile)).unwrap();
    assert_eq!(role, Role::Attached);
    client
}

fn version(client: &Client) -> Result<Reply, ApiError> {
    client.call(Request::Version {})
}

fn is_version(answer: Result<Reply, ApiError>) {
    assert_eq!(answer, Ok(Reply::Version("Test 1".to_owned())));
}

fn soon<T>(receiver: &Receiver<T>) -> T {
    receiver.recv_timeout(PATIENCE).expect("it comes in time")
}

#[test]
fn r_data_05_of_twenty_threads_that_start_at_once_one_owns_and_all_are_answered() {
    let profile = TempProfile::new().unwrap();
    let starts: Vec<_> = (0..20)
        .map(|_| {
            let options = options(&profile);
            std::thread::spawn(move || {
                let (client, role) = connect(options).unwrap();
                is_version(version(&client));
                (client, role)
            })
        })
        .collect();
    let started: Vec<_> = starts.into_iter().map(|s| s.join().unwrap()).collect();
    let owners = started.iter().filter(|(_, r)| *r == Role::Owner).count();
    assert_eq!(owners, 1);
    // The attached ones first, then the owner: nobody waits for anybody.
    let (owning, attached): (Vec<_>, Vec<_>) =
        started.into_iter().partition(|(_, r)| *r == Role::Owner);
    drop(attached);
    is_version(version(&owning[0].0));
}

#[test]
fn a_folder_too_deep_for_a_socket_address_works_all_the_same() {
    let around = TempProfile::new().unwrap();
    let profile = around.around().join("d".repeat(120)).join("profile");
    std::fs::create_dir_all(profile.parent().unwrap()).unwrap();
    let options = || Options {
        profile: profile.clone(),
        ..options(&around)
    };
    let (first, role) = connect(options()).unwrap();
    assert_eq!(role, Role::Owner);
    let (second, role) = connect(options()).unwrap();
    assert_eq!(role, Role::Attached);
    is_version(version(&second));
    drop(second);
    drop(first);
    assert!(
        std::fs::read_dir(&profile)
            .unwrap()
            .all(|f| f.unwrap().file_name() != "socket")
    );
}

#[test]
fn r_data_05_an_owner_that_stands_still_is_not_attached_to() {
    let profile = TempProfile::new().unwrap();
    let folder = ProfileDir::open(&profile.path()).unwrap();
    let _lock = folder.lock().unwrap();
    // Listens, as a stopped process goes on to do, but never answers.
    let _listener = std::os::unix::net::UnixListener::bind(folder.socket_path()).unwrap();
    assert!(matches!(
        connect(options(&profile)),
        Err(StartError::OwnerSilent { .. })
    ));
}

#[test]
fn a_callback_may_drop_the_last_handle_of_the_owner() {
    let profile = TempProfile::new().unwrap();
    let client = owner(&profile);
    let (sender, dropped) = channel();
    let last = client.clone();
    client.request(Request::Version {}, move |answer| {
        drop(last);
        sender.send(answer).unwrap();
    });
    drop(client);
    is_version(soon(&dropped));
    // The lock is free again.
    is_version(version(&owner(&profile)));
}

#[test]
fn a_callback_may_drop_the_last_handle_of_a_shell() {
    let profile = TempProfile::new().unwrap();
    let owning = owner(&profile);
    let client = attached(&profile);
    let (sender, dropped) = channel();
    let last = client.clone();
    client.request(Request::Version {}, move |answer| {
        drop(last);
        sender.send(answer).unwrap();
    });
    drop(client);
    is_version(soon(&dropped));
    is_version(version(&owning));
}

#[test]
fn a_callback_may_ask_and_subscribe_but_not_wait() {
    let profile = TempProfile::new().unwrap();
    let owning = owner(&profile);
    for client in [owning.clone(), attached(&profile)] {
        let (sender, receiver) = channel();
        let inner = client.clone();
        client.request(Request::Version {}, move |_| {
            let waited = version(&inner);
            let after = sender.clone();
            inner.subscribe(|_| {});
            inner.request(Request::Version {}, move |answer| {
                after.send(answer).unwrap()
            });
            sender.send(waited).unwrap();
        });
        let waited = soon(&receiver).unwrap_err();
        assert_eq!(waited.kind, ErrorKind::Internal);
        is_version(soon(&receiver));
    }
}

#[test]
fn a_subscriber_may_subscribe_another_and_a_panic_is_its_own_affair() {
    let profile = TempProfile::new().unwrap();
    let client = owner(&profile);
    let (sender, heard) = channel();
    let inner = client.clone();
    client.subscribe(|_| panic!("as this test wants"));
    client.subscribe(move |_| {
        let sender = sender.clone();
        inner.subscribe(move |event| sender.send(event).unwrap());
    });
    let activate = || client.call(Request::Activate { link: None }).unwrap();
    activate();
    activate();
    assert_eq!(soon(&heard), Event::Activated { link: None });
    is_version(version(&client));
}

#[test]
fn every_request_is_answered_once_though_the_last_handle_goes() {
    let profile = TempProfile::new().unwrap();
    let client = owner(&profile);
    let (sender, answers) = channel();
    for _ in 0..100 {
        let sender = sender.clone();
        client.request(Request::Version {}, move |answer| {
            sender.send(answer).unwrap()
        });
    }
    drop(client);
    drop(sender);
    let all: Vec<_> = answers.iter().collect();
    assert_eq!(all.len(), 100);
    all.into_iter().for_each(is_version);
}

#[test]
fn whoever_asks_after_the_end_is_told() {
    let profile = TempProfile::new().unwrap();
    let owning = owner(&profile);
    let shell = attached(&profile);
    let (sender, events) = channel();
    shell.subscribe(move |event| {
        // Fails once the test has seen what it waits for.
        let _ = sender.send(event);
    });
    assert_eq!(shell.call(Request::Quit {}), Ok(Reply::Done));
    while soon(&events) != Event::Ending {}
    for client in [&shell, &owning] {
        let give_up = Instant::now() + PATIENCE;
        while version(client).is_ok() {
            assert!(Instant::now() < give_up, "it does not end");
        }
    }
    drop(shell);
    drop(owning);
    is_version(version(&owner(&profile)));
}

#[test]
fn r_sys_05_a_frozen_server_does_not_hold_up_the_end() {
    let profile = TempProfile::new().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = owner(&profile);
    let passphrase = Secret::new("correct horse".to_owned());
    let protection = Protection::Passphrase { passphrase };
    client.call(Request::ProfileCreate { protection }).unwrap();
    client
        .call(Request::AccountAdd {
            network: "xmpp".to_owned(),
            address: "sara@river.test".to_owned(),
            password: Some(Secret::new("x".to_owned())),
            remember: true,
            settings: AccountSettings {
                server: Some(ServerOverride {
                    host: "127.0.0.1".to_owned(),
                    port: listener.local_addr().unwrap().port(),
                    direct_tls: false,
                }),
                ..AccountSettings::default()
            },
        })
        .unwrap();
    // It says hello, and then nothing any more.
    let (mut server, _) = listener.accept().unwrap();
    server.read_exact(&mut [0; 10]).unwrap();
    let before = Instant::now();
    drop(client);
    assert!(before.elapsed() < END, "{:?}", before.elapsed());
    is_version(version(&owner(&profile)));
}

/// A hub without an engine, and a shell at its door.
struct AtTheDoor {
    hub: Arc<Hub>,
    inbox: Receiver<Wake>,
    shell: std::os::unix::net::UnixStream,
    client: ClientId,
    _sockets: tokio::runtime::Runtime,
    _profile: TempProfile,
}

impl AtTheDoor {
    fn new() -> Self {
        let profile = TempProfile::new().unwrap();
        let path = profile.around().join("socket");
        let sockets = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (hub, inbox) = Hub::alone();
        let listener = {
            let _inside = sockets.enter();
            socket::listen(&path).unwrap()
        };
        let seats = Arc::new(Semaphore::new(2));
        sockets.spawn(socket::serve(listener, hub.clone(), seats));
        let mut shell = std::os::unix::net::UnixStream::connect(&path).unwrap();
        shell.set_read_timeout(Some(PATIENCE)).unwrap();
        ask(&mut shell, 1);
        let client = match soon(&inbox) {
            Wake::Input(Input::Request { client, id: 1, .. }, _) => client,
            _ => panic!("no request"),
        };
        Self {
            hub,
            inbox,
            shell,
            client,
            _sockets: sockets,
            _profile: profile,
        }
    }

    fn gone(&self) {
        match soon(&self.inbox) {
            Wake::Input(Input::ClientGone { client }, _) => assert_eq!(client, self.client),
            _ => panic!("not gone"),
        }
    }
}

fn ask(shell: &mut std::os::unix::net::UnixStream, id: RequestId) {
    use std::io::Write as _;
    let request = Request::Version {};
    let mut line = serde_json::to_vec(&ClientLine { id, request }).unwrap();
    line.push(b'\n');
    shell.write_all(&line).unwrap();
}

#[test]
fn the_engine_hears_that_a_shell_has_gone() {
    let door = AtTheDoor::new();
    door.shell.shutdown(std::net::Shutdown::Both).unwrap();
    door.gone();
}

#[test]
fn s_proc_06_a_shell_that_never_reads_is_let_go_before_the_memory_is_full() {
    let mut door = AtTheDoor::new();
    let large = ApiError::new(ErrorKind::Internal, "x".repeat(1024 * 1024));
    let mut told = 0;
    while door.hub.sinks().contains_key(&door.client) {
        door.hub
            .answer(door.client, told, Outcome::Error(large.clone()));
        told += 1;
        assert!(told < 64, "{told} mebibytes wait");
    }
    assert!(told > 16, "{told} mebibytes are not much");
    door.gone();
    // It reads the end, some of the rest before it.
    let mut rest = Vec::new();
    door.shell.read_to_end(&mut rest).unwrap();
}

#[test]
fn s_proc_06_a_shell_that_asks_without_end_is_read_no_faster_than_the_engine_works() {
    let mut door = AtTheDoor::new();
    door.shell
        .set_write_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut held = Vec::new();
    let mut line = serde_json::to_vec(&ClientLine {
        id: 2,
        request: Request::Version {},
    })
    .unwrap();
    line.push(b'\n');
    let many = line.repeat(1000);
    // Written until nobody reads any more.
    for _ in 0..1000 {
        use std::io::Write as _;
        if door.shell.write_all(&many).is_err() {
            break;
        }
        while let Ok(wake) = door.inbox.try_recv() {
            held.push(wake);
        }
    }
    while let Ok(wake) = door.inbox.try_recv() {
        held.push(wake);
    }
    assert_eq!(held.len(), 64);
}

#[test]
fn s_store_16_a_whole_login_and_its_messages_leave_no_canary_in_the_log() {
    server::log_of_a_conversation();
}
