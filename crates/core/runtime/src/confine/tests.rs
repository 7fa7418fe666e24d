use std::collections::BTreeSet;
use std::fs::File;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};

use landlock::RulesetStatus;
use rustix::process::Signal;

use super::*;

/// What a process of these tests gives up, and what it tries then.
const TRIAL: &str = "SOTTO_TEST_TRIAL";

/// Where the tests listen, for those who try to connect.
const PORT: &str = "SOTTO_TEST_PORT";

/// Says with its end what it found: tried and refused.
const REFUSED: i32 = 10;

/// Not a test: what the others start, since nobody gets rights back.
#[test]
#[ignore = "run by the other tests, in processes of its own"]
fn a_process_that_gives_up_its_rights() {
    let Ok(trial) = std::env::var(TRIAL) else {
        return;
    };
    let port = std::env::var(PORT).map_or(0, |port| port.parse().unwrap());
    let (given_up, tried) = trial.split_once(' ').unwrap();
    match given_up {
        "calls" => system_calls().unwrap(),
        "files" => {
            let status = landlock().unwrap();
            assert_ne!(status.ruleset, RulesetStatus::NotEnforced);
        }
        "limits" => limits(),
        _ => panic!("{given_up}"),
    }
    let refused = match tried {
        "nothing" => true,
        "open" => is_refused(File::open("/etc/hostname")),
        "create" => is_refused(File::create("/tmp/sotto-confined")),
        "connect" => is_refused(TcpStream::connect(("127.0.0.1", port))),
        "exec" => is_refused(Command::new("/bin/true").status()),
        "signal" => {
            rustix::process::kill_process(rustix::process::getppid().unwrap(), Signal::CONT)
                .is_err()
        }
        "thread" => std::thread::Builder::new().spawn(|| ()).is_err(),
        "print" => {
            eprintln!("not allowed");
            false
        }
        "memory" => Vec::<u8>::new()
            .try_reserve_exact(DECODER_MEMORY as usize)
            .is_err(),
        "reckon" => loop {
            std::hint::spin_loop();
        },
        _ => panic!("{tried}"),
    };
    std::process::exit(if refused { REFUSED } else { 0 });
}

fn is_refused<T>(tried: std::io::Result<T>) -> bool {
    tried.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

fn after(given_up: &str, tried: &str) -> ExitStatus {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    Command::new("/proc/self/exe")
        .args([
            "--exact",
            "confine::tests::a_process_that_gives_up_its_rights",
            "--ignored",
            "--nocapture",
        ])
        .env(TRIAL, format!("{given_up} {tried}"))
        .env(PORT, port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
}

#[test]
fn s_proc_01_any_other_system_call_ends_the_process() {
    assert_eq!(after("calls", "nothing").code(), Some(REFUSED));
    for tried in [
        "open", "create", "connect", "exec", "signal", "thread", "print",
    ] {
        let ended = after("calls", tried);
        assert_eq!(ended.signal(), Some(libc::SIGSYS), "{tried}: {ended}");
    }
}

#[test]
fn s_proc_01_without_the_filter_files_and_programs_are_out_of_reach_too() {
    for tried in ["open", "create", "exec"] {
        assert_eq!(after("files", tried).code(), Some(REFUSED), "{tried}");
    }
}

#[test]
fn s_proc_01_memory_files_and_time_have_their_ends() {
    assert_eq!(after("limits", "memory").code(), Some(REFUSED));
    assert_eq!(after("limits", "open").code(), Some(0), "another error");
    let ended = after("limits", "reckon");
    assert!(
        matches!(ended.signal(), Some(libc::SIGXCPU | libc::SIGKILL)),
        "{ended}"
    );
}

/// What the filter says to a call whose arguments are all the same.
fn verdict(program: &BpfProgram, call: u32, argument: u64) -> u32 {
    // struct seccomp_data: number, architecture, instruction pointer, six arguments.
    let mut data = [0_u32; 16];
    data[0] = call;
    data[1] = match std::env::consts::ARCH {
        "x86_64" => 0xc000_003e,
        "aarch64" => 0xc000_00b7,
        other => panic!("{other}"),
    };
    for place in 0..6 {
        data[4 + 2 * place] = argument as u32;
        data[5 + 2 * place] = (argument >> 32) as u32;
    }
    let mut accumulator = 0_u32;
    let mut at = 0;
    loop {
        let step = &program[at];
        at += 1;
        let (yes, no) = (usize::from(step.jt), usize::from(step.jf));
        let k = step.k;
        match step.code {
            0x20 => accumulator = data[k as usize / 4],
            0x54 => accumulator &= k,
            0x05 => at += k as usize,
            0x15 => at += if accumulator == k { yes } else { no },
            0x25 => at += if accumulator > k { yes } else { no },
            0x35 => at += if accumulator >= k { yes } else { no },
            0x06 => return k,
            other => panic!("{other:#x} is not in these programs"),
        }
    }
}

#[test]
fn s_proc_01_the_filter_lets_nothing_pass_but_what_it_names() {
    let program = filter().unwrap();
    let allowed = |argument: u64| -> BTreeSet<i64> {
        (0..1_024_u32)
            .filter(|call| verdict(&program, *call, argument) == 0x7fff_0000)
            .map(i64::from)
            .collect()
    };
    let always = BTreeSet::from([
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_futex,
        libc::SYS_sigaltstack,
        libc::SYS_rt_sigreturn,
        libc::SYS_rt_sigprocmask,
        libc::SYS_restart_syscall,
        libc::SYS_clock_gettime,
        libc::SYS_getrandom,
    ]);
    let with = |more: &[i64]| -> BTreeSet<i64> { always.iter().chain(more).copied().collect() };
    assert_eq!(
        allowed(0),
        with(&[libc::SYS_read, libc::SYS_mprotect]),
        "standard input; no mapping of a file"
    );
    assert_eq!(
        allowed(1),
        with(&[libc::SYS_write, libc::SYS_mprotect]),
        "standard output"
    );
    assert_eq!(
        allowed(libc::MAP_ANONYMOUS as u64),
        with(&[libc::SYS_mmap, libc::SYS_mprotect]),
        "memory"
    );
    let code = (libc::MAP_ANONYMOUS | libc::PROT_EXEC) as u64;
    assert_eq!(allowed(code), always, "no memory to run");
    for refused in [
        libc::SYS_ptrace,
        libc::SYS_execve,
        libc::SYS_openat,
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_clone,
        libc::SYS_kill,
        libc::SYS_ioctl,
        libc::SYS_process_vm_writev,
    ] {
        assert_eq!(
            verdict(&program, refused as u32, 0),
            0x8000_0000,
            "{refused}"
        );
    }
}
