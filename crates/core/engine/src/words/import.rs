//! Moving in from another program.

use std::path::PathBuf;

use sotto_api::view::ImportProgram;
use sotto_api::{ApiError, ErrorKind, Field};
use sotto_import::{Kept, Problem, ScanError, SourceFile};

use super::time::{count, grouped};
use crate::import::Taken;
use crate::text::isolate;

fn name(program: ImportProgram) -> &'static str {
    match program {
        ImportProgram::Jitsi => "Jitsi",
        ImportProgram::Pidgin => "Pidgin",
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn several(count_of: u64, noun: &str) -> String {
    count(number(count_of), noun)
}

/// Something is being looked at, taken over or shredded.
pub fn busy() -> ApiError {
    ApiError::new(
        ErrorKind::InUse,
        "An import is under way. Wait for its end, or stop it first.",
    )
}

/// It was closed, or the profile was, while it ran.
pub fn closed() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "The import was stopped. What it had taken over is here; run it again for the rest, nothing comes twice.",
    )
}

/// No folder was named, and none is where it usually is.
pub fn no_usual_folder(program: ImportProgram) -> ApiError {
    ApiError::new(
        ErrorKind::NotFound,
        format!(
            "There is nothing of {} where it usually is. Say in which folder its profile lies.",
            name(program)
        ),
    )
}

/// A folder could not be looked at.
pub fn not_scanned(program: ImportProgram, error: &ScanError) -> ApiError {
    let program = name(program);
    match error {
        ScanError::NoFolder => {
            ApiError::new(ErrorKind::NotFound, "There is no such folder.".to_owned())
        }
        ScanError::NotThisProgram => ApiError::new(
            ErrorKind::Invalid,
            format!("There is nothing of {program} in this folder. Choose the one with its settings."),
        ),
        ScanError::WrongMaster => ApiError::new(
            ErrorKind::WrongPassphrase,
            format!("This is not the master password of {program}. Try again, or go on without its passwords."),
        )
        .at(Field::Password),
        ScanError::Io(_) => ApiError::new(
            ErrorKind::Refused,
            "The folder cannot be read. Check whose it is.".to_owned(),
        ),
    }
}

/// No part was chosen.
pub fn nothing_chosen() -> ApiError {
    ApiError::new(ErrorKind::Invalid, "Choose what to take over.")
}

/// The history cannot be taken, because none is kept.
pub fn history_is_off() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "History is switched off, so none can be taken over. Switch it on first, or take over the rest only.",
    )
}

/// Shredding before anything was taken.
pub fn take_over_first() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "Nothing was taken over yet, so nothing is shredded.",
    )
}

/// No file was taken over as a whole.
pub fn nothing_to_shred() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "No file was taken over as a whole, so none is shredded: each still holds something that is not here.",
    )
}

/// It was done before.
pub fn shredded_already() -> ApiError {
    ApiError::new(
        ErrorKind::Refused,
        "The originals were shredded already. Look at the folder anew.",
    )
}

/// A slice could not be stored.
pub fn stopped(why: &ApiError) -> ApiError {
    ApiError::new(
        why.kind,
        format!(
            "{} The import stopped there; what it had taken over is here. Run it again for the rest, nothing comes twice.",
            why.message
        ),
    )
}

/// What cannot be taken of what was found.
pub fn problem(problem: &Problem) -> String {
    match problem {
        Problem::OtherNetwork { account, network } => format!(
            "The account {} ({}) is of a network that Sotto does not speak yet.",
            isolate(account),
            isolate(network)
        ),
        Problem::PasswordUnreadable { account } => format!(
            "The password of {} does not read. Sotto will ask for it.",
            isolate(account)
        ),
        Problem::KeyUnusable { account } => format!(
            "A private key does not read or cannot be used ({}). Sotto makes a new one.",
            isolate(account)
        ),
        Problem::CodesUnclear { count } => match count {
            1 => "It cannot be told whose 1 verified code is. Verify anew.".into(),
            _ => format!(
                "It cannot be told whose {} verified codes are. Verify anew.",
                grouped(number(*count))
            ),
        },
        Problem::FileUnreadable { name } => format!("{} cannot be read.", isolate(name)),
        Problem::FileTooLarge { name } => format!(
            "{} is too large to be what it should be, and was not read.",
            isolate(name)
        ),
        Problem::Rooms { count } => format!(
            "What was said in {} is not taken over: Sotto knows conversations between two only.",
            several(*count, "room")
        ),
        Problem::OtherConversations { count } => format!(
            "{} of other networks cannot be taken over.",
            several(*count, "conversation")
        ),
        Problem::ConversationsUnclear { count } => format!(
            "Of {} it cannot be told who spoke with whom. They are not taken over.",
            several(*count, "conversation")
        ),
        Problem::RecordsUnreadable { count } => format!(
            "{} could not be read. What stands around is taken over; such a file is never shredded.",
            match count {
                1 => "1 damaged entry".to_owned(),
                some => format!("{} damaged entries", grouped(number(*some))),
            }
        ),
        Problem::Links { count } => match count {
            1 => "1 link was not followed.".into(),
            some => format!("{} links were not followed.", grouped(number(*some))),
        },
        Problem::TooMany => "There is more than can be taken over at once.".into(),
    }
}

