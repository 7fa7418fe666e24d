//! A scripted engine over invented people: for tests, screenshots and contributors.

use std::collections::HashMap;
use std::sync::Mutex;

use sotto_api::view::{
    Availability, ContactGroup, ContactView, ConversationView, Delivery, Direction, LinkSpan,
    MessageKind, MessagePage, MessageView, Privacy, PrivacyView, ProfileState, ProfileView,
    ProtectionKind, SearchHit, SearchPage, Settings, SubscriptionView,
};
use sotto_api::{
    AccountId, ApiError, ConversationId, ErrorKind, MessageId, Reply, Request, Timestamp,
};

use crate::backend::{Backend, Done};
use crate::testing::{account, contact, conversation, message};

mod kept;
mod private;

pub use private::Stand;

/// Which world is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// Nobody in the list.
    pub empty: bool,
    /// Names and words in Arabic.
    pub arabic: bool,
    /// So many more people.
    pub people: u32,
    /// So many more messages in the first conversation.
    pub messages: u32,
    /// End-to-end, verified: as a later version has it.
    pub private: bool,
    /// How the private conversation with the first person stands.
    pub stand: Stand,
}

/// The scripted engine. It answers at once, on the thread that asks.
pub struct Demo {
    world: Mutex<World>,
}

struct World {
    scene: Scene,
    now: i64,
    contacts: Vec<ContactView>,
    groups: Vec<(String, Vec<usize>)>,
    conversations: Vec<ConversationView>,
    messages: HashMap<ConversationId, Vec<MessageView>>,
    settings: Settings,
    next: i64,
    asked: Vec<String>,
    locked: bool,
    kept: kept::Kept,
}

impl Demo {
    /// Makes the world as it is at `now`, milliseconds since 1970.
    pub fn new(scene: Scene, now: i64, settings: Settings) -> Self {
        Self {
            world: Mutex::new(World::new(scene, now, settings)),
        }
    }

    /// The requests that came, as their `Debug` says them; bodies and passwords are not in it.
    pub fn asked(&self) -> Vec<String> {
        self.world
            .lock()
            .map(|world| world.asked.clone())
            .unwrap_or_default()
    }
}

impl Backend for Demo {
    fn request(&self, request: Request, done: Done) {
        let answer = match self.world.lock() {
            Ok(mut world) => world.answer(request),
            Err(_) => Err(ApiError::new(ErrorKind::Internal, "The demo has stopped.")),
        };
        done(answer);
    }
}

impl World {
    fn new(scene: Scene, now: i64, settings: Settings) -> Self {
        let mut world = Self {
            scene,
            now,
            contacts: Vec::new(),
            groups: Vec::new(),
            conversations: Vec::new(),
            messages: HashMap::new(),
            settings,
            next: 1_000_000,
            asked: Vec::new(),
            locked: false,
            kept: kept::Kept::default(),
        };
        if !scene.empty {
            world.people();
            world.talk();
        }
        world
    }

