//! Prosody and ejabberd, started for one suite on loopback with their state in a folder of its own.
//!
//! Both run in the foreground as children of the suite and are ended by their process id. ejabberd runs without
//! Erlang distribution, so no epmd is started.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sotto_api::ServerOverride;
use sotto_testkit::ca::{Authority, Identity};
use sotto_testkit::rpc::{Failure, Step};

/// How long a server may take to accept connections, or to end.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The servers that we test against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Prosody 0.12.
    Prosody,
    /// ejabberd 23.
    Ejabberd,
}

impl Kind {
    /// As failures call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prosody => "prosody",
            Self::Ejabberd => "ejabberd",
        }
    }
}

/// What differs between servers of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The archive outlives a restart (slower).
    pub durable_archive: bool,
    /// SASL2 and Bind 2 (Prosody only). Debian's module for stream management inside them calls functions that
    /// its Prosody does not have, so that part has no server here.
    pub sasl2: bool,
    /// What clients say is written down, for [`Server::captured`].
    pub capture: bool,
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    /// Which program.
    pub kind: Kind,
    /// The domain that it serves.
    pub domain: String,
    state: PathBuf,
    starttls: u16,
    direct: u16,
    admin: u16,
    child: Option<Child>,
}

impl Server {
    /// Starts a server with its state below `folder`, its certificate from `authority`.
    ///
    /// # Errors
    /// When the program is missing or does not come up.
    pub fn start(kind: Kind, options: Options, authority: &Authority, folder: &Path) -> Step<Self> {
        let domain = format!("{}.test", kind.name());
        let [starttls, direct, admin] = free_ports()?;
        fs::create_dir_all(folder)?;
        let mut server = Self {
            kind,
            domain,
            state: folder.canonicalize()?,
            starttls,
            direct,
            admin,
            child: None,
        };
        server.present(&server.identity(authority)?)?;
        fs::write(server.state.join("ca.crt"), authority.pem())?;
        server.configure(options)?;
        server.launch()?;
        Ok(server)
    }

