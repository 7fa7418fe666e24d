//! Sotto: the window.
#![forbid(unsafe_code)]
#![cfg_attr(windows, windows_subsystem = "windows")]

use std::process::ExitCode;

use sotto_desktop::start;

fn main() -> ExitCode {
    if let Some(done) = sotto_runtime::decoder_role() {
        return done;
    }
    let arguments = std::env::args().skip(1);
    #[cfg(feature = "demo")]
    let result = if std::env::args().any(|argument| argument == "--demo") {
        sotto_desktop::demo::run(arguments)
    } else {
        start::Arguments::parse(arguments).and_then(start::run)
    };
    #[cfg(not(feature = "demo"))]
    let result = start::Arguments::parse(arguments).and_then(start::run);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("{words}");
            ExitCode::FAILURE
        }
    }
}