    fn people(&mut self) {
        let ar = self.scene.arabic;
        let names = if ar {
            [
                "ليلى حداد",
                "عمر منصور",
                "غرفة الصحافة",
                "Anna Kowalska",
                "Daniel Brandt",
                "مريم طهراني",
                "يوناس فيك",
            ]
        } else {
            [
                "Leila Haddad",
                "Omar Mansour",
                "Press room",
                "Anna Kowalska",
                "Daniel Brandt",
                "Maryam Tehrani",
                "Jonas Vik",
            ]
        };
        let colours = [2, 3, 4, 0, 5, 1, 3];
        use Availability as A;
        let presences = [
            A::Available,
            A::Busy,
            A::Available,
            A::Away,
            A::Offline,
            A::Away,
            A::Unknown,
        ];
        let words = if ar {
            [
                "على الخط",
                "مشغول",
                "على الخط",
                "بالخارج",
                "غير متصل",
                "بالخارج",
                "غير معروف",
            ]
        } else {
            [
                "Available",
                "Busy",
                "Available",
                "Away",
                "Offline",
                "Away",
                "Not known yet",
            ]
        };
        let latin = [
            "leila", "omar", "press", "anna", "daniel", "maryam", "jonas",
        ];
        let previews = if ar {
            [
                "إذن المقهى الصغير، في السادسة.",
                "هل يمكنك الاتصال بي عندما تتفرغين؟",
                "نادية: البيان جاهز",
                "الصورة الثانية، لا الأولى",
                "شكرًا",
                "شكرًا لك. نتحدث قريبًا.",
                "بانتظار الرد على طلبك",
            ]
        } else {
            [
                "Then the small café, at six.",
                "Could you call me when you are free?",
                "Nadia: the statement is ready",
                "the second photo, not the first",
                "Thanks",
                "Thank you. Speak soon.",
                "Waiting for an answer to your request",
            ]
        };
        let hours = [0.4, 0.65, 2.0, 3.25, 20.0, 70.0, 96.0];
        for at in 0..7 {
            let mut person = contact(i64::try_from(at).unwrap_or_default() + 1, names[at]);
            person.colour = colours[at];
            person.availability = presences[at];
            person.availability_text = words[at].into();
            if ar && at != 3 && at != 4 {
                person.initials = names[at]
                    .chars()
                    .next()
                    .map(String::from)
                    .unwrap_or_default();
            }
            person.preview = previews[at].into();
            person.preview_is_draft = at == 3;
            person.unread = if at == 1 { 2 } else { 0 };
            if let Some(address) = person.addresses.first_mut() {
                address.address = format!("{}@riverside.example", latin[at]);
            }
            #[allow(clippy::cast_possible_truncation, reason = "hours")]
            let ago = (hours[at] * 3_600_000.0) as i64;
            person.last_at = Some(Timestamp(self.now - ago));
            if at < 4 {
                person.conversation =
                    Some(ConversationId(i64::try_from(at).unwrap_or_default() + 1));
            }
            person.spoken = format!(
                "{}, {}, {}",
                person.name,
                words[at].to_lowercase(),
                person.preview
            );
            self.contacts.push(person);
        }
        let colleagues = if ar { "الزملاء" } else { "Colleagues" };
        self.groups = vec![(colleagues.into(), vec![0, 1, 4, 5, 6])];
        for more in 0..self.scene.people {
            let mut person = contact(100 + i64::from(more), &format!("Person {more:05}"));
            person.availability = if more % 3 == 0 {
                A::Available
            } else {
                A::Offline
            };
            person.colour = u8::try_from(more % 6).unwrap_or_default();
            let at = self.contacts.len();
            self.contacts.push(person);
            let name = format!("Group {:02}", more % 10);
            match self.groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, members)) => members.push(at),
                None => self.groups.push((name, vec![at])),
            }
        }
        for at in 0..4 {
            let person = &self.contacts[at];
            let id = i64::try_from(at).unwrap_or_default() + 1;
            let mut view = conversation(id, id, &person.name);
            view.contact = person.clone();
            view.address = format!("{}@riverside.example", latin[at]);
            view.availability = person.availability;
            view.subtitle = format!("{} · {}", words[at], view.address);
            view.last_at = person.last_at;
            view.unread = person.unread;
            if at == 0 {
                view.typing = true;
                view.typing_text = if ar {
                    "ليلى: كتابة جارية…".into()
                } else {
                    "Leila is writing…".into()
                };
            }
            if at == 3 {
                view.draft = person.preview.clone();
            }
            if at == 1 {
                view.notice = if ar {
                    String::new()
                } else {
                    "No connection. What you write waits here and goes out as soon as the network is back.".into()
                };
            }
            view.privacy = self.privacy(if self.scene.private {
                Privacy::Verified
            } else {
                Privacy::ServerOnly
            });
            if at == 0 && self.scene.stand != Stand::None {
                private::put(&mut view, self.scene.stand);
            }
            self.conversations.push(view);
        }
    }

    fn privacy(&self, state: Privacy) -> PrivacyView {
        let (label, below) = match (state, self.scene.arabic) {
            (Privacy::Verified, false) => {
                ("End-to-end, verified", "Only you and Leila can read this.")
            }
            (Privacy::Verified, true) => (
                "من الطرف إلى الطرف، تم التحقق",
                "لن يقرأ هذا أحد سواك وليلى.",
            ),
            (Privacy::Encrypted, _) => (
                "End-to-end, not verified",
                "Encrypted. You have not checked that it is Leila.",
            ),
            (Privacy::ServerOnly, false) => (
                "To the server only",
                "The servers in between can read this.",
            ),
            (Privacy::ServerOnly, true) => ("إلى الخادوم فقط", "يمكن للخوادم في الطريق قراءة هذا."),
            (Privacy::None, _) => ("Not encrypted", "Anyone along the way can read this."),
        };
        PrivacyView {
            state,
            label: label.into(),
            below: below.into(),
            spoken: format!("Privacy: {label}. {below} Opens details"),
        }
    }

    fn talk(&mut self) {
        let ar = self.scene.arabic;
        let privacy = if self.scene.private || self.scene.stand == Stand::Verified {
            Privacy::Verified
        } else {
            Privacy::ServerOnly
        };
        let script: Vec<(bool, i64, &str)> = if ar {
            vec![
                (false, 28, "مساء الخير! هل ما زال موعدنا غدًا؟"),
                (
                    false,
                    28,
                    "المكان المعتاد يغلق مبكرًا الآن، فأخبريني إن كنتِ تفضلين غيره.",
                ),
                (true, 25, "نعم، ويُستحسن مكان أكثر هدوءًا."),
                (true, 25, "هل ما زالت المكتبة قرب النهر تفتح يوم الثلاثاء؟"),
                (true, 25, "سأترك هاتفي في البيت."),
                (false, 23, "حتى الخامسة فقط 🙂"),
                (false, 23, "إذن المقهى الصغير، في السادسة."),
            ]
        } else {
            vec![
                (false, 28, "Good afternoon! Are we still meeting tomorrow?"),
                (
                    false,
                    28,
                    "The usual place closes early now, so say if you prefer another.",
                ),
                (true, 25, "Yes. Somewhere quieter would be better."),
                (
                    true,
                    25,
                    "Is the bookshop by the river still open on Tuesdays?",
                ),
                (true, 25, "I will leave my phone at home."),
                (false, 23, "Until five only 🙂"),
                (false, 23, "Then the small café, at six."),
            ]
        };
        let mut list = Vec::new();
        for n in 0..self.scene.messages {
            let mut old = message(
                i64::from(n) + 1,
                &format!(
                    "Message {n}: words of some length, so that lines wrap now and then in a narrow window, as they do."
                ),
            );
            old.direction = if n % 5 < 2 {
                Direction::Outgoing
            } else {
                Direction::Incoming
            };
            old.at = Timestamp(self.now - 86_400_000 - i64::from(self.scene.messages - n) * 90_000);
            old.delivery = (old.direction == Direction::Outgoing).then_some(Delivery::Seen);
            list.push(old);
        }
        let first = i64::from(self.scene.messages) + 1;
        for (n, (mine, minutes, body)) in (0..).zip(script) {
            let mut view = message(first + n, body);
            view.direction = if mine {
                Direction::Outgoing
            } else {
                Direction::Incoming
            };
            view.author = if mine {
                "Sara Jozani".into()
            } else {
                self.contacts[0].name.clone()
            };
            view.at = Timestamp(self.now - minutes * 60_000);
            view.privacy = privacy;
            if mine {
                view.delivery = Some(Delivery::Delivered);
                view.delivery_text = if ar {
                    "وصلت".into()
                } else {
                    "Delivered".into()
                };
            }
            view.spoken = format!("{}: {body}", view.author);
            list.push(view);
        }
        private::lines(&mut list, self.scene.stand, self.now);
        self.messages.insert(ConversationId(1), list);
        self.other_talk();
    }

    /// The second conversation shows every state that a message can have.
    fn other_talk(&mut self) {
        let id = ConversationId(2);
        let mut list = Vec::new();
        let mut say = |mine: bool, minutes: i64, body: &str, change: &dyn Fn(&mut MessageView)| {
            let mut view = message(
                500_000 + i64::try_from(list.len()).unwrap_or_default(),
                body,
            );
            view.conversation = id;
            view.direction = if mine {
                Direction::Outgoing
            } else {
                Direction::Incoming
            };
            view.author = if mine {
                "Sara Jozani".into()
            } else {
                "Omar Mansour".into()
            };
            view.at = Timestamp(self.now - minutes * 60_000);
            if mine {
                view.delivery = Some(Delivery::Seen);
                view.delivery_text = "Seen".into();
            }
            view.spoken = format!("{}: {body}", view.author);
            change(&mut view);
            list.push(view);
        };
        say(
            false,
            1500,
            "The statement is at https://riverside.example/statement?id=7, and the photo at https://river\u{0455}ide.example/p <b>not bold</b> [x](y) *z*",
            &|m| {
                for start in m
                    .body
                    .match_indices("https://")
                    .map(|(at, _)| at)
                    .collect::<Vec<_>>()
                {
                    let end = m.body[start..]
                        .find([',', ' '])
                        .map_or(m.body.len(), |at| start + at);
                    m.links.push(LinkSpan {
                    start,
                    end,
                    target: m.body[start..end].replace('\u{0455}', "xn--").to_owned(),
                    warning: if m.links.is_empty() { String::new() } else { "One letter of this name looks like another: it is not riverside.example.".into() },
                });
                }
            },
        );
        say(true, 1490, "Thank you, Omar.", &|_| {});
        say(false, 40, "waves", &|m| {
            m.kind = MessageKind::Action;
            m.body = "Omar Mansour waves".into();
        });
        say(false, 40, "မင်္ဂလာပါ ဒီနေ့ နေကောင်းလား", &|_| {});
        say(false, 39, "नमस्ते, आप कैसे हैं? שלום עולם", &|_| {});
        say(
            true,
            38,
            "Emoji: 😀 👍🏽 ❤️ 🇮🇷 👩‍👩‍👧 ✅ 🎉",
            &|m| m.edited = true,
        );
        say(true, 30, "This one waits.", &|m| {
            m.delivery = Some(Delivery::Waiting);
            m.delivery_text = "Waiting".into();
        });
        say(true, 20, "And this one could not go.", &|m| {
            m.delivery = Some(Delivery::Failed);
            m.delivery_text = "Not sent".into();
            m.failure =
                "riverside.example does not know omar2@riverside.example. Check the address."
                    .into();
        });
        say(true, 15, "Sent in the open, once.", &|m| {
            m.privacy = Privacy::None
        });
        say(false, 10, "Could you call me when you are free?", &|_| {});
        say(
            false,
            9,
            "It is about the second photo.\nAnd there is a second line here.",
            &|_| {},
        );
        self.messages.insert(id, list);
        if let Some(view) = self.conversations.get_mut(1) {
            view.first_unread = Some(MessageId(500_009));
        }
    }

    fn message(&mut self, id: MessageId) -> Result<&mut MessageView, ApiError> {
        self.messages
            .values_mut()
            .flatten()
            .find(|message| message.id == id)
            .ok_or_else(|| ApiError::new(ErrorKind::NotFound, "This message is gone."))
    }

    fn conversation(&mut self, id: ConversationId) -> Result<&mut ConversationView, ApiError> {
        self.conversations
            .iter_mut()
            .find(|view| view.id == id)
            .ok_or_else(|| ApiError::new(ErrorKind::NotFound, "This conversation is gone."))
    }

    fn answer(&mut self, request: Request) -> Result<Reply, ApiError> {
        self.asked.push(name_of(&request));
        let request = match private::answer(self, request) {
            Ok(reply) => return reply,
            Err(request) => *request,
        };
        let request = match kept::answer(self, request) {
            Ok(reply) => return reply,
            Err(request) => *request,
        };
        Ok(match request {
            Request::Version {} => Reply::Version("Sotto 0.1.0 (demo)".into()),
            Request::ProfileStatus {} => Reply::Profile(ProfileView {
                state: if self.locked {
                    ProfileState::Locked
                } else {
                    ProfileState::Open
                },
                protection: Some(ProtectionKind::Passphrase),
                folder: "/home/sara/.local/share/sotto".into(),
                warning: String::new(),
            }),
            Request::SettingsGet {} => Reply::Settings(self.settings.clone()),
            Request::SettingsSet { settings } => {
                self.settings = settings;
                Reply::Done
            }
            Request::AccountList {} => Reply::Accounts(vec![
                account(1, "sara@riverside.example"),
                account(2, "sara.j@press.example"),
            ]),
            Request::SubscriptionList {} => {
                Reply::SubscriptionRequests(if self.scene.people == 1 {
                    vec![SubscriptionView {
                        account: AccountId(1),
                        address: "nadia@press.example".into(),
                        nickname: "Nadia".into(),
                        text: "We met at the river.".into(),
                        at: Timestamp(self.now - 3_600_000),
                    }]
                } else {
                    Vec::new()
                })
            }
            Request::ContactList { filter, .. } => Reply::Contacts(self.contact_list(&filter)),
            Request::ConversationList { limit } => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                Reply::Conversations(self.conversations.iter().take(limit).cloned().collect())
            }
            Request::ConversationView { conversation } => {
                Reply::Conversation(self.conversation(conversation)?.clone())
            }
            Request::ConversationOpen { address, .. } => {
                let found = self
                    .contacts
                    .iter()
                    .position(|c| c.addresses.iter().any(|a| a.address == address));
                let id = self.next;
                self.next += 1;
                let mut view = conversation(id, 0, &address);
                if let Some(at) = found {
                    self.contacts[at].conversation = Some(ConversationId(id));
                    view.contact = self.contacts[at].clone();
                    view.contact_id = view.contact.id;
                }
                view.address = address;
                self.conversations.push(view.clone());
                Reply::Conversation(view)
            }
            Request::MessagePage {
                conversation,
                before,
                after,
                limit,
            } => {
                let empty = Vec::new();
                let all = self.messages.get(&conversation).unwrap_or(&empty);
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                let (start, end) = match (before, after) {
                    (_, Some(after)) => {
                        let start = all.iter().position(|m| m.id > after).unwrap_or(all.len());
                        (start, all.len().min(start + limit))
                    }
                    (Some(before), None) => {
                        let end = all.iter().position(|m| m.id >= before).unwrap_or(all.len());
                        (end.saturating_sub(limit), end)
                    }
                    (None, None) => (all.len().saturating_sub(limit), all.len()),
                };
                Reply::Messages(MessagePage {
                    messages: all[start..end].to_vec(),
                    older: start > 0,
                    newer: end < all.len(),
                })
            }
            Request::MessageView { message } => Reply::Message(self.message(message)?.clone()),
            Request::MessageSend { conversation, body } => {
                let id = MessageId(self.next);
                self.next += 1;
                let mut view = message(id.0, &body);
                view.conversation = conversation;
                view.direction = Direction::Outgoing;
                view.author = "Sara Jozani".into();
                view.at = Timestamp(self.now);
                view.delivery = Some(Delivery::Sent);
                view.delivery_text = "Sent".into();
                self.messages
                    .entry(conversation)
                    .or_default()
                    .push(view.clone());
                self.conversation(conversation)?.correctable = Some(id);
                Reply::Message(view)
            }
            Request::MessageCorrect { message, body } => {
                let view = self.message(message)?;
                view.body = body;
                view.edited = true;
                Reply::Message(view.clone())
            }
            Request::DraftSet { conversation, body } => {
                self.conversation(conversation)?.draft = body;
                Reply::Done
            }
            Request::ConversationRead { conversation } => {
                self.conversation(conversation)?.unread = 0;
                Reply::Done
            }
            Request::Search {
                query,
                conversation,
                limit,
                ..
            } => {
                let query = query.to_lowercase();
                let mut hits: Vec<SearchHit> = self
                    .messages
                    .iter()
                    .filter(|(id, _)| conversation.is_none_or(|wanted| wanted == **id))
                    .flat_map(|(_, messages)| messages)
                    .filter(|m| m.body.to_lowercase().contains(&query))
                    .take(usize::try_from(limit).unwrap_or(usize::MAX))
                    .map(|m| SearchHit {
                        message: m.clone(),
                        conversation_name: m.author.clone(),
                        highlights: m
                            .body
                            .to_lowercase()
                            .match_indices(&query)
                            .map(|(at, found)| (at, at + found.len()))
                            .collect(),
                    })
                    .collect();
                hits.sort_by_key(|hit| std::cmp::Reverse(hit.message.at));
                Reply::Found(SearchPage { hits, more: false })
            }
            Request::AvatarGet { .. } => Reply::Avatar(None),
            Request::ContactAdd { address, .. } if !address.contains('@') => {
                return Err(ApiError::new(
                    ErrorKind::Invalid,
                    "An address looks like leila@riverside.example: a name, @, and a server.",
                )
                .at(sotto_api::Field::Address));
            }
            _ => Reply::Done,
        })
    }

    fn contact_list(&self, filter: &str) -> Vec<ContactGroup> {
        let filter = filter.to_lowercase();
        self.groups
            .iter()
            .map(|(name, members)| ContactGroup {
                name: name.clone(),
                online: u32::try_from(
                    members
                        .iter()
                        .filter(|&&at| self.contacts[at].availability < Availability::Offline)
                        .count(),
                )
                .unwrap_or(0),
                total: u32::try_from(members.len()).unwrap_or(0),
                contacts: members
                    .iter()
                    .map(|&at| &self.contacts[at])
                    .filter(|c| filter.is_empty() || c.name.to_lowercase().contains(&filter))
                    .cloned()
                    .collect(),
            })
            .collect()
    }
}

