//! One Sotto under test: a profile, the process that owns it, and what a person would do with it.

use std::time::Duration;

use sotto_api::view::{
    AccountState, AccountView, ContactView, ConversationView, Delivery, Direction, MessageView,
    QuestionView, SubscriptionView,
};
use sotto_api::{
    AccountId, AccountSettings, ConversationId, MessageId, Protection, Reply, Request, Secret,
    ServerOverride, SubscriptionAnswer,
};
use sotto_testkit::profile::TempProfile;
use sotto_testkit::rpc::{Failure, Program, Rpc, Step};

/// The longest wait for something that a server does at once.
pub const SOON: Duration = Duration::from_secs(30);

/// The longest wait for something that needs a new connection, with its growing pauses.
pub const LATER: Duration = Duration::from_secs(90);

/// The passphrase of every profile that the suite makes.
pub const PASSPHRASE: &str = "seven sealed boxes of tea";

/// A Sotto under test.
pub struct Sotto {
    name: String,
    program: Program,
    profile: TempProfile,
    rpc: Option<Rpc>,
    first: Option<(AccountId, String)>,
}

impl Sotto {
    /// Starts it with a fresh profile under a passphrase.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Program, name: &str) -> Step<Self> {
        let mut sotto = Self {
            name: name.to_owned(),
            program: program.clone(),
            profile: TempProfile::new()?,
            rpc: None,
            first: None,
        };
        sotto.run()?;
        let protection = Protection::Passphrase {
            passphrase: Secret::new(PASSPHRASE.to_owned()),
        };
        sotto.ask(Request::ProfileCreate { protection })?;
        Ok(sotto)
    }

    /// The process.
    ///
    /// # Errors
    /// When it is not running.
    pub fn rpc(&mut self) -> Step<&mut Rpc> {
        self.rpc
            .as_mut()
            .ok_or_else(|| Failure::new(format!("{} is not running", self.name)))
    }

    /// Sends a request that must succeed.
    ///
    /// # Errors
    /// When it is refused.
    pub fn ask(&mut self, request: Request) -> Step<Reply> {
        self.rpc()?.request(request)
    }

    /// The folder of its profile.
    pub fn profile(&self) -> std::path::PathBuf {
        self.profile.path()
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(rpc) = self.rpc.take() {
            rpc.kill();
        }
    }

    /// Ends it as a person would.
    ///
    /// # Errors
    /// When it does not end soon.
    pub fn quit(&mut self) -> Step {
        match self.rpc.take() {
            Some(rpc) => rpc.quit(Duration::from_secs(10)),
            None => Ok(()),
        }
    }

    /// Starts it again on the same profile, and opens that.
    ///
    /// # Errors
    /// When the profile does not open.
    pub fn again(&mut self) -> Step {
        self.again_with(PASSPHRASE)
    }

    /// The same under a passphrase of its own.
    ///
    /// # Errors
    /// When the profile does not open.
    pub fn again_with(&mut self, passphrase: &str) -> Step {
        self.run()?;
        let passphrase = Secret::new(passphrase.to_owned());
        self.ask(Request::ProfileUnlock { passphrase })?;
        Ok(())
    }

    fn run(&mut self) -> Step {
        self.rpc = Some(Rpc::start(&self.program, &self.profile.path(), &self.name)?);
        Ok(())
    }

    // ---- accounts ----------------------------------------------------------------------------

    /// Adds an account without waiting for it.
    ///
    /// # Errors
    /// When it is refused.
    pub fn add(
        &mut self,
        address: &str,
        password: &str,
        server: ServerOverride,
    ) -> Step<AccountId> {
        let reply = self.ask(Request::AccountAdd {
            network: "xmpp".to_owned(),
            address: address.to_owned(),
            password: Some(Secret::new(password.to_owned())),
            remember: true,
            settings: by(server),
        })?;
        let Reply::Account(view) = reply else {
            return Err(self.unfit("account_add"));
        };
        self.first.get_or_insert((view.id, address.to_owned()));
        Ok(view.id)
    }

    /// Adds an account and waits until it is online.
    ///
    /// # Errors
    /// When it does not get online.
    pub fn sign_in(
        &mut self,
        address: &str,
        password: &str,
        server: ServerOverride,
    ) -> Step<AccountId> {
        let account = self.add(address, password, server)?;
        self.online(account)?;
        Ok(account)
    }

    /// The first account that was added.
    ///
    /// # Errors
    /// When there is none.
    pub fn account(&self) -> Step<AccountId> {
        self.first
            .as_ref()
            .map(|(id, _)| *id)
            .ok_or_else(|| Failure::new("no account was added"))
    }

    /// Its address.
    pub fn address(&self) -> String {
        self.first
            .as_ref()
            .map(|(_, address)| address.clone())
            .unwrap_or_default()
    }

    /// One account as it stands.
    ///
    /// # Errors
    /// When it is not there.
    pub fn view(&mut self, account: AccountId) -> Step<AccountView> {
        let Reply::Accounts(accounts) = self.ask(Request::AccountList {})? else {
            return Err(self.unfit("account_list"));
        };
        accounts
            .into_iter()
            .find(|a| a.id == account)
            .ok_or_else(|| Failure::new(format!("{}: the account is gone", self.name)))
    }

    /// Waits until the account is online.
    ///
    /// # Errors
    /// When it is not within [`LATER`], or stands where it will not get online by itself.
    pub fn online(&mut self, account: AccountId) -> Step<AccountView> {
        let view = self.account_is("online", account, |view| {
            matches!(
                view.state,
                AccountState::Online | AccountState::NeedsPassword | AccountState::Stopped
            )
        })?;
        if view.state == AccountState::Online {
            return Ok(view);
        }
        Err(self.rpc()?.failure(&format!(
            "{} stands at {:?} ({}), {:?}",
            view.address, view.state, view.state_text, view.problem
        )))
    }

    /// Waits until the account stands as wanted.
    ///
    /// # Errors
    /// When it does not within [`LATER`].
    pub fn account_is(
        &mut self,
        what: &str,
        account: AccountId,
        fits: impl Fn(&AccountView) -> bool,
    ) -> Step<AccountView> {
        let mut last = None;
        let result = self.until(&format!("account {what}"), LATER, |sotto| {
            let view = sotto.view(account)?;
            let fit = fits(&view);
            last = Some(view.clone());
            Ok(fit.then_some(view))
        });
        result.map_err(|failure| match last {
            Some(view) => Failure::new(format!(
                "{failure}; the account stands at {:?} ({}), {:?}",
                view.state, view.state_text, view.problem
            )),
            None => failure,
        })
    }

    /// Waits for a question about a certificate.
    ///
    /// # Errors
    /// When none comes.
    pub fn question(&mut self) -> Step<QuestionView> {
        self.until("a question about a certificate", SOON, |sotto| match sotto
            .ask(Request::QuestionList {})?
        {
            Reply::Questions(questions) => Ok(questions.into_iter().next()),
            _ => Err(sotto.unfit("question_list")),
        })
    }

    // ---- people ------------------------------------------------------------------------------

    /// The contact with this address.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn contact(&mut self, address: &str) -> Step<Option<ContactView>> {
        let request = Request::ContactList {
            filter: String::new(),
            offline: Some(true),
        };
        let Reply::Contacts(groups) = self.ask(request)? else {
            return Err(self.unfit("contact_list"));
        };
        Ok(groups
            .into_iter()
            .flat_map(|g| g.contacts)
            .find(|c| c.addresses.iter().any(|a| a.address == address)))
    }

    /// Waits until the contact with this address stands as wanted.
    ///
    /// # Errors
    /// When it does not.
    pub fn contact_is(
        &mut self,
        what: &str,
        address: &str,
        fits: impl Fn(&ContactView) -> bool,
    ) -> Step<ContactView> {
        let mut last = None;
        let result = self.until(&format!("contact {address} {what}"), SOON, |sotto| {
            let view = sotto.contact(address)?;
            last.clone_from(&view);
            Ok(view.filter(&fits))
        });
        result.map_err(|failure| Failure::new(format!("{failure}; it stands at {last:?}")))
    }

    /// Adds a contact on the first account.
    ///
    /// # Errors
    /// When it is refused.
    pub fn add_contact(&mut self, address: &str) -> Step {
        let account = self.account()?;
        self.ask(Request::ContactAdd {
            account,
            address: address.to_owned(),
            name: String::new(),
            groups: Vec::new(),
        })?;
        Ok(())
    }

    /// Waits for a request to see my presence.
    ///
    /// # Errors
    /// When none comes from there.
    pub fn request_from(&mut self, address: &str) -> Step<SubscriptionView> {
        self.until(
            &format!("a request from {address}"),
            SOON,
            |sotto| match sotto.ask(Request::SubscriptionList {})? {
                Reply::SubscriptionRequests(all) => {
                    Ok(all.into_iter().find(|r| r.address == address))
                }
                _ => Err(sotto.unfit("subscription_list")),
            },
        )
    }

    /// Answers a request once it is there.
    ///
    /// # Errors
    /// When none comes, or the answer is refused.
    pub fn answer(&mut self, address: &str, answer: SubscriptionAnswer) -> Step {
        let request = self.request_from(address)?;
        self.ask(Request::SubscriptionAnswer {
            account: request.account,
            address: address.to_owned(),
            answer,
        })?;
        Ok(())
    }

    // ---- conversations -----------------------------------------------------------------------

    /// The conversation of the first account with `peer`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn talk_to(&mut self, peer: &str) -> Step<ConversationId> {
        let account = self.account()?;
        self.talk_by(account, peer)
    }

    /// The conversation of one account with `peer`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn talk_by(&mut self, account: AccountId, peer: &str) -> Step<ConversationId> {
        let address = peer.to_owned();
        match self.ask(Request::ConversationOpen { account, address })? {
            Reply::Conversation(view) => Ok(view.id),
            _ => Err(self.unfit("conversation_open")),
        }
    }

    /// Header and state of a conversation.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn conversation(&mut self, conversation: ConversationId) -> Step<ConversationView> {
        match self.ask(Request::ConversationView { conversation })? {
            Reply::Conversation(view) => Ok(view),
            _ => Err(self.unfit("conversation_view")),
        }
    }

    /// Writes a message.
    ///
    /// # Errors
    /// When it is refused.
    pub fn say(&mut self, conversation: ConversationId, body: &str) -> Step<MessageId> {
        let body = body.to_owned();
        match self.ask(Request::MessageSend { conversation, body })? {
            Reply::Message(view) => Ok(view.id),
            _ => Err(self.unfit("message_send")),
        }
    }

    /// Waits until a message got at least so far.
    ///
    /// # Errors
    /// When it does not.
    pub fn reaches(&mut self, message: MessageId, wanted: Delivery) -> Step<MessageView> {
        self.until(&format!("message {wanted:?}"), LATER, |sotto| {
            let view = sotto.message(message)?;
            match view.delivery {
                Some(Delivery::Failed) => Err(Failure::new(format!(
                    "{}: not sent: {}",
                    sotto.name, view.failure
                ))),
                Some(reached) if reached >= wanted => Ok(Some(view)),
                _ => Ok(None),
            }
        })
    }

    /// One message.
    ///
    /// # Errors
    /// When it is not there.
    pub fn message(&mut self, message: MessageId) -> Step<MessageView> {
        match self.ask(Request::MessageView { message })? {
            Reply::Message(view) => Ok(view),
            _ => Err(self.unfit("message_view")),
        }
    }

    /// Waits until a message with this text is there, by whomever.
    ///
    /// # Errors
    /// When it does not come.
    pub fn hears(&mut self, conversation: ConversationId, body: &str) -> Step<MessageView> {
        self.until(&format!("a message {body:?}"), LATER, |sotto| {
            Ok(sotto
                .page(conversation, None)?
                .0
                .into_iter()
                .find(|m| m.body == body))
        })
    }

    /// Everything that was said, the oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn history(&mut self, conversation: ConversationId) -> Step<Vec<MessageView>> {
        let mut pages = Vec::new();
        let mut before = None;
        loop {
            let (messages, older) = self.page(conversation, before)?;
            before = messages.first().map(|m| m.id);
            pages.push(messages);
            if !older || before.is_none() {
                pages.reverse();
                return Ok(pages.into_iter().flatten().collect());
            }
        }
    }

    /// The texts of one direction, the oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn texts(&mut self, conversation: ConversationId, of: Direction) -> Step<Vec<String>> {
        Ok(self
            .history(conversation)?
            .into_iter()
            .filter(|m| m.direction == of)
            .map(|m| m.body)
            .collect())
    }

    /// Up to 500 messages before one, and whether there are older ones.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn page(
        &mut self,
        conversation: ConversationId,
        before: Option<MessageId>,
    ) -> Step<(Vec<MessageView>, bool)> {
        let request = Request::MessagePage {
            conversation,
            before,
            after: None,
            limit: 500,
        };
        match self.ask(request)? {
            Reply::Messages(page) => Ok((page.messages, page.older)),
            _ => Err(self.unfit("message_page")),
        }
    }

    /// Looks, and looks again after every event.
    ///
    /// # Errors
    /// When it is not there in time.
    pub fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&mut Self) -> Step<Option<T>>,
    ) -> Step<T> {
        let deadline = std::time::Instant::now() + limit;
        loop {
            self.rpc()?.take_events();
            if let Some(found) = look(self)? {
                return Ok(found);
            }
            let late = std::time::Instant::now() >= deadline;
            if late || self.rpc()?.next_event(deadline).is_none() {
                return match look(self)? {
                    Some(_) => Err(self
                        .rpc()?
                        .failure(&format!("{what}: it came, but no event told of it"))),
                    None => Err(self
                        .rpc()?
                        .failure(&format!("{what}: not within {limit:?}"))),
                };
            }
        }
    }

    fn unfit(&mut self, request: &str) -> Failure {
        Failure::new(format!("{}: the reply does not fit {request}", self.name))
    }
}

/// Settings that lead to a server.
pub fn by(server: ServerOverride) -> AccountSettings {
    AccountSettings {
        server: Some(server),
        ..AccountSettings::default()
    }
}

/// Makes two Sottos contacts of each other, both seeing the other's presence.
///
/// # Errors
/// When a request does not come or is refused.
pub fn befriend(one: &mut Sotto, other: &mut Sotto) -> Step {
    let (a, b) = (one.address(), other.address());
    one.add_contact(&b)?;
    other.answer(&a, SubscriptionAnswer::Accept)?;
    other.add_contact(&a)?;
    one.answer(&b, SubscriptionAnswer::Accept)?;
    let both = |view: &ContactView| {
        view.addresses
            .iter()
            .all(|a| a.subscription == sotto_api::view::Subscription::Both)
    };
    one.contact_is("seen by both", &b, both)?;
    other.contact_is("seen by both", &a, both)?;
    Ok(())
}
