//! A server for one login: STARTTLS, SCRAM-SHA-256 (RFC 7677), bind, and a message in each direction. Every word that is
//! somebody's business contains `canary`.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use sha2::Sha256;
use sotto_testkit::ca::Authority;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::dns::Dns;
use crate::link::Environment;
use crate::log::Redacted;
use crate::tls::Tls;

const DOMAIN: &str = "canary.test";
const PASSWORD: &str = "canary-password";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn log_of_a_conversation() {
    let memory = Memory::default();
    let layer = Redacted::new(LevelFilter::TRACE, memory.clone());
    // The whole process's, since the owner's threads are to be heard.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

    let authority = Authority::new().unwrap();
    let (port, said) = start(&authority);
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let environment = Environment {
        dns: Dns::new(Some(Vec::new())),
        tls: Tls::with_roots(roots),
    };
    let profile = TempProfile::new().unwrap();
    let folder = ProfileDir::open(&profile.path()).unwrap();
    let lock = folder.lock().unwrap();
    let client = start_in(folder, lock, "Test 1".to_owned(), None, environment).unwrap();
    let (sender, events) = channel();
    client.subscribe(move |event| {
        // Fails once nobody listens.
        let _ = sender.send(event);
    });
    let passphrase = Secret::new("canary-passphrase".to_owned());
    let protection = Protection::Passphrase { passphrase };
    client.call(Request::ProfileCreate { protection }).unwrap();
    let added = client.call(Request::AccountAdd {
        network: "xmpp".to_owned(),
        address: format!("canary-sara@{DOMAIN}"),
        password: Some(Secret::new(PASSWORD.to_owned())),
        remember: true,
        settings: AccountSettings {
            server: Some(ServerOverride {
                host: "127.0.0.1".to_owned(),
                port,
                direct_tls: false,
            }),
            ..AccountSettings::default()
        },
    });
    let Ok(Reply::Account(account)) = added else {
        panic!("{added:?}");
    };
    let opened = client.call(Request::ConversationOpen {
        account: account.id,
        address: format!("canary-rami@{DOMAIN}"),
    });
    let Ok(Reply::Conversation(conversation)) = opened else {
        panic!("{opened:?}");
    };
    let sent = client.call(Request::MessageSend {
        conversation: conversation.id,
        body: "canary-out".to_owned(),
    });
    assert!(sent.is_ok(), "{sent:?}");
    assert!(soon(&said).contains("canary-out"));
    // The answer arrives, too.
    loop {
        if let Event::MessagesAdded { alert: true, .. } = soon(&events) {
            break;
        }
    }
    drop(client);

    let log = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains(" DEBUG sotto_"), "nothing was logged: {log}");
    let encoded = BASE64.encode("canary");
    for word in ["canary", encoded.trim_end_matches('=')] {
        assert!(!log.contains(word), "{log}");
    }
}

/// Its port, and what clients say to each other.
fn start(authority: &Authority) -> (u16, Receiver<String>) {
    let identity = authority.issue(&[DOMAIN]).unwrap();
    let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let (said, heard) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        // Ends with the client's connection.
        let ended: io::Result<()> = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let (stream, _) = listener.accept().await?;
            let mut clear = Talk::new(stream);
            clear.opened().await?;
            clear
                .open("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>")
                .await?;
            clear.until("<starttls").await?;
            clear
                .say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
                .await?;
            let mut talk = Talk::new(acceptor.accept(clear.stream).await?);
            login(&mut talk).await?;
            session(&mut talk, &said).await
        });
        drop(ended);
    });
    (port, heard)
}

struct Talk<S> {
    stream: S,
    heard: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            heard: String::new(),
        }
    }

    /// Everything up to and with `mark`.
    async fn until(&mut self, mark: &str) -> io::Result<String> {
        loop {
            if let Some(at) = self.heard.find(mark) {
                let rest = self.heard.split_off(at + mark.len());
                return Ok(std::mem::replace(&mut self.heard, rest));
            }
            let mut buffer = [0; 4096];
            let count = self.stream.read(&mut buffer).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.heard
                .push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    async fn opened(&mut self) -> io::Result<()> {
        self.until("<stream:stream").await?;
        self.until(">").await?;
        Ok(())
    }

    async fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await
    }

    async fn open(&mut self, features: &str) -> io::Result<()> {
        let text = format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' id='canary-id' from='{DOMAIN}' version='1.0'>\
             <stream:features>{features}</stream:features>"
        );
        self.say(&text).await
    }
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

