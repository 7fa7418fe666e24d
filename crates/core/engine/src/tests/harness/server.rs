//! A small XMPP server: SCRAM, bind, stream management, roster, archive, carbons.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sotto_xmpp::{BareJid, Element, FullJid, Jid};

use super::scram::{Credential, Exchange};
use super::xml::{Cutter, Piece};

/// One connection to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conn(pub u64);

pub struct Server {
    pub domain: String,
    users: BTreeMap<String, User>,
    conns: BTreeMap<Conn, Connection>,
    sessions: BTreeMap<u64, Session>,
    counter: u64,
    /// What goes back, in order.
    pub out: VecDeque<(Conn, Vec<u8>)>,
    /// Connections that the server closed.
    pub closed: Vec<Conn>,
    /// Stanzas that came from clients, for tests to look at.
    pub seen: Vec<(String, Element)>,
    pub has_archive: bool,
    pub has_sm: bool,
    pub refuse_resume: bool,
    /// How streams go on that are resumed from now on.
    pub when_resumed: WhenResumed,
    /// Nothing is read or answered: a stopped process.
    pub frozen: bool,
    /// Archive queries are taken and not answered.
    pub mute_archive: bool,
    /// What it answers to who asks on from a place in the archive.
    pub archive_error: Option<&'static str>,
    /// In milliseconds since 1970: for what it archives.
    pub clock: i64,
    /// Requests whose payload has one of these namespaces are refused with `not-allowed`.
    pub refused: BTreeSet<String>,
    /// Which messages are lost on their way from the client at this full address.
    pub loses: Option<fn(&str, &Element) -> bool>,
}

/// What becomes of a resumed stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenResumed {
    Reads,
    /// What the client says disappears, as in Prosody 0.12 behind half a stanza.
    Ignores,
    /// What the client says ends the stream, as there when it has become too much.
    Objects,
}

#[derive(Default)]
struct User {
    credential: Option<Credential>,
    archive: Vec<Archived>,
    contacts: BTreeMap<String, &'static str>,
    presence_version: u64,
}

struct Archived {
    id: String,
    peer: BareJid,
    stanza: String,
    at: i64,
}

#[derive(Default)]
struct Connection {
    cutter: Cutter,
    user: Option<String>,
    exchange: Option<(String, Exchange)>,
    session: Option<u64>,
    resumed: bool,
}

struct Session {
    user: String,
    jid: FullJid,
    conn: Option<Conn>,
    available: bool,
    carbons: bool,
    sm: bool,
    received: u32,
    sent: u32,
    unacked: VecDeque<String>,
}

