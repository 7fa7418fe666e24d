//! What a shell shows: complete and worded, never computed in the shell.

mod account;
mod conversation;
mod people;
mod profile;

pub use account::{
    AccountState, AccountView, CertificateSummary, CertificateView, FieldKind, FormAnswer,
    FormField, FormView, NetworkStatus, NetworkView, PasswordChange, ProblemView, QuestionView,
    RegistrationState, RegistrationView, ServerView,
};
pub use conversation::{
    ConversationView, Delivery, Direction, LinkSpan, MessageKind, MessagePage, MessageView,
    Privacy, PrivacyView, SearchHit, SearchPage,
};
pub use people::{
    AddressView, Availability, BlockedView, ContactGroup, ContactView, Subscription,
    SubscriptionView,
};
pub use profile::{ProfileState, ProfileView, ProtectionKind, Settings, StrengthView, Theme};
