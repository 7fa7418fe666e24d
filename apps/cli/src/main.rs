//! Sotto on the command line: commands for people, JSON lines for programs.
//!
//! 1. [`args`] reads the command line; it never carries a secret.
//! 2. [`engine`] connects to the owner of the profile, or becomes it for the time of the command.
//! 3. [`commands`] turn one command into requests, and [`session`] waits for what they bring about.
//! 4. [`rpc`] is the whole interface for programs.
//!
//! No protocol word lives here: whatever is shown, the engine has worded.

#![allow(
    rustdoc::bare_urls,
    reason = "doc comments of arguments are the words of --help"
)]
#![forbid(unsafe_code)]

mod args;
mod commands;
mod engine;
mod failure;
mod input;
mod output;
mod rpc;
mod secrets;
mod session;

use std::io;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

use clap::Parser;
use jiff::tz::TimeZone;

use crate::args::{Cli, Command};
use crate::failure::{Done, Failure};
use crate::output::Output;
use crate::secrets::{Asker, Lines, Terminal};
use crate::session::Session;

fn main() -> ExitCode {
    if let Some(done) = sotto_runtime::decoder_role() {
        return done;
    }
    let cli = Cli::parse();
    let json = cli.json;
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure, json);
            failure.exit_code()
        }
    }
}

fn run(cli: Cli) -> Done {
    let engine = engine::connect(cli.profile, cli.command.writes())?;
    if let Command::Rpc { .. } = cli.command {
        let input = input::standard().map_err(not_opened)?;
        return rpc::run(&engine, input, io::stdout());
    }
    let (sender, events) = channel();
    rpc::Engine::subscribe(
        &engine,
        Box::new(move |event| {
            let _ = sender.send(event);
        }),
    );
    let mut input = input::unbuffered().map_err(not_opened)?;
    let mut lines = Lines::new(|line| input::read_line(&mut input, line));
    let mut terminal = Terminal;
    let asker: &mut dyn Asker = if cli.password_stdin {
        &mut lines
    } else {
        &mut terminal
    };
    let mut session = Session {
        api: &engine,
        events: &events,
        asker,
        out: Output::new(io::stdout(), cli.json),
        accept: cli.accept_certificate,
        limit: Duration::from_secs(cli.timeout),
        zone: TimeZone::system(),
    };
    commands::run(cli.command, &mut session)
}

fn not_opened(error: io::Error) -> Failure {
    Failure::Io(format!("Standard input could not be opened: {error}."))
}

fn report(failure: &Failure, json: bool) {
    if matches!(failure, Failure::OutputClosed) {
        return;
    }
    if json {
        println!("{}", serde_json::json!({ "error": failure.to_json() }));
    } else {
        eprintln!("{}", output::text::plain(&failure.sentence()));
    }
}
