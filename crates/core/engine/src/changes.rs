use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sotto_api::{AccountId, ConversationId, Event, MessageId, RegistrationId};

/// The contact list is announced at most five times a second: every 250 ms, and one of them early, so that
/// what follows at once (the roster after *online*) need not wait.
const CONTACTS_INTERVAL: Duration = Duration::from_millis(250);

/// What changed since the events were last handed out: each thing once, however often it changed.
#[derive(Default)]
pub(crate) struct Changes {
    events: Vec<Event>,
    added: BTreeMap<ConversationId, Added>,
    contacts: bool,
    /// When the last announcement would have been due, had each kept the interval.
    contacts_next: Option<Instant>,
}

struct Added {
    first: MessageId,
    last: MessageId,
    alert: bool,
}

impl Changes {
    pub fn profile(&mut self) {
        self.push(Event::ProfileChanged);
    }

    pub fn account(&mut self, account: AccountId) {
        self.push(Event::AccountChanged { account });
    }

    /// Names, groups, presence, pictures, previews, unread counts: anything that the list shows.
    pub fn contacts(&mut self) {
        self.contacts = true;
    }

    pub fn subscriptions(&mut self) {
        self.push(Event::SubscriptionsChanged);
    }

    pub fn conversation(&mut self, conversation: ConversationId) {
        self.push(Event::ConversationChanged { conversation });
    }

    pub fn message_added(&mut self, conversation: ConversationId, id: MessageId, alert: bool) {
        let added = self.added.entry(conversation).or_insert(Added {
            first: id,
            last: id,
            alert,
        });
        added.first = added.first.min(id);
        added.last = added.last.max(id);
        added.alert |= alert;
    }

    pub fn message(&mut self, conversation: ConversationId, message: MessageId) {
        self.push(Event::MessageChanged {
            conversation,
            message,
        });
    }

    pub fn message_removed(&mut self, conversation: ConversationId, message: MessageId) {
        self.push(Event::MessageRemoved {
            conversation,
            message,
        });
    }

    pub fn registration(&mut self, registration: RegistrationId) {
        self.push(Event::RegistrationChanged { registration });
    }

    pub fn questions(&mut self) {
        self.push(Event::QuestionsChanged);
    }

    /// Keys of others, own keys, or trust.
    pub fn keys(&mut self) {
        self.push(Event::KeysChanged);
    }

    pub fn policies(&mut self) {
        self.push(Event::PoliciesChanged);
    }

    pub fn settings(&mut self) {
        self.push(Event::SettingsChanged);
    }

    pub fn push(&mut self, event: Event) {
        if !self.events.contains(&event) {
            self.events.push(event);
        }
    }

    /// The events that are due, in an order in which re-reading shows nothing twice.
    pub fn take(&mut self, now: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        for (conversation, added) in std::mem::take(&mut self.added) {
            events.push(Event::MessagesAdded {
                conversation,
                first: added.first,
                last: added.last,
                alert: added.alert,
            });
        }
        events.append(&mut self.events);
        if self.contacts
            && self
                .contacts_next
                .is_none_or(|next| now + CONTACTS_INTERVAL >= next)
        {
            self.contacts = false;
            let due = self.contacts_next.map_or(now, |next| next.max(now));
            self.contacts_next = Some(due + CONTACTS_INTERVAL);
            events.push(Event::ContactsChanged);
        }
        events
    }

    /// When [`Changes::take`] will have something that it holds back now.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.contacts_next
            .filter(|_| self.contacts)
            .map(|next| next.checked_sub(CONTACTS_INTERVAL).unwrap_or(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contact_list_is_announced_at_most_five_times_a_second() {
        let start = Instant::now();
        let mut changes = Changes::default();
        let mut announced = 0;
        for millisecond in 0..1000 {
            changes.contacts();
            announced += changes
                .take(start + Duration::from_millis(millisecond))
                .len();
        }
        assert_eq!(announced, 5);
    }

    #[test]
    fn the_last_change_of_the_contact_list_is_announced_in_the_end() {
        let start = Instant::now();
        let mut changes = Changes::default();
        for _ in 0..2 {
            changes.contacts();
            assert_eq!(changes.take(start), [Event::ContactsChanged]);
        }
        changes.contacts();
        assert_eq!(changes.take(start), []);
        let due = changes.poll_timeout().expect("something is held back");
        assert_eq!(changes.take(due), [Event::ContactsChanged]);
        assert_eq!(changes.poll_timeout(), None);
    }

    #[test]
    fn messages_of_one_conversation_are_announced_together() {
        let mut changes = Changes::default();
        changes.message_added(ConversationId(1), MessageId(7), false);
        changes.message_added(ConversationId(1), MessageId(5), true);
        assert_eq!(
            changes.take(Instant::now()),
            [Event::MessagesAdded {
                conversation: ConversationId(1),
                first: MessageId(5),
                last: MessageId(7),
                alert: true
            }]
        );
    }
}
