use serde::{Deserialize, Serialize};

use crate::view::history::{Expiry, Recording};

/// The profile as a shell sees it before and after it is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileView {
    /// Its state.
    pub state: ProfileState,
    /// How its key is kept; absent while there is no profile.
    pub protection: Option<ProtectionKind>,
    /// The folder, for the person to find it.
    pub folder: String,
    /// Said in the window until it is changed: what a profile without a passphrase means. Empty otherwise.
    pub warning: String,
}

/// Whether the profile can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileState {
    /// There is none: first start.
    Absent,
    /// It waits for its passphrase.
    Locked,
    /// It is open.
    Open,
}

/// How the key of a profile is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProtectionKind {
    /// Under a passphrase.
    Passphrase,
    /// In the system's keyring.
    Keyring,
    /// In a file of mode 0600 beside the store.
    KeyFile,
}

/// How well a passphrase resists guessing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrengthView {
    /// Filled steps of the meter, 0–5.
    pub steps: u8,
    /// One word: *Too easy*, *Weak*, *Fair*, *Good*, *Strong*.
    pub word: String,
    /// What that means, in a sentence.
    pub meaning: String,
}

/// Settings of the program. Privacy defaults: nothing is told that need not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Show contacts who are offline. Default: yes.
    pub show_offline: bool,
    /// Tell contacts that I am writing (XEP-0085). Default: yes; never told to strangers.
    pub send_typing: bool,
    /// Tell contacts that I have seen their message (XEP-0333). Default: no.
    pub send_displayed: bool,
    /// Tell contacts that their message arrived (XEP-0184). Default: yes; never told to strangers.
    pub send_receipts: bool,
    /// Enter sends and Shift+Enter starts a new line; otherwise the other way round. Default: yes.
    pub enter_sends: bool,
    /// Keep private conversations in the sealed history. Default: no, they go when the program ends.
    pub keep_private: bool,
    /// Keep what is said in the sealed history (*Log chat history*). Default: yes. Off: not one byte of new texts
    /// reaches the disk.
    pub keep_history: bool,
    /// How long messages are kept. Default: for ever.
    pub expiry: Expiry,
    /// How many messages a conversation shows when it is opened, 0–140. Default: 10.
    pub history_shown: u8,
    /// Lock the profile after so many minutes without the person, 0–1440; 0: never. Default: 0. Needs a passphrase.
    pub lock_after: u16,
    /// Record the stanzas that come and go, for finding faults. Default: off.
    pub record_stanzas: Recording,
    /// How many files of stanzas are kept, 1–20. Default: 3.
    pub record_files: u8,
    /// Largest size of each, in units of 1000 bytes, 100–100,000. Default: 5000.
    pub record_size: u32,
    /// Keep the program's own log, sealed, without passwords, texts or addresses. Default: no.
    pub record_log: bool,
    /// Speak also OTR version 2, whose messages an attacker on the way can alter in places. Default: no.
    pub allow_otr_v2: bool,
    /// The person knows that closing the window leaves Sotto in the tray. Default: no.
    pub tray_told: bool,
    /// Light, dark, or as the system has it.
    pub theme: Theme,
    /// A language tag (BCP 47), or empty for the system's.
    pub language: String,
    /// Size of everything, 100–200 per cent.
    pub scale: u16,
    /// No motion at all.
    pub reduced_motion: bool,
    /// Stronger lines, no tints.
    pub high_contrast: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            show_offline: true,
            send_typing: true,
            send_displayed: false,
            send_receipts: true,
            enter_sends: true,
            keep_private: false,
            keep_history: true,
            expiry: Expiry::Never,
            history_shown: 10,
            lock_after: 0,
            record_stanzas: Recording::Off,
            record_files: 3,
            record_size: 5000,
            record_log: false,
            allow_otr_v2: false,
            tray_told: false,
            theme: Theme::System,
            language: String::new(),
            scale: 100,
            reduced_motion: false,
            high_contrast: false,
        }
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}
