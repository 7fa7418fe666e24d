//! What a shell shows: complete and worded, never computed in the shell.

mod account;
mod conversation;
mod history;
mod people;
mod private;
mod profile;

pub use account::{
    AccountState, AccountView, CertificateSummary, CertificateView, FieldKind, FormAnswer,
    FormField, FormView, NetworkStatus, NetworkView, PasswordChange, ProblemView, QuestionView,
    RegistrationState, RegistrationView, ServerView,
};
pub use conversation::{
    ConversationView, Delivery, Direction, LineNotice, LinkSpan, MessageKind, MessagePage,
    MessageView, Privacy, PrivacyView, SearchHit, SearchPage,
};
pub use history::{
    DayPage, DayView, EraseScope, ErasedView, Expiry, ExportPart, HistoryView, ImportParts,
    ImportProgram, ImportState, ImportView, Record, Recording, RecordsView, SavedPasswordView,
};
pub use people::{
    AddressView, Availability, BlockedView, ContactGroup, ContactView, Subscription,
    SubscriptionView,
};
pub use private::{
    AlertAct, AlertChoice, AlertKind, AlertView, DeviceView, OwnKeyView, OwnPolicyView,
    PeerKeyView, PoliciesView, Policy, PolicyScope, PrivateState, PrivateView, Trust,
    VerificationState, VerificationView,
};
pub use profile::{ProfileState, ProfileView, ProtectionKind, Settings, StrengthView, Theme};
