//! `sotto-cli keys …`

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use sotto_api::view::{PeerKeyView, Trust};
use sotto_api::{AccountId, PeerKeyId, Reply, Request, Secret};
use zeroize::Zeroizing;

use super::verify::digits;
use crate::args::{ImportArgs, KeysCommand};
use crate::failure::{Done, Failure};
use crate::output::text;
use crate::session::{Session, not_found, unexpected};

/// More than any file of keys that a person has.
const LARGEST_FILE: u64 = 4 << 20;

pub(super) fn run<W: Write>(command: KeysCommand, session: &mut Session<'_, W>) -> Done {
    match command {
        KeysCommand::Own => {
            let Reply::OwnKeys(keys) = session.call(Request::OwnKeyList {})? else {
                return Err(unexpected());
            };
            session.out.result(&keys, || text::private::own_keys(&keys))
        }
        KeysCommand::List { account } => {
            let account = match account {
                Some(address) => Some(session.account_at(&address)?.id),
                None => None,
            };
            let keys = list(session, account)?;
            let zone = session.zone.clone();
            session
                .out
                .result(&keys, || text::private::peer_keys(&keys, &zone))
        }
        KeysCommand::Trust(args) => trust(session, &args.key, Trust::Verified),
        KeysCommand::Distrust(args) => trust(session, &args.key, Trust::Distrusted),
        KeysCommand::Forget(args) => {
            let key = find(session, &args.key)?;
            session.call(Request::PeerKeyForget { key: key.id })?;
            session.out.result(&Reply::Done, || {
                format!("The key {} of {} was forgotten.", key.code, name(&key))
            })
        }
        KeysCommand::Renew { address } => {
            let account = session.account_at(&address)?.id;
            session.call(Request::OwnKeyRenew { account })?;
            session.out.result(&Reply::Done, || {
                format!("{address} gets a new key. Everybody has to verify it anew.")
            })
        }
        KeysCommand::Import(args) => import(session, args),
    }
}

fn list<W: Write>(session: &Session<'_, W>, account: Option<AccountId>) -> Done<Vec<PeerKeyView>> {
    match session.call(Request::PeerKeyList { account })? {
        Reply::PeerKeys(keys) => Ok(keys),
        _ => Err(unexpected()),
    }
}

/// The key with this number or code; a code that two people seem to share names none.
fn find<W: Write>(session: &Session<'_, W>, named: &str) -> Done<PeerKeyView> {
    let keys = list(session, None)?;
    if let Ok(number) = named.parse() {
        return keys
            .into_iter()
            .find(|key| key.id == PeerKeyId(number))
            .ok_or_else(|| not_found(&format!("There is no key number {named}.")));
    }
    let wanted = digits(named)?;
    let mut fitting: Vec<PeerKeyView> = keys
        .into_iter()
        .filter(|key| digits(&key.code).is_ok_and(|code| code == wanted))
        .collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some(key), true) => Ok(key),
        (None, _) => Err(not_found("Nobody has a key with this code.")),
        (Some(_), false) => Err(Failure::Usage(
            "Several addresses have this key. Say which by its number in `sotto-cli keys list`."
                .to_owned(),
        )),
    }
}

fn trust<W: Write>(session: &mut Session<'_, W>, named: &str, trust: Trust) -> Done {
    let key = find(session, named)?;
    session.call(Request::PeerKeyTrust { key: key.id, trust })?;
    session.out.result(&Reply::Done, || {
        let word = if trust == Trust::Verified {
            "is marked verified"
        } else {
            "is marked as not theirs; nothing more goes to it"
        };
        format!("The key {} of {} {word}.", key.code, name(&key))
    })
}

fn import<W: Write>(session: &mut Session<'_, W>, args: ImportArgs) -> Done {
    let private_key = args
        .private_key
        .map(|path| read(&path).map(Secret::new))
        .transpose()?;
    let fingerprints = args.fingerprints.map(|path| read(&path)).transpose()?;
    let instance_tags = args.instance_tags.map(|path| read(&path)).transpose()?;
    session.call(Request::OtrImport {
        private_key,
        fingerprints,
        instance_tags,
    })?;
    session.out.result(&Reply::Done, || {
        "What fits the accounts here was taken over. Look with: sotto-cli keys list".to_owned()
    })
}

/// The text of a file. The bytes that were read are wiped when they are not text.
fn read(path: &Path) -> Done<String> {
    let unreadable =
        |words: String| Failure::Io(format!("{} could not be read: {words}.", path.display()));
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|e| unreadable(e.to_string()))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(unreadable("it is too large".to_owned()));
    }
    std::str::from_utf8(&bytes)
        .map(str::to_owned)
        .map_err(|_| unreadable("it is not text".to_owned()))
}

fn name(key: &PeerKeyView) -> String {
    text::plain(&key.name)
}
