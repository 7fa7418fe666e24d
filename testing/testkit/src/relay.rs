//! A TCP relay on loopback that breaks links on command.
//!
//! 1. [`Relay::start`] listens on a free port and forwards every connection to the target.
//! 2. [`Relay::cut`] ends all connections of the moment; new ones are forwarded again.
//! 3. [`Relay::refuse`], [`Relay::black_hole`] and [`Relay::delay`] hold for connections old and new until changed.
//!
//! Only loopback is ever listened on or dialled.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often a pump looks at the switches while no byte comes.
const TICK: Duration = Duration::from_millis(20);

/// How a link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Both ends read an end of file.
    Close,
    /// Both ends get a reset; bytes on their way are lost.
    Reset,
}

/// A running relay. Dropping it cuts everything and stops listening.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: Mutex<SocketAddr>,
    refuse: AtomicBool,
    black_hole: AtomicBool,
    delay_ms: AtomicU64,
    stopped: AtomicBool,
    accepted: AtomicUsize,
    links: Mutex<Vec<Link>>,
}

#[derive(Debug)]
struct Link {
    near: TcpStream,
    far: TcpStream,
}

impl Relay {
    /// Listens on a free port of 127.0.0.1 and forwards to `target`.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            refuse: AtomicBool::new(false),
            black_hole: AtomicBool::new(false),
            delay_ms: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            accepted: AtomicUsize::new(0),
            links: Mutex::new(Vec::new()),
        });
        let for_thread = Arc::clone(&shared);
        thread::spawn(move || accept_loop(&listener, &for_thread));
        Ok(Self { address, shared })
    }

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Forwards connections to come to another address.
    pub fn set_target(&self, target: SocketAddr) {
        *lock(&self.shared.target) = target;
    }

    /// Ends all connections of the moment.
    pub fn cut(&self, how: Cut) {
        for link in lock(&self.shared.links).drain(..) {
            link.end(how);
        }
    }

    /// Closes new connections at once, or forwards them again.
    pub fn refuse(&self, on: bool) {
        self.shared.refuse.store(on, Ordering::SeqCst);
    }

    /// Swallows all bytes, both ways, while the connections stay open. Bytes swallowed are lost: whoever
    /// switches this off again should [`cut`](Self::cut) first, as a real outage would.
    pub fn black_hole(&self, on: bool) {
        self.shared.black_hole.store(on, Ordering::SeqCst);
    }

    /// Holds every chunk back for so long, each way.
    pub fn delay(&self, delay: Duration) {
        let ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.shared.delay_ms.store(ms, Ordering::SeqCst);
    }

    /// How many connections were forwarded so far.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.cut(Cut::Close);
        // Wakes the accepting thread, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

impl Link {
    fn end(&self, how: Cut) {
        for socket in [&self.near, &self.far] {
            if how == Cut::Reset {
                // With a linger of zero the close sends RST (RFC 9293 §3.10.4 ABORT).
                let _ = rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO));
            }
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

fn accept_loop(listener: &TcpListener, shared: &Arc<Shared>) {
    for near in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(near) = near else { continue };
        if shared.refuse.load(Ordering::SeqCst) {
            continue;
        }
        let target = *lock(&shared.target);
        let Ok(far) = TcpStream::connect(target) else {
            continue;
        };
        let _ = near.set_nodelay(true);
        let _ = far.set_nodelay(true);
        let pumps = [
            (near.try_clone(), far.try_clone()),
            (far.try_clone(), near.try_clone()),
        ];
        lock(&shared.links).push(Link { near, far });
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        for pump in pumps {
            let (Ok(from), Ok(to)) = pump else { continue };
            let shared = Arc::clone(shared);
            thread::spawn(move || {
                forward(&from, &to, &shared);
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    }
}

/// Moves bytes one way until either end is gone.
fn forward(mut from: &TcpStream, mut to: &TcpStream, shared: &Shared) {
    let _ = from.set_read_timeout(Some(TICK));
    let mut buffer = vec![0; 16 * 1024];
    while !shared.stopped.load(Ordering::SeqCst) {
        let count = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if is_timeout(&error) => continue,
            Err(_) => return,
        };
        let delay = shared.delay_ms.load(Ordering::SeqCst);
        if delay > 0 {
            thread::sleep(Duration::from_millis(delay));
        }
        if shared.black_hole.load(Ordering::SeqCst) {
            continue;
        }
        let chunk = buffer.get(..count).unwrap_or_default();
        if to.write_all(chunk).is_err() {
            return;
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_through_both_ways() {
        let (_echo, relay) = echo_behind_relay();
        let mut client = connect(&relay);
        assert_eq!(echoed(&mut client, b"hello").unwrap(), b"hello");
        assert_eq!(relay.accepted(), 1);
    }

    #[test]
    fn a_cut_ends_the_link_and_the_next_one_works() {
        for how in [Cut::Close, Cut::Reset] {
            let (_echo, relay) = echo_behind_relay();
            let mut client = connect(&relay);
            echoed(&mut client, b"before").unwrap();
            relay.cut(how);
            assert!(echoed(&mut client, b"after").is_err(), "{how:?}");
            let mut again = connect(&relay);
            assert_eq!(echoed(&mut again, b"again").unwrap(), b"again");
        }
    }

    #[test]
    fn a_black_hole_keeps_the_link_and_lets_nothing_through() {
        let (_echo, relay) = echo_behind_relay();
        let mut client = connect(&relay);
        echoed(&mut client, b"before").unwrap();
        relay.black_hole(true);
        client
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        client.write_all(b"lost").unwrap();
        let error = client.read(&mut [0; 8]).unwrap_err();
        assert!(is_timeout(&error), "{error}");
    }

    #[test]
    fn a_refusing_relay_closes_at_once() {
        let (_echo, relay) = echo_behind_relay();
        relay.refuse(true);
        let mut client = connect(&relay);
        assert!(echoed(&mut client, b"x").is_err());
        assert_eq!(relay.accepted(), 0);
    }

    fn echo_behind_relay() -> (SocketAddr, Relay) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                thread::spawn(move || {
                    let mut buffer = [0; 64];
                    while let Ok(count) = stream.read(&mut buffer) {
                        if count == 0 || stream.write_all(&buffer[..count]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        (address, Relay::start(address).unwrap())
    }

    fn connect(relay: &Relay) -> TcpStream {
        let client = TcpStream::connect(relay.address()).unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        client
    }

    fn echoed(client: &mut TcpStream, bytes: &[u8]) -> io::Result<Vec<u8>> {
        client.write_all(bytes)?;
        let mut back = vec![0; bytes.len()];
        client.read_exact(&mut back)?;
        Ok(back)
    }
}