/// The name of a request, without what it carries.
fn name_of(request: &Request) -> String {
    let text = format!("{request:?}");
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}

/// Shows invented people: `--demo`, with `--dark`, `--arabic`, `--strong`, `--empty`, `--private`, `--stand=NAME`, `--people=N`,
/// `--messages=N`, `--scale=N`, `--width=N --height=N`, `--open=ROW`, `--act=NAME`.
///
/// # Errors
/// In words, when there is no screen.
#[cfg(feature = "demo")]
pub fn run(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    use slint::ComponentHandle;
    use sotto_api::view::Theme;

    let arguments: Vec<String> = arguments.collect();
    let has = |name: &str| {
        arguments
            .iter()
            .any(|argument| argument == &format!("--{name}"))
    };
    let value = |name: &str| {
        arguments
            .iter()
            .find_map(|argument| argument.strip_prefix(&format!("--{name}=")))
    };
    let figure = |name: &str| {
        value(name)
            .and_then(|figure| figure.parse::<u32>().ok())
            .unwrap_or_default()
    };

    crate::platform::choose_renderer()?;
    let no_window = |error: slint::PlatformError| format!("No window can be opened here: {error}");
    let shell = crate::Shell::new().map_err(no_window)?;
    crate::platform::bundle_emoji();
    let settings = Settings {
        theme: if has("dark") {
            Theme::Dark
        } else {
            Theme::Light
        },
        language: if has("arabic") {
            "ar".into()
        } else {
            "en".into()
        },
        scale: u16::try_from(figure("scale").max(100)).unwrap_or(100),
        high_contrast: has("strong"),
        ..Settings::default()
    };
    let scene = Scene {
        empty: has("empty"),
        arabic: has("arabic"),
        private: has("private"),
        stand: value("stand").map(Stand::of).unwrap_or_default(),
        people: figure("people"),
        messages: figure("messages"),
    };
    let now = jiff::Timestamp::now().as_millisecond();
    shell.attach(std::sync::Arc::new(Demo::new(scene, now, settings)));
    let (width, height) = (figure("width"), figure("height"));
    if width > 0 && height > 0 {
        shell
            .window()
            .window()
            .set_size(slint::PhysicalSize::new(width, height));
    }
    if let Ok(row) = i32::try_from(figure("open"))
        && row > 0
    {
        shell.part::<crate::ui::People>().invoke_activated(row);
    }
    if let Some(act) = value("act").map(str::to_owned) {
        slint::Timer::single_shot(std::time::Duration::from_millis(300), move || {
            crate::shell::on_window(move |shell| shell.act(&act));
        });
    }
    shell.window().show().map_err(no_window)?;
    slint::run_event_loop_until_quit().map_err(no_window)
}
