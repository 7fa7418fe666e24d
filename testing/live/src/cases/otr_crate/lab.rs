//! Our conversations on one side, libotr's users on the other, and what is on its way between them.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sotto_otr::{
    Config, Conversation, Env, Event, InstanceId, InstanceTag, InstanceView, Keypair, State,
};
use sotto_testkit::rpc::{Failure, Step};

use crate::cases::ensure;
use crate::libotr::{ALLOW_V2, ALLOW_V3, Heard, Libotr, SEND_TAG, TAG_STARTS, hex};
use crate::world::World;

/// The bare address of our side.
pub const SARA: &str = "sara@private.example";
/// The bare address of libotr's side.
pub const LEILA: &str = "leila@private.example";

/// A source of randomness that repeats with the suite's seed; only tests may use it.
pub struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.next().to_le_bytes();
            chunk.copy_from_slice(drawn.get(..chunk.len()).unwrap_or_default());
        }
    }
}

/// Our key: one for all cases, it takes a while to make.
pub fn our_key() -> &'static Keypair {
    static KEY: OnceLock<Keypair> = OnceLock::new();
    KEY.get_or_init(|| {
        let mut chance = Chance(0x5a4a);
        Keypair::generate(&mut |bytes| chance.fill(bytes))
    })
}

/// One program of ours.
pub struct Ours {
    /// Its full address.
    pub address: String,
    /// The conversation with [`LEILA`].
    pub talk: Conversation,
    /// What it reported, without what it sent.
    pub events: Vec<Event>,
}

/// One program of libotr's side.
pub struct Theirs {
    /// The driver's name for it.
    pub name: String,
    /// Its full address.
    pub address: String,
}

enum Letter {
    /// From one of ours to whom it names.
    Out {
        from: String,
        to: Option<String>,
        text: String,
    },
    /// From one of theirs, to all of ours.
    In { from: String, text: String },
}

/// Both sides and the way between them.
pub struct Lab {
    /// libotr.
    pub libotr: Libotr,
    /// Our programs.
    pub ours: Vec<Ours>,
    /// Theirs.
    pub theirs: Vec<Theirs>,
    /// What we may do.
    pub config: Config,
    /// What libotr reported, without what it sent.
    pub heard: Vec<Heard>,
    /// The longest text that came from either side, queries excepted.
    pub longest: usize,
    now: Instant,
    chance: Chance,
    out: VecDeque<Letter>,
    back: VecDeque<Letter>,
}

impl Lab {
    /// One program on each side.
    ///
    /// # Errors
    /// When libotr cannot be run.
    pub fn new(world: &World<'_>, version: u8) -> Step<Self> {
        let mut lab = Self {
            libotr: Libotr::start(&world.tools.libotr()?)?,
            ours: Vec::new(),
            theirs: Vec::new(),
            config: Config {
                v2: version == 2,
                v3: version == 3,
                ..Config::default()
            },
            heard: Vec::new(),
            longest: 0,
            now: Instant::now(),
            chance: Chance(world.seed),
            out: VecDeque::new(),
            back: VecDeque::new(),
        };
        lab.add_ours("desk");
        lab.add_theirs("phone")?;
        Ok(lab)
    }

    /// Another program of ours; its index.
    pub fn add_ours(&mut self, resource: &str) -> usize {
        let chance = &mut self.chance;
        let tag = InstanceTag::generate(&mut |bytes| chance.fill(bytes));
        self.ours.push(Ours {
            address: format!("{SARA}/{resource}"),
            talk: Conversation::new(tag),
            events: Vec::new(),
        });
        self.ours.len() - 1
    }

    /// Another program of theirs, with a key of its own; its index.
    ///
    /// # Errors
    /// When libotr refuses.
    pub fn add_theirs(&mut self, resource: &str) -> Step<usize> {
        self.theirs.push(Theirs {
            name: resource.to_owned(),
            address: format!("{LEILA}/{resource}"),
        });
        self.tell(&format!("user {resource} {}", hex(LEILA)))?;
        let version = if self.config.v2 { ALLOW_V2 } else { ALLOW_V3 };
        self.tell(&format!(
            "policy {resource} {}",
            version | SEND_TAG | TAG_STARTS
        ))?;
        Ok(self.theirs.len() - 1)
    }