    /// A fresh certificate for this server's names.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn identity(&self, authority: &Authority) -> Step<Identity> {
        let names = ["", "form.", "closed."].map(|prefix| format!("{prefix}{}", self.domain));
        Ok(authority.issue(&names.each_ref().map(String::as_str))?)
    }

    /// Shows another certificate from the next start on.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn present(&self, identity: &Identity) -> Step {
        fs::write(self.state.join("server.crt"), &identity.chain)?;
        fs::write(self.state.join("server.key"), &identity.key)?;
        let both = format!("{}{}", identity.chain, identity.key);
        fs::write(self.state.join("server.pem"), both)?;
        Ok(())
    }

    /// Where STARTTLS is spoken.
    pub fn starttls(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.starttls).into()
    }

    /// The advanced setting that leads to STARTTLS.
    pub fn by_starttls(&self) -> ServerOverride {
        to(self.starttls, false)
    }

    /// The advanced setting that leads to direct TLS.
    pub fn by_direct_tls(&self) -> ServerOverride {
        to(self.direct, true)
    }

    /// Makes an account by the server's own means.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn add_account(&self, name: &str, password: &str) -> Step {
        match self.kind {
            Kind::Prosody => {
                let output = Command::new("prosodyctl")
                    .arg("--config")
                    .arg(self.state.join("prosody.cfg.lua"))
                    .args(["register", name, &self.domain, password])
                    .stdin(Stdio::null())
                    .output()?;
                if output.status.success() {
                    return Ok(());
                }
                Err(Failure::new(format!(
                    "prosodyctl register: {}{}",
                    String::from_utf8_lossy(&output.stdout),
                    String::from_utf8_lossy(&output.stderr)
                )))
            }
            Kind::Ejabberd => {
                let account =
                    serde_json::json!({ "user": name, "host": self.domain, "password": password });
                self.admin_call("register", &account)
            }
        }
    }

    /// Ends it as its service manager would, and starts it again.
    ///
    /// # Errors
    /// When it does not end, or does not come up again.
    pub fn restart(&mut self) -> Step {
        self.stop()?;
        self.launch()
    }

    /// Ends it as its service manager would.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> Step {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        signal(&child, Signal::TERM);
        let deadline = Instant::now() + START_LIMIT;
        while Instant::now() < deadline {
            if child.try_wait()?.is_some() {
                return Ok(());
            }
            pause();
        }
        child.kill()?;
        child.wait()?;
        Err(Failure::new(format!("{} did not end", self.kind.name())))
    }

    /// Starts it again after [`Self::stop`].
    ///
    /// # Errors
    /// When it does not come up.
    pub fn launch(&mut self) -> Step {
        let output = fs::File::create(self.state.join("output.txt"))?;
        let mut command = match self.kind {
            Kind::Prosody => {
                let mut command = Command::new("prosody");
                command
                    .arg("--config")
                    .arg(self.state.join("prosody.cfg.lua"))
                    .arg("-F");
                command
            }
            Kind::Ejabberd => self.ejabberd()?,
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|e| Failure::new(format!("{} cannot be run: {e}", self.kind.name())))?;
        self.child = Some(child);
        self.wait_until_ready()
    }

    /// Where its state lies.
    pub fn folder(&self) -> &Path {
        &self.state
    }

    /// Everything that clients said so far, as it stands inside TLS: of Prosody one text for each connection, of
    /// ejabberd one for all.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn captured(&self) -> Step<Vec<String>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(self.state.join("capture"))? {
            let bytes = fs::read(entry?.path())?;
            all.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        Ok(all)
    }

    /// The end of its log, for a failure's report.
    pub fn log_tail(&self) -> String {
        let mut tail = String::new();
        for name in ["server.log", "ejabberd.log", "output.txt"] {
            if let Ok(log) = fs::read_to_string(self.state.join(name)) {
                let lines: Vec<&str> = log.lines().rev().take(8).collect();
                for line in lines.iter().rev() {
                    tail.push_str(&format!("      {name}: {line}\n"));
                }
            }
        }
        tail
    }

    fn ejabberd(&self) -> Step<Command> {
        // Debian's ejabberdctl names the folder of the libraries that belong to this version.
        let script = fs::read_to_string("/usr/sbin/ejabberdctl")
            .map_err(|e| Failure::new(format!("ejabberd is not installed: {e}")))?;
        let libraries = script
            .lines()
            .find_map(|line| line.strip_prefix("ERL_LIBS='")?.strip_suffix('\''))
            .ok_or_else(|| Failure::new("ejabberdctl names no ERL_LIBS"))?;
        let mut command = Command::new("erl");
        command
            .args(["-noinput", "+K", "true", "-pa"])
            .arg(self.state.join("modules"))
            .args(["-mnesia", "dir"])
            .arg(format!("\"{}\"", self.state.join("spool").display()))
            .args(["-s", "ejabberd"])
            .env("ERL_LIBS", libraries)
            .env("HOME", &self.state)
            .env("EJABBERD_CONFIG_PATH", self.state.join("ejabberd.yml"))
            .env("EJABBERD_LOG_PATH", self.state.join("ejabberd.log"))
            .env("SOTTO_CAPTURE", self.state.join("capture/all.xml"))
            .env("ERL_CRASH_DUMP", self.state.join("erl_crash.dump"))
            .current_dir(&self.state);
        Ok(command)
    }

    fn configure(&self, options: Options) -> Step {
        fs::create_dir_all(self.state.join("data"))?;
        fs::create_dir_all(self.state.join("spool"))?;
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers");
        let (template, name) = match self.kind {
            Kind::Prosody => ("prosody.cfg.lua", "prosody.cfg.lua"),
            Kind::Ejabberd => ("ejabberd.yml", "ejabberd.yml"),
        };
        let archive = if options.durable_archive {
            "sql"
        } else {
            "memory"
        };
        fs::create_dir_all(self.state.join("capture"))?;
        // A stored SCRAM-SHA-1 key is Prosody's usual state; the other hash is tried beside SASL2.
        let (extra, hash) = if options.sasl2 {
            (r#""sotto_tls_info"; "sasl2"; "sasl2_bind2";"#, "SHA-256")
        } else {
            ("", "SHA-1")
        };
        let capture = match (options.capture, self.kind) {
            (false, _) => "",
            (true, Kind::Prosody) => r#""sotto_capture";"#,
            (true, Kind::Ejabberd) => {
                self.compile(&own.join("modules/mod_sotto_capture.erl"))?;
                "mod_sotto_capture: {}"
            }
        };
        let text = fs::read_to_string(own.join(template))?
            .replace("@STATE@", &self.state.display().to_string())
            .replace("@MODULES@", &own.join("modules").display().to_string())
            .replace("@ROOT@", &rustix::process::geteuid().is_root().to_string())
            .replace("@DOMAIN@", &self.domain)
            .replace("@STARTTLS@", &self.starttls.to_string())
            .replace("@DIRECT@", &self.direct.to_string())
            .replace("@ADMIN@", &self.admin.to_string())
            .replace("@ARCHIVE@", archive)
            .replace("@HASH@", hash)
            .replace("@LOG@", &log_level())
            .replace("@EXTRA@", format!("{extra} {capture}").trim());
        fs::write(self.state.join(name), text)?;
        Ok(())
    }

    /// Compiles a module of ours to where ejabberd finds it.
    fn compile(&self, module: &Path) -> Step {
        let folder = self.state.join("modules");
        fs::create_dir_all(&folder)?;
        let output = Command::new("erlc")
            .arg("-o")
            .arg(folder)
            .arg(module)
            .output()
            .map_err(|e| Failure::new(format!("erlc cannot be run: {e}")))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "erlc: {}",
            String::from_utf8_lossy(&output.stdout)
        )))
    }

    fn wait_until_ready(&mut self) -> Step {
        let deadline = Instant::now() + START_LIMIT;
        let mut ports = vec![self.starttls, self.direct];
        if self.kind == Kind::Ejabberd {
            ports.push(self.admin);
        }
        while Instant::now() < deadline {
            ports.retain(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_err());
            if ports.is_empty() {
                return Ok(());
            }
            if let Some(child) = self.child.as_mut()
                && let Some(status) = child.try_wait()?
            {
                return Err(Failure::new(format!(
                    "{} ended with {status} at its start\n{}",
                    self.kind.name(),
                    self.log_tail()
                )));
            }
            pause();
        }
        Err(Failure::new(format!(
            "{} did not open its ports\n{}",
            self.kind.name(),
            self.log_tail()
        )))
    }

    /// One call of ejabberd's administration over HTTP on loopback.
    fn admin_call(&self, command: &str, arguments: &serde_json::Value) -> Step {
        let body = arguments.to_string();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.admin))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        write!(
            stream,
            "POST /api/{command} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.lines().next().is_some_and(|l| l.contains(" 200 ")) {
            Ok(())
        } else {
            Err(Failure::new(format!("ejabberd {command}: {answer}")))
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// How much the servers log: `SOTTO_SERVER_LOG=debug` shows every stanza.
fn log_level() -> String {
    std::env::var("SOTTO_SERVER_LOG").unwrap_or_else(|_| "info".to_owned())
}

fn to(port: u16, direct_tls: bool) -> ServerOverride {
    ServerOverride {
        host: "127.0.0.1".to_owned(),
        port,
        direct_tls,
    }
}

fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Between two looks at a program that has no way to tell when it is ready.
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

/// Three free ports of loopback, held together so that they differ.
fn free_ports() -> Step<[u16; 3]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listeners = [bind()?, bind()?, bind()?];
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}
