//! Makes the profile of a long life: 5,000 contacts in 10 groups and 1,000,000 messages in 1,000
//! conversations, one of 100,000; its key in a file (`SOTTO_KEYRING=off`), one XMPP account.
//!
//! `profile FOLDER [--contacts N] [--messages N] [--address JID] [--server HOST:PORT]`
//!
//! With `--server` the account is enabled and goes there by STARTTLS; its password is the first line of
//! standard input. Without, it is disabled. Everyone is as after signing out: nobody's presence is known.

#[path = "../store/corpus.rs"]
mod corpus;
#[path = "../store/fill.rs"]
mod fill;

use std::error::Error;
use std::path::Path;

use sotto_api::{Protection, Secret, ServerOverride};
use sotto_store::{KeyFile, ProfileDir, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let mut folder = None;
    let mut contacts = 5_000;
    let mut messages = 1_000_000;
    let mut address = "sara@example.org".to_owned();
    let mut server = fill::Server::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--contacts" => contacts = value()?.parse()?,
            "--messages" => messages = value()?.parse()?,
            "--address" => address = value()?,
            "--server" => {
                let value = value()?;
                let (host, port) = value.rsplit_once(':').ok_or("a server is HOST:PORT")?;
                server.place = Some(ServerOverride {
                    host: host.to_owned(),
                    port: port.parse()?,
                    direct_tls: false,
                });
                let mut password = String::new();
                std::io::stdin().read_line(&mut password)?;
                server.password = Some(Secret::new(password.trim_end().to_owned()));
            }
            _ => folder = Some(argument),
        }
    }
    let folder = folder.ok_or("usage: profile FOLDER [--contacts N] [--messages N] …")?;
    let profile = ProfileDir::open(Path::new(&folder))?;
    let (_, key) = KeyFile::create_job(&profile, Protection::None).run()?;
    let store = Store::open(&profile, &key)?;
    let account = fill::account(&store, &address, &server)?;
    store.roster_replace(account, &fill::people(contacts), Some("1"))?;
    if messages > 0 {
        fill::messages(&store, account, messages)?;
    }
    store.close()?;
    Ok(())
}