impl Server {
    pub fn new(domain: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            users: BTreeMap::new(),
            conns: BTreeMap::new(),
            sessions: BTreeMap::new(),
            counter: 0,
            out: VecDeque::new(),
            closed: Vec::new(),
            seen: Vec::new(),
            has_archive: true,
            has_sm: true,
            refuse_resume: false,
            when_resumed: WhenResumed::Reads,
            frozen: false,
            mute_archive: false,
            archive_error: None,
            clock: 0,
            refused: BTreeSet::new(),
            loses: None,
        }
    }

    pub fn add_user(&mut self, name: &str, password: &str) {
        let user = self.users.entry(name.to_owned()).or_default();
        user.credential = Some(Credential::of(password));
    }

    pub fn add_contact(&mut self, name: &str, jid: &str, subscription: &'static str) {
        let user = self.users.get_mut(name).expect("a user");
        user.contacts.insert(jid.to_owned(), subscription);
    }

    fn fresh(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    // ---- connections -------------------------------------------------------------------------

    pub fn connect(&mut self) -> Conn {
        let conn = Conn(self.fresh());
        self.conns.insert(conn, Connection::default());
        conn
    }

    /// The connection is gone; its session waits to be resumed.
    pub fn disconnect(&mut self, conn: Conn) {
        self.out.retain(|(to, _)| *to != conn);
        if let Some(session) = self.conns.remove(&conn).and_then(|c| c.session)
            && let Some(session) = self.sessions.get_mut(&session)
            && session.conn == Some(conn)
        {
            session.conn = None;
        }
    }

    /// Sessions without a connection end.
    pub fn expire_sessions(&mut self) {
        self.sessions.retain(|_, session| session.conn.is_some());
    }

    pub fn receive(&mut self, conn: Conn, bytes: &[u8]) {
        if let Some(connection) = self.conns.get_mut(&conn) {
            connection.cutter.feed(bytes);
        }
        while let Some(piece) = self.conns.get_mut(&conn).and_then(|c| c.cutter.next()) {
            let resumed = self.conns.get(&conn).is_some_and(|c| c.resumed);
            if resumed && self.when_resumed == WhenResumed::Ignores {
                continue;
            }
            match piece {
                Piece::Open => self.open(conn),
                Piece::Close => {
                    self.write(conn, "</stream:stream>");
                    if let Some(session) = self.conns.remove(&conn).and_then(|c| c.session) {
                        self.sessions.remove(&session);
                    }
                    self.closed.push(conn);
                }
                Piece::Element(element) => self.element(conn, *element),
            }
        }
    }

    fn write(&mut self, conn: Conn, text: &str) {
        self.out.push_back((conn, text.as_bytes().to_vec()));
    }

    fn open(&mut self, conn: Conn) {
        let id = self.fresh();
        let header = format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' version='1.0' from='{}' id='{id}'>",
            self.domain
        );
        self.write(conn, &header);
        let signed_in = self.conns.get(&conn).is_some_and(|c| c.user.is_some());
        let features = if signed_in {
            let sm = if self.has_sm {
                "<sm xmlns='urn:xmpp:sm:3'/>"
            } else {
                ""
            };
            format!("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>{sm}")
        } else {
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism>\
             <mechanism>PLAIN</mechanism></mechanisms>"
                .to_owned()
        };
        self.write(
            conn,
            &format!("<stream:features>{features}</stream:features>"),
        );
    }

    fn element(&mut self, conn: Conn, element: Element) {
        const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
        const SM: &str = "urn:xmpp:sm:3";
        let resumed = self.conns.get(&conn).is_some_and(|c| c.resumed);
        if resumed && self.when_resumed == WhenResumed::Objects {
            let error = "<stream:error><policy-violation \
                 xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>";
            return self.write(conn, error);
        }
        if element.has_ns(SASL) {
            self.sasl(conn, &element);
        } else if element.is("enable", SM) {
            let Some(id) = self.conns.get(&conn).and_then(|c| c.session) else {
                return;
            };
            if let Some(session) = self.sessions.get_mut(&id) {
                session.sm = true;
                session.received = 0;
                session.sent = 0;
            }
            self.write(
                conn,
                &format!("<enabled xmlns='{SM}' id='{id}' resume='true' max='600'/>"),
            );
        } else if element.is("resume", SM) {
            self.resume(conn, &element);
        } else if element.is("r", SM) {
            if let Some(session) = self.session_of(conn) {
                let h = session.received;
                self.write(conn, &format!("<a xmlns='{SM}' h='{h}'/>"));
            }
        } else if element.is("a", SM) {
            let h: u32 = element.attr("h").expect("h").parse().expect("a number");
            if let Some(session) = self.session_of(conn) {
                session.acknowledged(h);
            }
        } else {
            self.stanza(conn, element);
        }
    }

    fn session_of(&mut self, conn: Conn) -> Option<&mut Session> {
        let id = self.conns.get(&conn)?.session?;
        self.sessions.get_mut(&id)
    }

    fn sasl(&mut self, conn: Conn, element: &Element) {
        const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
        let data = STANDARD.decode(element.text()).expect("base64");
        let data = String::from_utf8(data).expect("UTF-8");
        let nonce = self.fresh();
        let connection = self.conns.get_mut(&conn).expect("a connection");
        if element.name() == "auth" {
            assert_eq!(
                element.attr("mechanism"),
                Some("SCRAM-SHA-256"),
                "never PLAIN"
            );
            let (user, exchange, first) = Exchange::begin(&data, nonce);
            connection.exchange = Some((user, exchange));
            let first = STANDARD.encode(first);
            self.write(
                conn,
                &format!("<challenge xmlns='{SASL}'>{first}</challenge>"),
            );
            return;
        }
        let Some((name, exchange)) = connection.exchange.take() else {
            return;
        };
        let credential = self
            .users
            .get(&name)
            .and_then(|user| user.credential.as_ref());
        match credential.and_then(|credential| exchange.finish(&data, credential)) {
            Some(last) => {
                connection.user = Some(name);
                let last = STANDARD.encode(last);
                self.write(conn, &format!("<success xmlns='{SASL}'>{last}</success>"));
            }
            None => {
                self.write(
                    conn,
                    &format!("<failure xmlns='{SASL}'><not-authorized/></failure>"),
                );
            }
        }
    }

    fn resume(&mut self, conn: Conn, element: &Element) {
        const SM: &str = "urn:xmpp:sm:3";
        let previd = element.attr("previd").and_then(|id| id.parse::<u64>().ok());
        let h: u32 = element.attr("h").expect("h").parse().expect("a number");
        let user = self.conns.get(&conn).and_then(|c| c.user.clone());
        let known = previd.filter(|id| {
            self.sessions
                .get(id)
                .is_some_and(|s| s.sm && Some(&s.user) == user.as_ref())
        });
        let Some(id) = known.filter(|_| !self.refuse_resume) else {
            if let Some(id) = known {
                self.sessions.remove(&id);
            }
            self.write(
                conn,
                &format!(
                    "<failed xmlns='{SM}'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
                ),
            );
            return;
        };
        let connection = self.conns.get_mut(&conn).expect("a connection");
        connection.session = Some(id);
        connection.resumed = true;
        let session = self.sessions.get_mut(&id).expect("known");
        if let Some(old) = session.conn.replace(conn)
            && old != conn
        {
            self.conns.remove(&old);
            self.closed.push(old);
        }
        let session = self.sessions.get_mut(&id).expect("known");
        session.acknowledged(h);
        let received = session.received;
        let again: Vec<String> = session.unacked.iter().cloned().collect();
        self.write(
            conn,
            &format!("<resumed xmlns='{SM}' previd='{id}' h='{received}'/>"),
        );
        for stanza in again {
            self.write(conn, &stanza);
        }
        self.write(conn, &format!("<r xmlns='{SM}'/>"));
    }

    // ---- stanzas -----------------------------------------------------------------------------

    fn stanza(&mut self, conn: Conn, element: Element) {
        let Some(name) = self.conns.get(&conn).and_then(|c| c.user.clone()) else {
            panic!("a stanza before the log-in: {}", element.name());
        };
        if element.has_child("bind", "urn:ietf:params:xml:ns:xmpp-bind") {
            return self.bind(conn, &name, &element);
        }
        let Some(session) = self.session_of(conn) else {
            return;
        };
        session.received = session.received.wrapping_add(1);
        let from = session.jid.clone();
        self.seen.push((from.to_string(), element.clone()));
        match element.name() {
            "message" if self.loses.is_some_and(|lost| lost(from.as_str(), &element)) => {}
            "message" => self.route(&name, &from, element),
            "iq" => self.iq(conn, &name, &element),
            "presence" if element.attr("to").is_none() => {
                let available = element.attr("type").is_none();
                if let Some(session) = self.session_of(conn) {
                    session.available = available;
                }
                self.users.get_mut(&name).expect("a user").presence_version += 1;
            }
            _ => {}
        }
    }

    fn bind(&mut self, conn: Conn, name: &str, element: &Element) {
        let id = self.fresh();
        let jid = FullJid::new(&format!("{name}@{}/r{id}", self.domain)).expect("an address");
        self.sessions.insert(
            id,
            Session {
                user: name.to_owned(),
                jid: jid.clone(),
                conn: Some(conn),
                available: false,
                carbons: false,
                sm: false,
                received: 0,
                sent: 0,
                unacked: VecDeque::new(),
            },
        );
        self.conns.get_mut(&conn).expect("a connection").session = Some(id);
        let iq = element.attr("id").expect("an id");
        let answer = format!(
            "<iq type='result' id='{iq}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>{jid}</jid></bind></iq>"
        );
        self.write(conn, &answer);
    }

    fn send(&mut self, session: u64, stanza: String) {
        let Some(session) = self.sessions.get_mut(&session) else {
            return;
        };
        let (conn, sm) = (session.conn, session.sm);
        if sm {
            session.sent = session.sent.wrapping_add(1);
            session.unacked.push_back(stanza.clone());
        }
        if let Some(conn) = conn {
            self.write(conn, &stanza);
            if sm {
                self.write(conn, "<r xmlns='urn:xmpp:sm:3'/>");
            }
        }
    }

    /// Sends a stanza to every session of a user, as it stands.
    pub fn inject(&mut self, name: &str, stanza: &str) {
        let to: Vec<u64> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.user == name)
            .map(|(id, _)| *id)
            .collect();
        for id in to {
            self.send(id, stanza.to_owned());
        }
    }

    fn route(&mut self, sender: &str, from: &FullJid, mut message: Element) {
        let Some(to) = message.attr("to").and_then(|to| Jid::new(to).ok()) else {
            return;
        };
        set_attr(&mut message, "from", from.as_str());
        let hinted = |name: &str| message.has_child(name, "urn:xmpp:hints");
        let kept = self.has_archive
            && message.attr("type") != Some("error")
            && !hinted("no-store")
            && (message.has_child("body", "jabber:client") || hinted("store"));
        let text = String::from(&message);
        let copy_id = kept.then(|| self.archive_at(sender, to.to_bare(), &text, self.clock));
        self.carbon(sender, from, &text, copy_id.as_deref(), "sent");
        let name = to
            .node()
            .map(|node| node.as_str().to_owned())
            .unwrap_or_default();
        if to.domain().as_str() != self.domain || !self.users.contains_key(&name) {
            if message.attr("type") != Some("error") {
                let id = message.attr("id").unwrap_or_default();
                let bounce = format!(
                    "<message type='error' from='{}' to='{from}' id='{id}'><error type='cancel'>\
                     <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
                    to
                );
                self.inject(sender, &bounce);
            }
            return;
        }
        let bare = from.to_bare();
        let text = match kept.then(|| self.archive_at(&name, bare, &text, self.clock)) {
            Some(id) => {
                let own = format!("{name}@{}", self.domain);
                text.replacen(
                    "</message>",
                    &format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{own}' id='{id}'/></message>"),
                    1,
                )
            }
            None => text,
        };
        let receivers: Vec<u64> = self
            .sessions
            .iter()
            .filter(|(_, s)| s.user == name && s.available && s.jid != *from)
            .map(|(id, _)| *id)
            .collect();
        for id in receivers {
            self.send(id, text.clone());
        }
    }

    fn carbon(&mut self, name: &str, from: &FullJid, text: &str, id: Option<&str>, kind: &str) {
        let own = format!("{name}@{}", self.domain);
        let others: Vec<(u64, String)> = self
            .sessions
            .iter()
            .filter(|(_, s)| s.user == name && s.carbons && s.available && s.jid != *from)
            .map(|(id, s)| (*id, s.jid.to_string()))
            .collect();
        let text = match id {
            Some(id) => text.replacen(
                "</message>",
                &format!("<stanza-id xmlns='urn:xmpp:sid:0' by='{own}' id='{id}'/></message>"),
                1,
            ),
            None => text.to_owned(),
        };
        for (session, jid) in others {
            let copy = format!(
                "<message from='{own}' to='{jid}'><{kind} xmlns='urn:xmpp:carbons:2'>\
                 <forwarded xmlns='urn:xmpp:forward:0'>{text}</forwarded></{kind}></message>"
            );
            self.send(session, copy);
        }
    }

    /// Puts a message into a user's archive as if it had passed long before.
    pub fn archive(&mut self, name: &str, peer: BareJid, stanza: &str) -> String {
        let number = self.fresh();
        self.archive_at(name, peer, stanza, 1_700_000_000_000 + number as i64 * 1000)
    }

    /// Gives everything in a user's archive another id.
    pub fn number_archive_anew(&mut self, name: &str) {
        let user = self.users.get_mut(name).expect("a user");
        for item in &mut user.archive {
            item.id.insert(0, 'b');
        }
    }

    /// Puts a message into a user's archive, at a time in milliseconds since 1970.
    pub fn archive_at(&mut self, name: &str, peer: BareJid, stanza: &str, at: i64) -> String {
        let number = self.fresh();
        let id = format!("a{number}");
        if let Some(user) = self.users.get_mut(name) {
            user.archive.push(Archived {
                id: id.clone(),
                peer,
                stanza: stanza.to_owned(),
                at,
            });
        }
        id
    }

    fn iq(&mut self, conn: Conn, name: &str, iq: &Element) {
        let id = iq.attr("id").expect("an id").to_owned();
        let own = format!("{name}@{}", self.domain);
        let Some(session) = self.conns.get(&conn).and_then(|c| c.session) else {
            return;
        };
        if !matches!(iq.attr("type"), Some("get" | "set")) {
            return;
        }
        let payload = iq.children().next().expect("a payload");
        let to = iq.attr("to").unwrap_or_default().to_owned();
        let from = if to.is_empty() {
            String::new()
        } else {
            format!(" from='{to}'")
        };
        let result = |inner: &str| format!("<iq type='result' id='{id}'{from}>{inner}</iq>");
        let namespace = payload.ns();
        if self.refused.contains(namespace.as_str()) {
            let refusal = format!(
                "<iq type='error' id='{id}'{from}><error type='cancel'>\
                 <not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
            );
            return self.send(session, refusal);
        }
        let answer = match (payload.name(), namespace.as_str()) {
            ("query", "jabber:iq:roster") if iq.attr("type") == Some("get") => {
                let items: String = self.users[name]
                    .contacts
                    .iter()
                    .map(|(jid, subscription)| {
                        format!("<item jid='{jid}' subscription='{subscription}'/>")
                    })
                    .collect();
                result(&format!("<query xmlns='jabber:iq:roster'>{items}</query>"))
            }
            ("query", "http://jabber.org/protocol/disco#info") => {
                let features: &[&str] = if to == own && self.has_archive {
                    &["urn:xmpp:mam:2", "urn:xmpp:sid:0"]
                } else {
                    &[
                        "urn:xmpp:carbons:2",
                        "urn:xmpp:blocking",
                        "jabber:iq:register",
                    ]
                };
                let features: String = features
                    .iter()
                    .map(|feature| format!("<feature var='{feature}'/>"))
                    .collect();
                result(&format!(
                    "<query xmlns='http://jabber.org/protocol/disco#info'>{features}</query>"
                ))
            }
            ("enable", "urn:xmpp:carbons:2") => {
                if let Some(session) = self.sessions.get_mut(&session) {
                    session.carbons = true;
                }
                result("")
            }
            ("query", "urn:xmpp:mam:2") if self.mute_archive => return,
            ("query", "urn:xmpp:mam:2") if self.has_archive => {
                match self.query_archive(session, name, payload) {
                    Ok(fin) => result(&fin),
                    Err(condition) => format!(
                        "<iq type='error' id='{id}'{from}><error type='cancel'>\
                         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
                    ),
                }
            }
            ("query", "jabber:iq:register") => {
                let password = payload.get_child("password", "jabber:iq:register");
                let password = password.expect("a password").text();
                self.add_user(name, &password);
                result("")
            }
            ("block" | "unblock", "urn:xmpp:blocking") => result(""),
            ("blocklist", _) => result("<blocklist xmlns='urn:xmpp:blocking'/>"),
            ("ping", _) => result(""),
            ("query", "jabber:iq:roster") => result(""),
            _ => format!(
                "<iq type='error' id='{id}'{from}><error type='cancel'>\
                 <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
            ),
        };
        self.send(session, answer);
    }

    fn query_archive(
        &mut self,
        session: u64,
        name: &str,
        query: &Element,
    ) -> Result<String, &'static str> {
        const RSM: &str = "http://jabber.org/protocol/rsm";
        let query_id = query.attr("queryid").unwrap_or_default();
        let set = query.get_child("set", RSM).expect("a page");
        let text = |name: &str| set.get_child(name, RSM).map(Element::text);
        let max: usize = text("max").expect("max").parse().expect("a number");
        let with = query
            .get_child("x", "jabber:x:data")
            .and_then(|form| {
                form.children()
                    .find(|field| field.attr("var") == Some("with"))
            })
            .and_then(|field| field.children().next().map(Element::text));
        let all: Vec<&Archived> = self.users[name]
            .archive
            .iter()
            .filter(|item| with.as_ref().is_none_or(|with| item.peer.as_str() == with))
            .collect();
        let place = |id: &str| {
            let place = all.iter().position(|item| item.id == id);
            place.ok_or("item-not-found")
        };
        let (page, complete) = if let Some(before) = text("before") {
            let end = if before.is_empty() {
                all.len()
            } else {
                place(&before)?
            };
            let start = end.saturating_sub(max);
            (start..end, start == 0)
        } else {
            let start = match text("after") {
                Some(after) => match self.archive_error {
                    Some(error) => return Err(error),
                    None => place(&after)? + 1,
                },
                None => 0,
            };
            let end = (start + max).min(all.len());
            (start..end, end == all.len())
        };
        let page: Vec<(String, String, i64)> = all[page]
            .iter()
            .map(|item| (item.id.clone(), item.stanza.clone(), item.at))
            .collect();
        let own = format!("{name}@{}", self.domain);
        for (id, stanza, at) in &page {
            let stamp = sotto_xmpp::delay::format(*at);
            let result = format!(
                "<message from='{own}'><result xmlns='urn:xmpp:mam:2' queryid='{query_id}' id='{id}'>\
                 <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>\
                 {stanza}</forwarded></result></message>"
            );
            self.send(session, result);
        }
        let bounds = match (page.first(), page.last()) {
            (Some(first), Some(last)) => {
                format!("<first>{}</first><last>{}</last>", first.0, last.0)
            }
            _ => String::new(),
        };
        let complete = if complete { " complete='true'" } else { "" };
        Ok(format!(
            "<fin xmlns='urn:xmpp:mam:2'{complete}><set xmlns='{RSM}'>{bounds}</set></fin>"
        ))
    }

    pub fn users_with_sessions(&self) -> BTreeSet<String> {
        self.sessions.values().map(|s| s.user.clone()).collect()
    }
}

impl Session {
    fn acknowledged(&mut self, h: u32) {
        let first = self.sent.wrapping_sub(self.unacked.len() as u32);
        let count = h.wrapping_sub(first) as usize;
        assert!(count <= self.unacked.len(), "h={h} of {}", self.sent);
        self.unacked.drain(..count);
    }
}

fn set_attr(element: &mut Element, name: &str, value: &str) {
    use sotto_xmpp::minidom::rxml::{Namespace, NcName};
    let name = NcName::try_from(name.to_owned()).expect("a name");
    element.set_attr(Namespace::NONE, name, value.to_owned());
}
