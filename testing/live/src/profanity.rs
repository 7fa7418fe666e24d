//! Profanity, a terminal program with libotr: it runs in tmux, is typed to, and its screen is read.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sotto_api::SubscriptionAnswer;
use sotto_api::view::Availability;
use sotto_testkit::rpc::{Failure, Step};
use tempfile::TempDir;

use crate::foreign::{Foreign, Outcome};
use crate::sotto::Sotto;
use crate::world::{PASSWORD, World};

/// The longest wait for words on the screen.
const LIMIT: Duration = Duration::from_secs(60);

/// A running Profanity. Dropping it ends it.
pub struct Profanity {
    folder: TempDir,
    ca: PathBuf,
    address: String,
    with: String,
    /// How often each of the words that were waited for has been there.
    seen: HashMap<String, usize>,
}

impl Profanity {
    /// Signs in with a fresh account, makes a key and opens a window to talk with `with`.
    ///
    /// # Errors
    /// When tmux or Profanity is missing, or does not get online.
    pub fn start(world: &World<'_>, with: &str) -> Step<Self> {
        for (program, option) in [("tmux", "-V"), ("profanity", "--version")] {
            Command::new(program)
                .arg(option)
                .stdout(Stdio::null())
                .status()
                .map_err(|e| Failure::new(format!("{program} cannot be run: {e}")))?;
        }
        let address = world.account("profanity")?;
        let mut profanity = Self {
            folder: tempfile::tempdir()?,
            ca: world.tools.ca.clone(),
            address,
            with: with.to_owned(),
            seen: HashMap::new(),
        };
        profanity.configure(world)?;
        profanity.launch()?;
        profanity.enter("/otr gen")?;
        profanity.sees("Private key generation complete.")?;
        profanity.open()?;
        Ok(profanity)
    }

    /// Both see each other's presence.
    ///
    /// # Errors
    /// When a request does not come or is not answered.
    pub fn befriend(&mut self, sara: &mut Sotto) -> Step {
        sara.add_contact(&self.address)?;
        self.sees("Authorization request")?;
        let with = self.with.clone();
        self.enter(&format!("/sub allow {with}"))?;
        self.enter(&format!("/sub request {with}"))?;
        sara.answer(&self.address, SubscriptionAnswer::Accept)?;
        sara.contact_is("available", &self.address, |c| {
            c.availability == Availability::Available
        })?;
        Ok(())
    }

    fn configure(&self, world: &World<'_>) -> Step {
        let (config, data) = (self.path("config/profanity"), self.path("data/profanity"));
        fs::create_dir_all(&config)?;
        fs::create_dir_all(&data)?;
        fs::write(
            config.join("profrc"),
            "[ui]\nsplash=false\nbeep=false\nflash=false\noccupants=false\nroster=false\n\
             [notifications]\nmessage=off\n[chatstates]\nenabled=false\n[otr]\npolicy=manual\n",
        )?;
        let to = world.server.starttls();
        fs::write(
            data.join("accounts"),
            format!(
                "[{0}]\nenabled=true\njid={0}\nserver={1}\nport={2}\nresource=profanity\n\
                 tls.policy=force\npassword={PASSWORD}\npresence.last=online\npresence.login=online\n",
                self.address,
                to.ip(),
                to.port()
            ),
        )?;
        Ok(())
    }