/// What was left by a run.
pub fn left(taken: &Taken) -> Vec<String> {
    let mut left = Vec::new();
    for account in &taken.no_account {
        left.push(format!(
            "The history of {} was not taken over, because that account is not here. Add it, then run this again.",
            isolate(account)
        ));
    }
    for (account, why) in &taken.refused {
        left.push(format!(
            "The account {} was not added. {why}",
            isolate(account)
        ));
    }
    if taken.not_kept > 0 {
        left.push(format!(
            "{} not kept here, and were not taken over.",
            match taken.not_kept {
                1 => "1 conversation is".into(),
                some => format!("{} conversations are", grouped(number(some))),
            }
        ));
    }
    if taken.no_address > 0 {
        left.push(format!(
            "{} with an address that cannot be one was not taken over.",
            several(taken.no_address, "conversation")
        ));
    }
    if taken.expired > 0 {
        left.push(format!(
            "{} older than what you keep, and were not taken over.",
            match taken.expired {
                1 => "1 message or call is".into(),
                some => format!("{} messages and calls are", grouped(number(some))),
            }
        ));
    }
    left
}

/// What a run did.
pub fn done(taken: &Taken) -> String {
    let parts: Vec<String> = [
        (taken.accounts, "account"),
        (taken.passwords, "password"),
        (taken.messages, "message"),
        (taken.calls, "call"),
        (taken.own_keys, "own key"),
        (taken.codes, "verified code"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, noun)| several(count, noun))
    .collect();
    let mut text = match parts.split_last() {
        None => "There was nothing new to take over.".to_owned(),
        Some((last, [])) => format!("Taken over: {last}."),
        Some((last, rest)) => format!("Taken over: {} and {last}.", rest.join(", ")),
    };
    if taken.doubles > 0 {
        text.push_str(&match taken.doubles {
            1 => " 1 message was here already.".to_owned(),
            some => format!(" {} messages were here already.", grouped(number(some))),
        });
    }
    if taken.accounts > 0 {
        text.push_str(" The accounts are switched off until you switch them on.");
    }
    text
}

/// What shredding would do, and what it cannot.
pub fn before_shredding(files: &[SourceFile]) -> String {
    let bytes: u64 = files.iter().map(SourceFile::bytes).sum();
    let what = if files.is_empty() {
        "Shredding overwrites and removes the files that were taken over as a whole.".to_owned()
    } else {
        format!(
            "Shredding overwrites and removes {} ({}) that were taken over as a whole. The other program will not \
             have them any more.",
            several(files.len() as u64, "file"),
            size(bytes)
        )
    };
    format!("{what} {CANNOT}")
}

const CANNOT: &str = "On an old hard disk that is the end of them. On an SSD, a memory stick, and a file system that \
     keeps earlier versions or copies, parts may still be read with special tools, and so may backups. If that \
     matters, encrypt the whole disk, or destroy it.";

/// What shredding did. `more` says that some of what the program has was not taken over.
pub fn shredded(removed: u64, kept: &[(PathBuf, Kept)], more: bool) -> String {
    let mut text = match removed {
        0 => "No file was removed.".to_owned(),
        1 => "1 file was overwritten and removed.".to_owned(),
        some => format!(
            "{} files were overwritten and removed.",
            grouped(number(some))
        ),
    };
    for (why, words) in [
        (Kept::Changed, "changed or gone since"),
        (Kept::SecondName, "known under a second name elsewhere"),
        (Kept::Outside, "outside of the folder"),
        (Kept::Refused, "refused by the system"),
    ] {
        let count = kept.iter().filter(|(_, of)| *of == why).count() as u64;
        if count > 0 {
            text.push_str(&format!(
                " {} left as {} {words}.",
                match count {
                    1 => "1 file was".to_owned(),
                    some => format!("{} files were", grouped(number(some))),
                },
                if count == 1 { "it is:" } else { "they are:" }
            ));
        }
    }
    if more {
        text.push_str(
            " What was not taken over as a whole is still there, in clear: remove it yourself when you do not need it.",
        );
    }
    text
}

/// A size as people read it.
fn size(bytes: u64) -> String {
    match bytes {
        0..=999 => several(bytes, "byte"),
        1000..=999_999 => format!("{} kB", (bytes + 500) / 1000),
        _ => format!(
            "{}.{} MB",
            grouped(number(bytes / 1_000_000)),
            bytes % 1_000_000 / 100_000
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told_in_one_sentence() {
        let mut taken = Taken::default();
        assert_eq!(done(&taken), "There was nothing new to take over.");
        taken.messages = 1284;
        assert_eq!(done(&taken), "Taken over: 1,284 messages.");
        taken.accounts = 1;
        taken.doubles = 1;
        assert_eq!(
            done(&taken),
            "Taken over: 1 account and 1,284 messages. 1 message was here already. The accounts are switched off \
             until you switch them on."
        );
    }

    #[test]
    fn shredding_says_what_it_left_and_why() {
        let kept = [
            (PathBuf::from("a"), Kept::Changed),
            (PathBuf::from("b"), Kept::Changed),
            (PathBuf::from("c"), Kept::SecondName),
        ];
        assert_eq!(
            shredded(1200, &kept, false),
            "1,200 files were overwritten and removed. 2 files were left as they are: changed or gone since. \
             1 file was left as it is: known under a second name elsewhere."
        );
    }

    #[test]
    fn names_of_others_cannot_turn_a_sentence_around() {
        let said = problem(&Problem::OtherNetwork {
            account: "\u{202e}evil\u{0007}".into(),
            network: "سيب".into(),
        });
        assert!(!said.contains('\u{202e}') && !said.contains('\u{7}'));
        assert!(said.contains('\u{2068}'));
    }

    #[test]
    fn numbers_and_nouns_agree() {
        assert!(
            problem(&Problem::RecordsUnreadable { count: 1 }).starts_with("1 damaged entry could")
        );
        assert!(
            problem(&Problem::RecordsUnreadable { count: 2 })
                .starts_with("2 damaged entries could")
        );
        assert!(problem(&Problem::Links { count: 1 }).starts_with("1 link was not"));
        assert_eq!(size(734_003), "734 kB");
        assert_eq!(size(1_540_000), "1.5 MB");
    }
}