    /// Lets one of ours do something, and puts what it sends on its way.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn with<T>(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut Conversation, &mut Env<'_>) -> T,
    ) -> Step<T> {
        let chance = &mut self.chance;
        let mut random = |bytes: &mut [u8]| chance.fill(bytes);
        let mut env = Env {
            keypair: our_key(),
            config: &self.config,
            now: self.now,
            random: &mut random,
        };
        let ours = self
            .ours
            .get_mut(index)
            .ok_or_else(|| Failure::new("no such program"))?;
        let result = act(&mut ours.talk, &mut env);
        while let Some(event) = ours.talk.poll_event() {
            match event {
                Event::Transmit { to, text, kind } => {
                    if kind != sotto_otr::TransmitKind::Query {
                        self.longest = self.longest.max(text.len());
                    }
                    self.out.push_back(Letter::Out {
                        from: ours.address.clone(),
                        to,
                        text,
                    });
                }
                event => ours.events.push(event),
            }
        }
        Ok(result)
    }

    /// Gives libotr a command, and puts what it sends on its way.
    ///
    /// # Errors
    /// When libotr refuses.
    pub fn tell(&mut self, command: &str) -> Step {
        for heard in self.libotr.tell(command)? {
            if heard.kind != "inject" {
                self.heard.push(heard);
                continue;
            }
            let text = heard.text(1);
            let from = self
                .theirs
                .iter()
                .find(|theirs| theirs.name == heard.user)
                .map_or(LEILA, |theirs| &theirs.address);
            if !text.starts_with("?OTRv") {
                self.longest = self.longest.max(text.len());
            }
            self.back.push_back(Letter::In {
                from: from.to_owned(),
                text,
            });
        }
        Ok(())
    }

    /// Plain text of ours, as the chat sends it.
    pub fn say_plainly(&mut self, index: usize, text: &str) -> Step {
        let tagged = self.with(index, |talk, env| talk.tagged(env.config, text))?;
        let from = self
            .ours
            .get(index)
            .map_or(SARA, |ours| &ours.address)
            .to_owned();
        self.out.push_back(Letter::Out {
            from,
            to: None,
            text: tagged,
        });
        Ok(())
    }

    /// Brings what is on its way, and what it causes, until nothing is left. Each direction keeps its order;
    /// which direction is next is left to chance.
    ///
    /// # Errors
    /// When libotr refuses.
    pub fn settle(&mut self) -> Step {
        loop {
            let ours_first = self.chance.next() & 1 == 0;
            let letter = if ours_first {
                self.out.pop_front().or_else(|| self.back.pop_front())
            } else {
                self.back.pop_front().or_else(|| self.out.pop_front())
            };
            match letter {
                None => return Ok(()),
                Some(Letter::Out { from, to, text }) => {
                    let bare = from.split('/').next().unwrap_or(SARA).to_owned();
                    let names: Vec<String> = self
                        .theirs
                        .iter()
                        .filter(|theirs| to.as_ref().is_none_or(|to| *to == theirs.address))
                        .map(|theirs| theirs.name.clone())
                        .collect();
                    for name in names {
                        self.tell(&format!("receive {name} {} {}", hex(&bare), hex(&text)))?;
                    }
                }
                Some(Letter::In { from, text }) => {
                    for index in 0..self.ours.len() {
                        self.with(index, |talk, env| talk.receive(env, &from, &text))?;
                    }
                }
            }
        }
    }

    /// Time passes for both sides.
    ///
    /// # Errors
    /// When libotr refuses.
    pub fn wait(&mut self, seconds: u64) -> Step {
        self.now += Duration::from_secs(seconds);
        self.tell(&format!("clock {seconds}"))?;
        for index in 0..self.ours.len() {
            self.with(index, |talk, env| {
                if talk.poll_timeout().is_some_and(|at| at <= env.now) {
                    talk.handle_timeout(env);
                }
            })?;
        }
        self.settle()
    }

    /// A query of ours, to everybody, until a session stands with the first of theirs.
    ///
    /// # Errors
    /// When none does.
    pub fn private(&mut self) -> Step<InstanceId> {
        self.with(0, |talk, env| talk.start(env, None))?;
        self.settle()?;
        self.session(0, 0)
    }

    /// The session between one of ours and one of theirs.
    ///
    /// # Errors
    /// When none stands.
    pub fn session(&self, ours: usize, theirs: usize) -> Step<InstanceId> {
        let (Some(ours), Some(theirs)) = (self.ours.get(ours), self.theirs.get(theirs)) else {
            return Err(Failure::new("no such program"));
        };
        ours.talk
            .instances()
            .into_iter()
            .find(|view| view.state == State::Private && view.address == theirs.address)
            .map(|view| view.id)
            .ok_or_else(|| {
                Failure::new(format!(
                    "no session; ours: {:?} {:?}; libotr: {:?}",
                    ours.talk.instances(),
                    ours.events,
                    self.heard
                ))
            })
    }

    /// An encrypted message of ours.
    ///
    /// # Errors
    /// When it is refused.
    pub fn say(&mut self, ours: usize, instance: &InstanceId, text: &str) -> Step {
        self.with(ours, |talk, env| talk.send(env, instance, text))?
            .map_err(|e| Failure::new(format!("a message was refused: {e}")))
    }

    /// A message of theirs, in clear or encrypted as libotr decides.
    ///
    /// # Errors
    /// When libotr refuses.
    pub fn hear(&mut self, name: &str, text: &str) -> Step {
        self.tell(&format!("send {name} {} {}", hex(SARA), hex(text)))
    }

    /// What our first program told, since it was last read.
    pub fn events(&self) -> &[Event] {
        self.ours.first().map_or(&[], |ours| &ours.events)
    }

    /// The other side's programs, as our first program knows them.
    pub fn instances(&self) -> Vec<InstanceView> {
        self.ours
            .first()
            .map(|ours| ours.talk.instances())
            .unwrap_or_default()
    }

    /// libotr's first user asks for a private conversation; what follows is brought.
    ///
    /// # Errors
    /// When libotr refuses.
    pub fn they_start(&mut self) -> Step {
        self.tell(&format!("start phone {}", hex(SARA)))?;
        self.settle()
    }

    /// The texts that one of ours decrypted, and forgets them.
    pub fn read(&mut self, index: usize) -> Vec<String> {
        let Some(ours) = self.ours.get_mut(index) else {
            return Vec::new();
        };
        std::mem::take(&mut ours.events)
            .into_iter()
            .filter_map(|event| match event {
                Event::Message { text, .. } => Some(text),
                _ => None,
            })
            .collect()
    }

    /// What libotr decrypted for one of its users, and forgets all that it heard.
    pub fn they_read(&mut self, name: &str) -> Vec<String> {
        std::mem::take(&mut self.heard)
            .into_iter()
            .filter(|heard| heard.kind == "private" && heard.user == name)
            .map(|heard| heard.text(1))
            .collect()
    }

    /// Whether libotr reported this, for this user.
    pub fn they_heard(&self, name: &str, kind: &str) -> bool {
        self.heard
            .iter()
            .any(|heard| heard.kind == kind && heard.user == name)
    }

    /// A message each way; both are read.
    ///
    /// # Errors
    /// When one is not.
    pub fn works(&mut self, what: &str) -> Step {
        let instance = self.session(0, 0)?;
        let name = self
            .theirs
            .first()
            .map(|t| t.name.clone())
            .unwrap_or_default();
        self.read(0);
        self.they_read(&name);
        self.say(0, &instance, "there, ünïcode")?;
        self.hear(&name, "and back, ünïcode")?;
        self.settle()?;
        let (read, they_read) = (self.read(0), self.they_read(&name));
        ensure(read == ["and back, ünïcode"], || {
            format!("{what}: we read {read:?}")
        })?;
        ensure(they_read == ["there, ünïcode"], || {
            format!("{what}: libotr read {they_read:?}")
        })
    }
}