    fn launch(&mut self) -> Step {
        self.seen.clear();
        let program = format!("exec profanity -a {}", self.address);
        // So tall that nothing leaves the screen during a case.
        self.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "200",
            "-y",
            "400",
            &program,
        ])?;
        self.sees("logged in successfully")
    }

    fn open(&mut self) -> Step {
        let with = self.with.clone();
        self.enter(&format!("/msg {with}"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs tmux on a socket of its own; gives what it prints.
    fn tmux<S: AsRef<OsStr>>(&self, words: &[S]) -> Step<String> {
        let output = Command::new("tmux")
            .arg("-u")
            .arg("-S")
            .arg(self.path("tmux"))
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.folder.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("SSL_CERT_FILE", &self.ca)
            .output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Failure::new(format!(
            "tmux: {}",
            String::from_utf8_lossy(&output.stderr)
        )))
    }

    /// Types a line and Enter.
    fn enter(&mut self, line: &str) -> Step {
        self.tmux(&["send-keys", "-l", "--", line])?;
        self.tmux(&["send-keys", "Enter"]).map(drop)
    }

    fn screen(&self) -> Step<Vec<String>> {
        let text = self.tmux(&["capture-pane", "-p"])?;
        Ok(text
            .lines()
            .map(|line| line.trim_end().to_owned())
            .filter(|line| !line.is_empty())
            .collect())
    }

    /// Waits until a line with these words is there, once more than the last time.
    fn sees(&mut self, words: &str) -> Step {
        self.line(words, |line| line.contains(words)).map(drop)
    }

    /// The same for lines that fit; `what` is what failures call them.
    fn line(&mut self, what: &str, fits: impl Fn(&str) -> bool) -> Step<String> {
        let before = self.seen.get(what).copied().unwrap_or_default();
        let deadline = Instant::now() + LIMIT;
        loop {
            let screen = self.screen()?;
            if let Some(line) = screen.iter().filter(|line| fits(line)).nth(before) {
                self.seen.insert(what.to_owned(), before + 1);
                return Ok(line.clone());
            }
            if Instant::now() >= deadline {
                return Err(Failure::new(format!(
                    "Profanity does not show {what:?}, but:\n{}",
                    screen.join("\n")
                )));
            }
            // A screen tells of no change.
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// The code at the end of a line.
    fn code_after(&mut self, words: &str) -> Step<String> {
        let line = self.line(words, |line| line.contains(words))?;
        let code = line.split(words).nth(1).unwrap_or_default();
        Ok(code
            .chars()
            .filter(char::is_ascii_hexdigit)
            .map(|c| c.to_ascii_lowercase())
            .collect())
    }

    fn kill(&self) -> Step {
        let pid = self.tmux(&["list-panes", "-F", "#{pane_pid}"])?;
        let pid = pid.trim().parse().ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Failure::new("tmux names no process"))?;
        kill_process(pid, Signal::KILL)
            .map_err(|e| Failure::new(format!("Profanity cannot be killed: {e}")))?;
        // tmux ends with its only program.
        let deadline = Instant::now() + LIMIT;
        while self.screen().is_ok() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(30));
        }
        Ok(())
    }
}

impl Foreign for Profanity {
    fn address(&self) -> String {
        self.address.clone()
    }

    fn code(&mut self) -> Step<String> {
        self.enter("/otr myfp")?;
        self.code_after("Your OTR fingerprint:")
    }

    fn begin(&mut self) -> Step {
        self.enter("/otr start")
    }

    fn private(&mut self) -> Step<String> {
        self.sees("OTR session started")?;
        self.enter("/otr theirfp")?;
        self.code_after("'s OTR fingerprint:")
    }

    fn say(&mut self, body: &str) -> Step {
        self.enter(body)
    }

    fn hears(&mut self, body: &str) -> Step {
        // The wave marks what came by OTR.
        let said = format!(": {body}");
        self.line(body, |line| line.contains(" ~ ") && line.ends_with(&said))
            .map(drop)
    }

    fn ask(&mut self, question: Option<&str>, secret: &str) -> Step {
        match question {
            Some(question) => self.enter(&format!("/otr question \"{question}\" \"{secret}\"")),
            None => self.enter(&format!("/otr secret \"{secret}\"")),
        }
    }

    fn asked(&mut self, question: Option<&str>) -> Step {
        match question {
            Some(question) => self.sees(question),
            None => self.sees("wants to authenticate your identity, use '/otr secret <secret>'."),
        }
    }

    fn answer(&mut self, question: Option<&str>, secret: &str) -> Step {
        let verb = if question.is_some() {
            "answer"
        } else {
            "secret"
        };
        self.enter(&format!("/otr {verb} \"{secret}\""))
    }

    fn outcome(&mut self, outcome: Outcome) -> Step {
        let fits = |line: &str| match outcome {
            Outcome::Right => {
                line.contains("Authentication successful")
                    || line.contains("successfully authenticated you")
            }
            Outcome::Wrong => {
                line.contains("Authentication failed")
                    || line.contains("failed to authenticate you")
            }
            Outcome::Stopped => line.contains("aborted"),
        };
        self.line(&format!("{outcome:?}"), fits).map(drop)
    }

    fn end(&mut self) -> Step {
        self.enter("/otr end")
    }

    fn over(&mut self) -> Step {
        self.sees("OTR session ended.")
    }

    fn restart(&mut self) -> Step {
        self.kill()?;
        self.launch()?;
        self.open()
    }
}

impl Drop for Profanity {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
    }
}