/// What stands between `from` and the next `to`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let start = text.find(from).unwrap() + from.len();
    text[start..].split(to).next().unwrap()
}

/// The decoded content of the element `name`.
fn decoded(text: &str, name: &str) -> String {
    let element = &text[text.find(name).unwrap()..];
    String::from_utf8(BASE64.decode(between(element, ">", "<")).unwrap()).unwrap()
}

async fn login<S: AsyncRead + AsyncWrite + Unpin>(talk: &mut Talk<S>) -> io::Result<()> {
    talk.opened().await?;
    talk.open(&format!(
        "<mechanisms xmlns='{SASL}'><mechanism>SCRAM-SHA-256</mechanism></mechanisms>"
    ))
    .await?;
    let first = decoded(&talk.until("</auth>").await?, "<auth");
    let bare = first.splitn(3, ',').nth(2).unwrap();
    let nonce = format!("{}canary-nonce", between(bare, "r=", ","));
    let challenge = format!("r={nonce},s={},i=4096", BASE64.encode("canary-salt"));
    let encoded = BASE64.encode(&challenge);
    talk.say(&format!("<challenge xmlns='{SASL}'>{encoded}</challenge>"))
        .await?;
    let last = decoded(&talk.until("</response>").await?, "<response");
    let without_proof = last.split(",p=").next().unwrap();
    let mut salted = [0; 32];
    pbkdf2::pbkdf2::<Hmac<Sha256>>(PASSWORD.as_bytes(), b"canary-salt", 4096, &mut salted).unwrap();
    let signed = format!("{bare},{challenge},{without_proof}");
    let signature = hmac(&hmac(&salted, b"Server Key"), signed.as_bytes());
    let verifier = BASE64.encode(format!("v={}", BASE64.encode(signature)));
    talk.say(&format!("<success xmlns='{SASL}'>{verifier}</success>"))
        .await?;
    talk.opened().await?;
    talk.open("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")
        .await
}

async fn session<S: AsyncRead + AsyncWrite + Unpin>(
    talk: &mut Talk<S>,
    said: &Sender<String>,
) -> io::Result<()> {
    loop {
        talk.until("<").await?;
        let stanza = talk.until(">").await?;
        if stanza.starts_with("iq") {
            let id = between(&stanza.replace('"', "'"), "id='", "'").to_owned();
            let content = talk.until("</iq>").await?;
            talk.say(&answer(&id, &content)).await?;
        } else if stanza.starts_with("message") && !stanza.ends_with("/>") {
            let content = talk.until("</message>").await?;
            if content.contains("<body>") {
                // Fails once the test has heard enough.
                let _ = said.send(content);
                // A carbon that nobody may send, then an answer.
                talk.say(&format!(
                    "<message from='canary-eve@{DOMAIN}/x' id='canary-1'>\
                     <received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
                     <message xmlns='jabber:client' from='canary-rami@{DOMAIN}'><body>canary-forged</body></message>\
                     </forwarded></received></message>\
                     <message from='canary-rami@{DOMAIN}/canary-r' type='chat' id='canary-2'>\
                     <body>canary-in</body></message>"
                ))
                .await?;
            }
        }
    }
}

fn answer(id: &str, content: &str) -> String {
    if content.contains("xmpp-bind") {
        format!(
            "<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <jid>canary-sara@{DOMAIN}/canary-resource</jid></bind></iq>"
        )
    } else if content.contains("jabber:iq:roster") {
        format!(
            "<iq type='result' id='{id}'><query xmlns='jabber:iq:roster'>\
             <item jid='canary-rami@{DOMAIN}' name='canary-name' subscription='both'/></query></iq>"
        )
    } else {
        // Refused in words that are foreign text as well.
        format!(
            "<iq type='error' id='{id}'><error type='cancel'>\
             <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>canary-error</text></error></iq>"
        )
    }
}
