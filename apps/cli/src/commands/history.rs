//! `sotto-cli history …`

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use sotto_api::view::{DayPage, EraseScope, Expiry, ExportPart, Settings};
use sotto_api::{ConversationId, MessageId, Reply, Request};

use super::{confirmed, messages};
use crate::args::{EraseArgs, HistoryArgs, HistoryCommand};
use crate::failure::{Done, Failure};
use crate::output::text;
use crate::session::{Session, unexpected};

pub(super) fn run<W: Write>(args: HistoryArgs, session: &mut Session<'_, W>) -> Done {
    match args.command {
        None => last(args, session),
        Some(HistoryCommand::Days {
            with,
            account,
            zone,
            before,
            limit,
        }) => {
            let conversation = conversation(session, with.as_deref(), account.as_deref())?;
            let reply = session.call(Request::HistoryDays {
                conversation,
                zone,
                before,
                limit,
            })?;
            let Reply::Days(page) = reply else {
                return Err(unexpected());
            };
            session.out.result(&page, || days(&page))
        }
        Some(HistoryCommand::Search(args)) => messages::search(args, session),
        Some(HistoryCommand::Export {
            address,
            file,
            account,
            zone,
            yes,
        }) => {
            let conversation = session.conversation(&address, account.as_deref())?.id;
            if !confirmed(
                session,
                yes,
                "Everybody who gets at this file can read it. Nothing seals it.",
                "write",
            )? {
                return Err(Failure::Usage("Nothing was written.".to_owned()));
            }
            export(session, conversation, &zone, &file)
        }
        Some(HistoryCommand::Erase(args)) => erase(&args, session),
        Some(HistoryCommand::Keep {
            keep,
            with,
            account,
        }) => {
            let keep = keep.keep();
            choose(
                session,
                conversation(session, with.as_deref(), account.as_deref())?,
                |own_keep, _| *own_keep = keep,
                |settings| keep.map(|keep| settings.keep_history = keep),
            )
        }
        Some(HistoryCommand::Expire {
            after,
            with,
            account,
        }) => {
            let expiry = after.expiry();
            choose(
                session,
                conversation(session, with.as_deref(), account.as_deref())?,
                |_, own_expiry| *own_expiry = expiry,
                |settings| expiry.map(|expiry| settings.expiry = expiry),
            )
        }
    }
}

fn last<W: Write>(args: HistoryArgs, session: &mut Session<'_, W>) -> Done {
    let address = args.address.unwrap_or_default();
    let conversation = session.conversation(&address, args.account.as_deref())?;
    let reply = session.call(Request::MessagePage {
        conversation: conversation.id,
        before: args.before.map(MessageId),
        after: None,
        limit: args.limit,
    })?;
    let Reply::Messages(page) = reply else {
        return Err(unexpected());
    };
    let zone = session.zone.clone();
    session.out.result(&page, || {
        let mut words = String::new();
        if page.older
            && let Some(first) = page.messages.first()
        {
            words.push_str(&format!("Older ones: --before {}\n", first.id.0));
        }
        words.push_str(&text::messages(&page.messages, &zone));
        words
    })
}

fn conversation<W: Write>(
    session: &Session<'_, W>,
    with: Option<&str>,
    account: Option<&str>,
) -> Done<Option<ConversationId>> {
    with.map(|peer| Ok(session.conversation(peer, account)?.id))
        .transpose()
}

fn days(page: &DayPage) -> String {
    if page.days.is_empty() {
        return "Nothing is kept.".to_owned();
    }
    let mut lines: Vec<String> = page
        .days
        .iter()
        .map(|day| {
            let noun = if day.messages == 1 {
                "message"
            } else {
                "messages"
            };
            format!("{}  {} {noun}", text::plain(&day.day), day.messages)
        })
        .collect();
    if page.more
        && let Some(last) = page.days.last()
    {
        lines.push(format!("Older ones: --before {}", text::plain(&last.day)));
    }
    lines.join("\n")
}

