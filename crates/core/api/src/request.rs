use serde::{Deserialize, Serialize};

use crate::id::{
    AccountId, ContactId, ConversationId, ImportId, MessageId, PeerKeyId, QuestionId,
    RegistrationId, RequestId,
};
use crate::secret::Secret;
use crate::view::{
    AlertAct, Availability, EraseScope, Expiry, FormAnswer, ImportParts, ImportProgram, Policy,
    PolicyScope, Record, Settings, Trust,
};

/// One line from a shell to the owner of the profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientLine {
    /// Comes back with the reply; the shell keeps them apart.
    pub id: RequestId,
    /// What is asked.
    #[serde(flatten)]
    pub request: Request,
}

/// Everything that a shell can ask.
///
/// The reply to each is named in its documentation; [`crate::Reply::Done`] where none is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "method", content = "params", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Request {
    // ---- the profile -------------------------------------------------------------------------
    /// Whether there is a profile, whether it is open, how it is sealed. Reply: `Profile`.
    ProfileStatus {},
    /// Makes the profile. Refused when there is one.
    ProfileCreate {
        /// How its key is kept.
        protection: Protection,
    },
    /// Opens the profile. A wrong passphrase is `ErrorKind::WrongPassphrase`; try again freely.
    ProfileUnlock {
        /// The passphrase that seals it.
        passphrase: Secret,
    },
    /// Changes how the profile is sealed. `current` is needed when it has a passphrase now.
    ProfileProtect {
        /// The passphrase in force, if there is one.
        current: Option<Secret>,
        /// What replaces it.
        protection: Protection,
    },
    /// Saves what still reads of a damaged store into a new one and opens it; the old file is kept beside
    /// it. After `ProfileUnlock` was refused for the damage, or in an open profile, which goes offline for it.
    ProfileSalvage {},
    /// Locks the profile now: its key leaves memory and nothing of it can be asked until `ProfileUnlock`. Links are
    /// dropped without a farewell, so that the servers hold what comes meanwhile. Refused without a passphrase.
    ProfileLock {},
    /// The person did something: the time after which the profile locks by itself begins anew. Shells send it at
    /// most once in ten seconds.
    PersonActive {},
    /// Writes the whole profile into one sealed file that another computer can open (`ProfileRestore`).
    ProfileBackUp {
        /// The passphrase in force, if there is one: the file opens without it.
        current: Option<Secret>,
        /// An absolute path; refused when something is there.
        file: String,
        /// Opens the file; need not be the profile's.
        passphrase: Secret,
    },
    /// Makes the profile from such a file. Refused when there is a profile. Its passphrase seals the profile too.
    ProfileRestore {
        /// An absolute path.
        file: String,
        /// The file's passphrase.
        passphrase: Secret,
    },
    /// Destroys the profile: key first, so that nothing can be read from then on, then the files. The program ends.
    ProfileDestroy {
        /// The passphrase in force, if there is one.
        current: Option<Secret>,
    },
    /// How well a passphrase or password resists guessing. Reply: `Strength`. Nothing is kept.
    PassphraseStrength {
        /// What was typed so far.
        passphrase: Secret,
    },
    /// Four words drawn at random. Reply: `Suggestion`.
    PassphraseSuggest {},

    // ---- networks and accounts ---------------------------------------------------------------
    /// The rows of `networks.toml`. Reply: `Networks`.
    NetworkList {},
    /// The bundled list of servers on which an account can be made. Reply: `Servers`.
    ServerList {},
    /// All accounts. Reply: `Accounts`.
    AccountList {},
    /// Adds an existing account and signs in. Reply: `Account`.
    AccountAdd {
        /// A row of `networks.toml`.
        network: String,
        /// The address, for example `sara@riverside.example`; a bare name where the network has a suffix.
        address: String,
        /// Asked later when absent.
        password: Option<Secret>,
        /// Keep the password, sealed.
        remember: bool,
        /// The advanced page.
        #[serde(default)]
        settings: AccountSettings,
    },
    /// Removes an account with its credential and settings; its history stays unless asked. Where it goes too, the reply
    /// comes when it is gone from the file.
    AccountRemove {
        /// Which.
        account: AccountId,
        /// Erase its conversations as well.
        erase_history: bool,
    },
    /// Takes an account online or offline; remembered.
    AccountEnable {
        /// Which.
        account: AccountId,
        /// On or off.
        enabled: bool,
    },
    /// Replaces the advanced settings; the account signs in anew when a setting needs it.
    AccountConfigure {
        /// Which.
        account: AccountId,
        /// All of them.
        settings: AccountSettings,
    },
    /// Answers a request for the password (after a refusal, or when none was kept). Signs in at once.
    AccountPassword {
        /// Which.
        account: AccountId,
        /// The password. The stored one is replaced only after the server accepted this one.
        password: Secret,
        /// Keep it, sealed.
        remember: bool,
    },
    /// Changes the password on the server (XEP-0077 §3.3), then the stored one.
    AccountChangePassword {
        /// Which.
        account: AccountId,
        /// The new password.
        password: Secret,
    },
    /// Tries again now instead of at the next scheduled time.
    AccountRetry {
        /// Which; all when absent.
        account: Option<AccountId>,
    },

    // ---- saved passwords ---------------------------------------------------------------------
    /// The passwords that are kept. Reply: `SavedPasswords`.
    SavedPasswordList {},
    /// Forgets a kept password: the next sign-in asks for it.
    SavedPasswordRemove {
        /// Of which account; of all when absent.
        #[serde(default)]
        account: Option<AccountId>,
    },
    /// Shows a kept password. Reply: `Password`. Asks for the profile's passphrase each time, and is refused where
    /// there is none.
    SavedPasswordShow {
        /// Of which account.
        account: AccountId,
        /// The passphrase in force.
        passphrase: Secret,
    },

    // ---- making an account -------------------------------------------------------------------
    /// Connects to a server and asks for its registration form. Reply: `Registration`.
    RegistrationStart {
        /// The server's domain.
        server: String,
        /// The advanced page (server override, proxy).
        #[serde(default)]
        settings: AccountSettings,
    },
    /// The state of a registration. Reply: `Registration`.
    RegistrationView {
        /// Which.
        registration: RegistrationId,
    },
    /// Sends the filled form. A refusal keeps the registration open for another try. Reply: `Registration`.
    RegistrationSubmit {
        /// Which.
        registration: RegistrationId,
        /// Field name and value, as the form names them.
        answers: Vec<FormAnswer>,
        /// Keep the password, sealed.
        remember: bool,
    },
    /// Gives up a registration and closes its connection.
    RegistrationCancel {
        /// Which.
        registration: RegistrationId,
    },

    // ---- questions ---------------------------------------------------------------------------
    /// What waits for an answer. Reply: `Questions`.
    QuestionList {},
    /// Answers a question about a certificate.
    CertificateAnswer {
        /// Which.
        question: QuestionId,
        /// The person's choice.
        answer: CertificateAnswer,
    },

    // ---- people ------------------------------------------------------------------------------
    /// The contact list, ready to show: grouped, sorted, filtered. Reply: `Contacts`.
    ContactList {
        /// Words to find in name or address; empty for all.
        #[serde(default)]
        filter: String,
        /// Also those who are offline; absent: as the setting says.
        #[serde(default)]
        offline: Option<bool>,
    },
    /// One person. Reply: `Contact`.
    ContactView {
        /// Which.
        contact: ContactId,
    },
    /// Adds a person and asks to see their presence. Reply: `Contact`.
    ContactAdd {
        /// On which account.
        account: AccountId,
        /// Their address.
        address: String,
        /// How to call them; empty for the address.
        name: String,
        /// Groups they belong to.
        groups: Vec<String>,
    },
    /// Renames a person (on the server too).
    ContactRename {
        /// Which.
        contact: ContactId,
        /// The new name; empty for the address.
        name: String,
    },
    /// Replaces the groups of a person (on the server too).
    ContactMove {
        /// Which.
        contact: ContactId,
        /// All groups they belong to from now on.
        groups: Vec<String>,
    },
    /// Removes a person from the list and ends both subscriptions. The history stays.
    ContactRemove {
        /// Which.
        contact: ContactId,
    },
    /// Requests to see my presence that wait for an answer. Reply: `SubscriptionRequests`.
    SubscriptionList {},
    /// Answers a request to see my presence.
    SubscriptionAnswer {
        /// On which account it came.
        account: AccountId,
        /// From whom.
        address: String,
        /// The person's choice.
        answer: SubscriptionAnswer,
    },
    /// Blocks or unblocks an address (XEP-0191).
    Block {
        /// On which account.
        account: AccountId,
        /// Whom.
        address: String,
        /// Block or unblock.
        blocked: bool,
    },
    /// Blocked addresses. Reply: `Blocked`.
    BlockList {
        /// On which account.
        account: AccountId,
    },
    /// Sets my own status.
    StatusSet {
        /// For one account; for all when absent.
        account: Option<AccountId>,
        /// What others see.
        availability: Availability,
        /// A line of my own; may be empty.
        text: String,
    },
    /// Publishes my picture.
    AvatarSet {
        /// For one account.
        account: AccountId,
        /// PNG, at most 64 KiB and 512 × 512 pixels, base64; absent removes it.
        png: Option<String>,
    },
    /// A picture by its hash. Reply: `Avatar`.
    AvatarGet {
        /// As a view names it.
        hash: String,
    },

    // ---- conversations -----------------------------------------------------------------------
    /// Conversations, the newest first. Reply: `Conversations`.
    ConversationList {
        /// At most so many; 1–500.
        limit: u32,
    },
    /// The conversation with an address, made when there is none. Reply: `Conversation`.
    ConversationOpen {
        /// On which account.
        account: AccountId,
        /// With whom.
        address: String,
    },
    /// Header, label, draft and state of one conversation. Reply: `Conversation`.
    ConversationView {
        /// Which.
        conversation: ConversationId,
    },
    /// One page of messages, the oldest first. Reply: `Messages`.
    MessagePage {
        /// Which conversation.
        conversation: ConversationId,
        /// Only those before this message; the newest when absent.
        #[serde(default)]
        before: Option<MessageId>,
        /// Only those after this message; not together with `before`.
        #[serde(default)]
        after: Option<MessageId>,
        /// At most so many; 1–500.
        limit: u32,
    },
    /// One message. Reply: `Message`.
    MessageView {
        /// Which.
        message: MessageId,
    },
    /// Writes a message: stored first, sent as soon as the account can. Reply: `Message`.
    MessageSend {
        /// To whom, and by which account: bound here, at the moment of pressing.
        conversation: ConversationId,
        /// The text.
        body: String,
    },
    /// Corrects the last message that I wrote in its conversation (XEP-0308). Reply: `Message`.
    MessageCorrect {
        /// Which.
        message: MessageId,
        /// The new text.
        body: String,
    },
    /// Tries a message marked *Not sent* again.
    MessageRetry {
        /// Which.
        message: MessageId,
    },
    /// Takes back a message that has not been sent; its text is in the reply. Reply: `Message`.
    MessageWithdraw {
        /// Which.
        message: MessageId,
    },
    /// Keeps what is being written. Empty text forgets it.
    DraftSet {
        /// In which conversation.
        conversation: ConversationId,
        /// The text.
        body: String,
    },
    /// The person has this conversation before their eyes: unread counts go to 0, and a displayed
    /// marker (XEP-0333) goes out if that is switched on.
    ConversationRead {
        /// Which.
        conversation: ConversationId,
    },
    /// The person is writing, or has stopped (XEP-0085). Throttled by the engine.
    Typing {
        /// In which conversation.
        conversation: ConversationId,
        /// Writing or not.
        active: bool,
    },
    /// Finds messages by words, the newest first. Reply: `Found`.
    Search {
        /// One or more words; all must occur. A last word is also found as a beginning.
        query: String,
        /// In one conversation; in all when absent.
        #[serde(default)]
        conversation: Option<ConversationId>,
        /// Only those before this message, for the next page.
        #[serde(default)]
        before: Option<MessageId>,
        /// At most so many; 1–200.
        limit: u32,
    },

    // ---- private conversations ---------------------------------------------------------------
    /// Asks the other side for a private conversation, or makes its keys anew when one stands.
    PrivateStart {
        /// With whom.
        conversation: ConversationId,
    },
    /// Ends the private conversation with the chosen device. What is written afterwards is held to the policy.
    PrivateEnd {
        /// Which.
        conversation: ConversationId,
    },
    /// Chooses the device that is written to, as `PrivateView::devices` names it.
    PrivateDevice {
        /// In which conversation.
        conversation: ConversationId,
        /// The device's id.
        device: String,
    },
    /// The person's answer to what stopped the sending: goes on without encryption after the other side ended
    /// the private conversation (refused while it is required), or goes on with a changed key, not verified.
    PrivateContinue {
        /// In which conversation.
        conversation: ConversationId,
        /// What was chosen: `continue_unencrypted` or `continue_unverified`, or `dismiss` for a notice.
        act: AlertAct,
    },
    /// The person compared the codes of the chosen device's key. They match: the key is verified; they do
    /// not: it is distrusted, and nothing more goes to it.
    VerifyCode {
        /// In which conversation.
        conversation: ConversationId,
        /// The key that was shown: refused when another one stands there now.
        key: PeerKeyId,
        /// Whether they match.
        matches: bool,
    },
    /// Begins to verify by a question, or by a shared secret when `question` is absent (OTR's SMP).
    VerifyAsk {
        /// In which conversation.
        conversation: ConversationId,
        /// What the other side is asked, in their view; at most 500 characters.
        #[serde(default)]
        question: Option<String>,
        /// The right answer, or the secret.
        secret: Secret,
    },
    /// Answers the other side's question or request for the shared secret.
    VerifyAnswer {
        /// In which conversation.
        conversation: ConversationId,
        /// The answer.
        secret: Secret,
    },
    /// Stops a verification under way, or puts its result away.
    VerifyStop {
        /// In which conversation.
        conversation: ConversationId,
    },
    /// Keys of others. Reply: `PeerKeys`.
    PeerKeyList {
        /// Met by one account; by all when absent.
        #[serde(default)]
        account: Option<AccountId>,
    },
    /// Marks a key verified (after comparing its code), not checked, or distrusted.
    PeerKeyTrust {
        /// Which.
        key: PeerKeyId,
        /// `verified`, `new` or `distrusted`.
        trust: Trust,
    },
    /// Forgets a key. Refused while a private conversation with it stands.
    PeerKeyForget {
        /// Which.
        key: PeerKeyId,
    },
    /// The own keys. Reply: `OwnKeys`.
    OwnKeyList {},
    /// Makes a new key: the old one is erased, private conversations end, and everybody has to verify anew.
    OwnKeyRenew {
        /// Of which account.
        account: AccountId,
    },
    /// All privacy policies. Reply: `Policies`.
    PolicyList {},
    /// Sets a policy; takes effect at once.
    PolicySet {
        /// For whom.
        scope: PolicyScope,
        /// What; absent: as for everyone. The global one cannot be absent.
        policy: Option<Policy>,
        /// For the global one: those with a setting of their own follow (their setting is removed).
        #[serde(default)]
        follow: bool,
    },
    /// Reads keys, verified fingerprints and instance tags that libotr's programs (Pidgin and others) keep, from the
    /// texts of their files; own keys only for accounts that have none yet. Reply: `Done`.
    OtrImport {
        /// `otr.private_key`, if given.
        #[serde(default)]
        private_key: Option<Secret>,
        /// `otr.fingerprints`, if given.
        #[serde(default)]
        fingerprints: Option<String>,
        /// `otr.instance_tags`, if given.
        #[serde(default)]
        instance_tags: Option<String>,
    },

    // ---- history -----------------------------------------------------------------------------
    /// Whether what is said in a conversation is kept, and for how long. Takes effect at once; what was kept before
    /// stays until it expires or is erased.
    HistorySet {
        /// Which.
        conversation: ConversationId,
        /// Keep it; absent: as for everyone (`Settings::keep_history`).
        #[serde(default)]
        keep: Option<bool>,
        /// How long; absent: as for everyone (`Settings::expiry`).
        #[serde(default)]
        expiry: Option<Expiry>,
    },
    /// The days on which something was said, the newest first. Reply: `Days`.
    HistoryDays {
        /// In one conversation; in all when absent.
        #[serde(default)]
        conversation: Option<ConversationId>,
        /// Where a day begins: a time zone's name (IANA), or empty for the system's.
        #[serde(default)]
        zone: String,
        /// Only days before this one, for the next page.
        #[serde(default)]
        before: Option<String>,
        /// At most so many; 1–400.
        limit: u32,
    },
    /// What was said on one day in all conversations, in the order of time. Reply: `Found`, with nothing highlighted;
    /// of one conversation, read its messages from the day's first on (`MessagePage`).
    HistoryDay {
        /// The day: `2026-11-26`.
        day: String,
        /// Where it begins, as in `HistoryDays`.
        #[serde(default)]
        zone: String,
        /// Only messages after this one, for the next page.
        #[serde(default)]
        after: Option<MessageId>,
        /// At most so many; 1–200.
        limit: u32,
    },
    /// How much an erasure would take. Reply: `Erased`; nothing is changed.
    HistoryCount {
        /// What.
        what: EraseScope,
    },
    /// Erases for good: gone from the file, not marked. Reply: `Erased`.
    HistoryErase {
        /// What.
        what: EraseScope,
    },
    /// A part of a conversation as readable text. Reply: `Export`. The shell writes it where the person said,
    /// after it has warned that the file can be read by everybody.
    HistoryExport {
        /// Which.
        conversation: ConversationId,
        /// The time zone of its times, as in `HistoryDays`.
        #[serde(default)]
        zone: String,
        /// Only messages after this one, for the next part.
        #[serde(default)]
        after: Option<MessageId>,
    },

    // ---- records for experts -----------------------------------------------------------------
    /// What is written of stanzas and of the program's own log. Reply: `Records`.
    RecordStatus {},
    /// Removes what was written, for good.
    RecordRemove {
        /// Which.
        record: Record,
    },
    /// Writes a sealed record out as a file that other programs open (pcapng for stanzas, text for the log).
    RecordExport {
        /// Which.
        record: Record,
        /// An absolute path; refused when something is there.
        file: String,
    },

    // ---- moving in ---------------------------------------------------------------------------
    /// Looks at what another program has, without changing anything. Reply: `Import`.
    ImportScan {
        /// Which program.
        program: ImportProgram,
        /// Its folder; absent: where it usually is.
        #[serde(default)]
        folder: Option<String>,
        /// Jitsi's master password, if it has one.
        #[serde(default)]
        master: Option<Secret>,
    },
    /// Takes over what was found. What is here already stays; nothing comes twice. Reply: `Import`, when it is done.
    ImportRun {
        /// As `ImportScan` named it.
        import: ImportId,
        /// What to take.
        parts: ImportParts,
    },
    /// How far an import is. Reply: `Import`.
    ImportView {
        /// Which.
        import: ImportId,
    },
    /// Overwrites and removes the other program's clear-text originals that were taken over. Reply: `Import`.
    ImportShred {
        /// Which.
        import: ImportId,
    },
    /// Forgets what was found.
    ImportClose {
        /// Which.
        import: ImportId,
    },

    // ---- the program -------------------------------------------------------------------------
    /// All settings. Reply: `Settings`.
    SettingsGet {},
    /// Replaces all settings.
    SettingsSet {
        /// All of them.
        settings: Settings,
    },
    /// Name and version of the program. Reply: `Version`.
    Version {},
    /// Hands arguments of a second start to the owner: an `xmpp:` link, or "show the window".
    Activate {
        /// A link as given, unparsed; absent: show the window.
        #[serde(default)]
        link: Option<String>,
    },
    /// What `Quit` would lose now: own messages that were not sent and are kept nowhere. Nothing is changed. Reply:
    /// `Erased`, with a sentence to ask with.
    QuitCount {},
    /// Signs out, saves, and ends the program. Asks nothing: a shell asks before, see `QuitCount`.
    Quit {},
}

