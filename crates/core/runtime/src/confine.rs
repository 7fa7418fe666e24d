//! Rights that a process gives up for good (S-PROC-01, S-PROC-02). Each is taken where the system knows it, and its
//! lack is no reason to stop.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

/// What a decoder may have mapped, in bytes.
const DECODER_MEMORY: u64 = 256 << 20;

/// What a decoder may reckon, in seconds; whoever started it waits no longer either.
const DECODER_SECONDS: u64 = 2;

/// The newest interface of Landlock that is asked for: files, TCP, abstract sockets, signals.
const LANDLOCK: ABI = ABI::V6;

/// Leaves this process its memory, its standard input and its standard output.
pub(crate) fn decoder() {
    crate::harden::process();
    // A decoder says nothing: whoever started it hears of trouble by its end.
    let _ = landlock();
    limits();
    let _ = system_calls();
}

/// What may be written to besides the folders that are named: nowhere, and the terminal.
const DEVICES: [&str; 2] = ["/dev/null", "/dev/tty"];

/// From now on this thread, those it starts and the programs they start change nothing outside of these folders, take
/// no TCP connection in, send no signal to others, and gain no rights by running something. Call before threads are
/// started.
///
/// # Errors
///
/// One of the folders is not there.
pub(crate) fn program<'a>(folders: impl IntoIterator<Item = &'a Path>) -> io::Result<()> {
    let folders = folders
        .into_iter()
        .map(|folder| PathFd::new(folder).map_err(io::Error::other))
        .collect::<io::Result<Vec<_>>>()?;
    if let Err(error) = landlock_writes(folders) {
        tracing::warn!(%error, "the program could not give up its rights");
    }
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        tracing::warn!(%error, "the program can still gain rights");
    }
    Ok(())
}

fn landlock_writes(folders: Vec<PathFd>) -> Result<RestrictionStatus, RulesetError> {
    // Of the later interfaces nothing more is a change of files.
    let write = AccessFs::from_write(ABI::V3);
    Ruleset::default()
        .handle_access(write)?
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::Signal)?
        .create()?
        .add_rules(
            folders
                .into_iter()
                .map(|folder| Ok::<_, RulesetError>(PathBeneath::new(folder, write))),
        )?
        .add_rules(path_beneath_rules(DEVICES, write))?
        .restrict_self()
}

/// No file, no TCP, no abstract socket and no signal for others.
fn landlock() -> Result<RestrictionStatus, RulesetError> {
    Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .restrict_self()
}

fn limits() {
    for (resource, limit) in [
        (Resource::As, DECODER_MEMORY),
        (Resource::Cpu, DECODER_SECONDS),
        // No further descriptor, no file that grows, no further process.
        (Resource::Nofile, 0),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
    ] {
        let limit = Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        };
        let _ = setrlimit(resource, limit);
    }
}

/// Any other system call ends the process.
fn system_calls() -> Result<(), seccompiler::Error> {
    seccompiler::apply_filter(&filter()?)
}

fn filter() -> Result<BpfProgram, BackendError> {
    let always = [
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
    ];
    let no_code = || condition(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0);
    let anonymous = libc::MAP_ANONYMOUS as u64;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        always.into_iter().map(|call| (call, Vec::new())).collect();
    for (call, conditions) in [
        (libc::SYS_read, vec![condition(0, SeccompCmpOp::Eq, 0)?]),
        (libc::SYS_write, vec![condition(0, SeccompCmpOp::Eq, 1)?]),
        (
            libc::SYS_mmap,
            vec![
                no_code()?,
                condition(3, SeccompCmpOp::MaskedEq(anonymous), anonymous)?,
            ],
        ),
        (libc::SYS_mprotect, vec![no_code()?]),
    ] {
        rules.insert(call, vec![SeccompRule::new(conditions)?]);
    }
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(
        rules,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        arch,
    )?
    .try_into()
}

fn condition(
    argument: u8,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

#[cfg(test)]
mod tests;
