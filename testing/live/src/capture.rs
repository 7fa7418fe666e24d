//! A packet capture outside the programs under test: what crossed the loopback interface, as tcpdump saw it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use sotto_testkit::rpc::{Failure, Step};

/// How long a packet may take from the kernel to the file.
const LIMIT: Duration = Duration::from_secs(30);

/// How much of the end of the file is looked at for the newest packet, in bytes.
const NEWEST: u64 = 1 << 16;

/// A running capture. Dropping it ends it.
pub struct Capture {
    child: Child,
    errors: BufReader<ChildStderr>,
    file: PathBuf,
}

/// What was captured: the bytes of each direction of each connection, one after the other.
pub struct Captured(Vec<Vec<u8>>);

impl Captured {
    /// How many directions of connections carried bytes.
    pub fn directions(&self) -> usize {
        self.0.len()
    }

    /// Whether these words were carried in clear.
    pub fn holds(&self, words: &str) -> bool {
        self.0.iter().any(|bytes| contains(bytes, words))
    }
}

fn contains(bytes: &[u8], words: &str) -> bool {
    let words = words.as_bytes();
    bytes.windows(words.len()).any(|window| window == words)
}

impl Capture {
    /// Captures all TCP packets to and from these ports of loopback into a file.
    ///
    /// # Errors
    /// When tcpdump is missing or may not capture: it must be root, or become it by sudo without a question.
    pub fn start(file: &Path, ports: &[u16]) -> Step<Self> {
        let filter: Vec<String> = ports.iter().map(|port| format!("port {port}")).collect();
        let mut command = if geteuid().is_root() {
            Command::new("tcpdump")
        } else {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "tcpdump"]);
            sudo
        };
        let mut child = command
            // Unbuffered, whole packets, and room for what comes while the computer is busy (KiB).
            .args(["-i", "lo", "-n", "-U", "-s", "0", "-B", "32768", "-w", "-"])
            .arg(format!("tcp and ({})", filter.join(" or ")))
            .stdin(Stdio::null())
            .stdout(File::create(file)?)
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| Failure::new(format!("tcpdump cannot be run: {e}")))?;
        let errors = child.stderr.take();
        let errors = errors.ok_or_else(|| Failure::new("tcpdump has no pipe"))?;
        let mut capture = Self {
            child,
            errors: BufReader::new(errors),
            file: file.to_owned(),
        };
        let mut said = String::new();
        while !said.contains("listening on") {
            if capture.errors.read_line(&mut said)? == 0 {
                return Err(Failure::new(format!("tcpdump does not capture: {said}")));
            }
        }
        Ok(capture)
    }

    /// Waits until it has seen these words, said last and in clear; ends it and gives what it saw.
    ///
    /// # Errors
    /// When it does not see them, when packets were lost, or when what it wrote is no capture.
    pub fn finish(mut self, last: &str) -> Step<Captured> {
        let deadline = Instant::now() + LIMIT;
        while !self.newest()?.contains(last) {
            if Instant::now() >= deadline {
                return Err(Failure::new("tcpdump did not see what was said in clear"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.signal();
        let mut said = String::new();
        self.errors.read_to_string(&mut said)?;
        self.child.wait()?;
        if !said
            .lines()
            .any(|line| line == "0 packets dropped by kernel")
        {
            return Err(Failure::new(format!("the capture has holes: {said}")));
        }
        let bytes = fs::read(&self.file)?;
        let directions = directions(&bytes);
        directions
            .map(|by_ports| Captured(by_ports.into_values().collect()))
            .ok_or_else(|| Failure::new("tcpdump wrote something else than Ethernet, IPv4 and TCP"))
    }

    fn newest(&self) -> Step<String> {
        let mut file = File::open(&self.file)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(NEWEST)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn signal(&self) {
        // sudo hands it on.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::INT);
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.signal();
        let _ = self.child.wait();
    }
}

/// The payloads of a pcap file (draft-ietf-opsawg-pcap, little endian, Ethernet), joined by source and target
/// port in the order in which they were seen. Nothing is reordered on loopback.
fn directions(file: &[u8]) -> Option<BTreeMap<(u16, u16), Vec<u8>>> {
    let mut all: BTreeMap<(u16, u16), Vec<u8>> = BTreeMap::new();
    let mut rest = file.get(24..)?;
    while !rest.is_empty() {
        let length = rest.get(8..12)?.try_into().ok()?;
        let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
        let packet = rest.get(16..)?.get(..length)?;
        rest = rest.get(16..)?.get(length..)?;
        let ip = packet.get(14..)?;
        let total = usize::from(u16::from_be_bytes(ip.get(2..4)?.try_into().ok()?));
        let tcp = ip
            .get(..total)?
            .get(usize::from(ip.first()? & 0x0f) * 4..)?;
        let port = |at: usize| Some(u16::from_be_bytes(tcp.get(at..at + 2)?.try_into().ok()?));
        let payload = tcp.get(usize::from(tcp.get(12)? >> 4) * 4..)?;
        if !payload.is_empty() {
            let direction = all.entry((port(0)?, port(2)?)).or_default();
            direction.extend_from_slice(payload);
        }
    }
    Some(all)
}