/// How the key of a profile is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Protection {
    /// Sealed under a passphrase by Argon2id (64 MiB, 3 passes). The default.
    Passphrase {
        /// At least one character; the shell shows the strength and never refuses more.
        passphrase: Secret,
    },
    /// Knowingly without: in the system's keyring where there is one, else in a file of mode 0600.
    None,
}

/// The advanced page of an account. Everything has a default that needs no thought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSettings {
    /// Connect there instead of asking DNS.
    pub server: Option<ServerOverride>,
    /// A fixed resource; absent: the server or chance chooses.
    pub resource: Option<String>,
    /// Priority of this program's presence, -128 to 127.
    pub priority: i8,
    /// A client certificate with its key, PEM (SASL EXTERNAL). Stored sealed.
    pub client_certificate: Option<Secret>,
    /// Allow the password itself to go to the server, over verified TLS, when it offers nothing better.
    pub allow_plain: bool,
    /// Connect through a proxy.
    pub proxy: Option<Proxy>,
}

/// Where to connect, in place of DNS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerOverride {
    /// Name or IP address.
    pub host: String,
    /// 1–65535.
    pub port: u16,
    /// TLS from the first byte (XEP-0368) rather than STARTTLS.
    #[serde(default)]
    pub direct_tls: bool,
}

/// A proxy. Names are resolved by the proxy, so no DNS question leaves beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxy {
    /// Which protocol it speaks.
    pub kind: ProxyKind,
    /// Name or IP address.
    pub host: String,
    /// 1–65535.
    pub port: u16,
    /// User name, where it asks for one.
    #[serde(default)]
    pub username: Option<String>,
    /// Password, where it asks for one.
    #[serde(default)]
    pub password: Option<Secret>,
}

/// The protocols of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyKind {
    /// SOCKS5 with remote DNS (RFC 1928, RFC 1929); what Tor speaks.
    Socks5,
    /// HTTP CONNECT (RFC 9110 §9.3.6).
    HttpConnect,
}

/// A person's answer to a certificate that nobody vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateAnswer {
    /// Do not connect; the account stays offline until it is retried.
    Reject,
    /// Connect until the program ends.
    ThisTime,
    /// Remember exactly this key for this account and domain; revocable.
    Always,
}

/// A person's answer to a request to see their presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionAnswer {
    /// Allow it.
    Accept,
    /// Refuse it; they may ask again.
    Refuse,
    /// Refuse it and block the address.
    Block,
}
