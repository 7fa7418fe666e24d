//! A DNS server of one thread on loopback (RFC 1035 over UDP) that says what a test wants, and remembers what it was asked.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the thread looks whether it is to end.
const TICK: Duration = Duration::from_millis(50);

/// Type numbers of RFC 1035 §3.2.2, RFC 3596 §2.1 and RFC 2782.
pub mod kind {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// An IPv6 address.
    pub const AAAA: u16 = 28;
    /// A service's servers.
    pub const SRV: u16 = 33;
}

/// What is said to one question.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Priority, weight, port and target of each; the target `.` says that there is no such service.
    Srv(Vec<(u16, u16, u16, String)>),
    /// Addresses; those of the other family than asked for are left out.
    Addresses(Vec<IpAddr>),
    /// The name exists, but nothing of this type (NODATA).
    Nothing,
    /// There is no such name (NXDOMAIN).
    NoSuchName,
    /// The server cannot say (SERVFAIL).
    Failure,
    /// Nothing is sent back.
    Silence,
    /// The header says that there are answers, but the message ends in the midst of one.
    CutOff,
    /// An answer whose name is a pointer to itself.
    Loop,
    /// These bytes after the right id.
    Bytes(Vec<u8>),
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct DnsServer {
    address: SocketAddr,
    questions: Arc<Mutex<Vec<(String, u16)>>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl DnsServer {
    /// Listens on a free port of 127.0.0.1. `answer` is given a name in lower case without its last dot, and a type.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(answer: impl Fn(&str, u16) -> Answer + Send + 'static) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(TICK))?;
        let address = socket.local_addr()?;
        let questions: Arc<Mutex<Vec<(String, u16)>>> = Arc::default();
        let ended = Arc::new(AtomicBool::new(false));
        let thread = {
            let questions = questions.clone();
            let ended = ended.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while !ended.load(Ordering::Relaxed) {
                    let Ok((length, from)) = socket.recv_from(&mut buffer) else {
                        continue;
                    };
                    let Some(question) = Question::parse(&buffer[..length]) else {
                        continue;
                    };
                    questions
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((question.name.clone(), question.kind));
                    if let Some(bytes) = question.answer(answer(&question.name, question.kind)) {
                        // Whoever asked may have given up.
                        let _ = socket.send_to(&bytes, from);
                    }
                }
            })
        };
        Ok(Self {
            address,
            questions,
            ended,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Names and types that were asked for so far.
    pub fn questions(&self) -> Vec<(String, u16)> {
        self.questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic in the thread was printed already.
            let _ = thread.join();
        }
    }
}

struct Question {
    id: [u8; 2],
    name: String,
    kind: u16,
    /// As it came, to be repeated.
    section: Vec<u8>,
}

impl Question {
    fn parse(message: &[u8]) -> Option<Self> {
        let (header, body) = message.split_first_chunk::<12>()?;
        let mut labels = Vec::new();
        let mut rest = body;
        loop {
            let (length, after) = rest.split_first()?;
            let length = usize::from(*length);
            if length == 0 {
                rest = after;
                break;
            }
            let label = after.get(..length)?;
            labels.push(String::from_utf8_lossy(label).to_lowercase());
            rest = after.get(length..)?;
        }
        let kind = u16::from_be_bytes(*rest.first_chunk::<2>()?);
        let length = body.len() - rest.len() + 4;
        Some(Self {
            id: [header[0], header[1]],
            name: labels.join("."),
            kind,
            section: body.get(..length)?.to_vec(),
        })
    }

    fn answer(&self, answer: Answer) -> Option<Vec<u8>> {
        let own_name = [0xc0, 12];
        let records: Vec<Vec<u8>> = match &answer {
            Answer::Srv(targets) => targets
                .iter()
                .map(|(priority, weight, port, target)| {
                    let mut data = Vec::new();
                    for number in [priority, weight, port] {
                        data.extend(number.to_be_bytes());
                    }
                    data.extend(encode_name(target));
                    self.record(&own_name, &data)
                })
                .collect(),
            Answer::Addresses(addresses) => addresses
                .iter()
                .filter_map(|address| match address {
                    IpAddr::V4(v4) if self.kind == kind::A => Some(v4.octets().to_vec()),
                    IpAddr::V6(v6) if self.kind == kind::AAAA => Some(v6.octets().to_vec()),
                    _ => None,
                })
                .map(|data| self.record(&own_name, &data))
                .collect(),
            Answer::CutOff => vec![own_name.to_vec()],
            Answer::Loop => {
                let here = u16::try_from(12 + self.section.len()).ok()? | 0xc000;
                vec![self.record(&here.to_be_bytes(), &[127, 0, 0, 1])]
            }
            Answer::Bytes(bytes) => return Some([&self.id[..], bytes].concat()),
            Answer::Silence => return None,
            Answer::Nothing | Answer::NoSuchName | Answer::Failure => Vec::new(),
        };
        let code = match answer {
            Answer::Failure => 2,
            Answer::NoSuchName => 3,
            _ => 0,
        };
        let count = u16::try_from(records.len()).ok()?;
        let mut out = self.id.to_vec();
        // A response, recursion desired and available; one question.
        out.extend([0x81, 0x80 | code, 0, 1]);
        out.extend(count.to_be_bytes());
        out.extend([0; 4]);
        out.extend(&self.section);
        out.extend(records.concat());
        Some(out)
    }

    fn record(&self, name: &[u8], data: &[u8]) -> Vec<u8> {
        let mut out = name.to_vec();
        out.extend(self.kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend(u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
        out.extend(data);
        out
    }
}

fn encode_name(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        out.push(u8::try_from(label.len()).unwrap_or(63));
        out.extend(label.bytes().take(63));
    }
    out.push(0);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_answered_with_its_own_id_and_remembered() {
        let server = DnsServer::start(|name, _| {
            assert_eq!(name, "a.test");
            Answer::Addresses(vec!["192.0.2.1".parse().unwrap()])
        })
        .unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut question = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        question.extend(encode_name("A.test"));
        question.extend([0, 1, 0, 1]);
        socket.send_to(&question, server.address()).unwrap();
        let mut answer = [0; 512];
        let length = socket.recv(&mut answer).unwrap();
        assert_eq!(answer[..4], [7, 9, 0x81, 0x80]);
        assert!(answer[..length].ends_with(&[192, 0, 2, 1]));
        assert_eq!(server.questions(), [("a.test".to_owned(), kind::A)]);
    }
}