/// Sets one choice, of a conversation or for everyone, and says what holds now.
fn choose<W: Write>(
    session: &mut Session<'_, W>,
    conversation: Option<ConversationId>,
    own: impl FnOnce(&mut Option<bool>, &mut Option<Expiry>),
    all: impl FnOnce(&mut Settings) -> Option<()>,
) -> Done {
    if let Some(conversation) = conversation {
        let history = session.conversation_now(conversation)?.history;
        let (mut keep, mut expiry) = (history.own_keep, history.own_expiry);
        own(&mut keep, &mut expiry);
        session.call(Request::HistorySet {
            conversation,
            keep,
            expiry,
        })?;
        let view = session.conversation_now(conversation)?.history;
        return session
            .out
            .result(&view, || format!("{}.", text::plain(&view.text)));
    }
    let mut settings = super::settings::get(session)?;
    if all(&mut settings).is_none() {
        return Err(Failure::Usage(
            "Everyone's setting inherits from nothing. Say for whom with --with.".to_owned(),
        ));
    }
    session.call(Request::SettingsSet { settings })?;
    Ok(())
}

fn erase<W: Write>(args: &EraseArgs, session: &mut Session<'_, W>) -> Done {
    let what = scope(args, session)?;
    let Reply::Erased(count) = session.call(Request::HistoryCount { what: what.clone() })? else {
        return Err(unexpected());
    };
    if !confirmed(session, args.yes, &count.text, "erase")? {
        return Err(Failure::Usage("Nothing was erased.".to_owned()));
    }
    let Reply::Erased(erased) = session.call(Request::HistoryErase { what })? else {
        return Err(unexpected());
    };
    session.out.result(&erased, || text::plain(&erased.text))
}

fn scope<W: Write>(args: &EraseArgs, session: &Session<'_, W>) -> Done<EraseScope> {
    if let Some(message) = args.message {
        return Ok(EraseScope::Message {
            message: MessageId(message),
        });
    }
    let with = conversation(session, args.with.as_deref(), args.account.as_deref())?;
    Ok(match (&args.day, with, &args.all_of) {
        (Some(day), conversation, _) => EraseScope::Day {
            conversation,
            day: day.clone(),
            zone: args.zone.clone(),
        },
        (None, Some(conversation), _) => EraseScope::Conversation { conversation },
        (None, None, Some(address)) => EraseScope::Account {
            account: session.account_at(address)?.id,
        },
        (None, None, None) => EraseScope::All,
    })
}

// ---- reading out ---------------------------------------------------------------------------------

fn export<W: Write>(
    session: &mut Session<'_, W>,
    conversation: ConversationId,
    zone: &str,
    file: &Path,
) -> Done {
    let mut part = export_part(session, conversation, zone, None)?;
    let cannot =
        |e: std::io::Error| Failure::Io(format!("{} cannot be written: {e}.", file.display()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut output = options.open(file).map_err(cannot)?;
    let written = (|| {
        loop {
            output.write_all(part.text.as_bytes()).map_err(cannot)?;
            let Some(after) = part.next else {
                return output.sync_all().map_err(cannot);
            };
            part = export_part(session, conversation, zone, Some(after))?;
        }
    })();
    if let Err(failure) = written {
        // Half of a conversation in clear text serves nobody who asked for the whole.
        std::fs::remove_file(file).ok();
        return Err(failure);
    }
    session
        .out
        .result(&serde_json::json!({ "file": file }), || {
            format!("Written: {}", text::plain(&file.display().to_string()))
        })
}

fn export_part<W: Write>(
    session: &Session<'_, W>,
    conversation: ConversationId,
    zone: &str,
    after: Option<MessageId>,
) -> Done<ExportPart> {
    let request = Request::HistoryExport {
        conversation,
        zone: zone.to_owned(),
        after,
    };
    match session.call(request)? {
        Reply::Export(part) => Ok(part),
        _ => Err(unexpected()),
    }
}
