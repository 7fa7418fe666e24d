//! What a connection carries, for the record, while there is one.

use sotto_xmpp::tap::Tap;

use super::{Account, Connection};
use crate::context::Context;
use crate::io::LinkId;

impl Account {
    /// Bytes came; before the stream gets them.
    pub(super) fn record_incoming(&mut self, cx: &mut Context, bytes: &[u8]) {
        self.record(cx, true, bytes);
    }

    /// Bytes leave: always whole pieces.
    pub(super) fn record_outgoing(&mut self, cx: &mut Context, bytes: &[u8]) {
        self.record(cx, false, bytes);
    }

    fn record(&mut self, cx: &mut Context, incoming: bool, bytes: &[u8]) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        if !cx.effects.records.is_on() {
            connection.tap = None;
            return;
        }
        connection.begin_tap();
        let link = connection.link;
        let Some(tap) = &mut connection.tap else {
            return;
        };
        let pieces = if incoming {
            tap.incoming(bytes)
        } else {
            tap.outgoing(bytes)
        };
        for piece in pieces {
            cx.effects
                .records
                .stanza(link, incoming, cx.now.unix_ms, &piece);
        }
    }
}

impl Connection {
    /// Before its first byte.
    pub(super) fn tap_from_the_start(&mut self, cx: &Context) {
        self.tap = cx.effects.records.is_on().then(|| Box::new(Tap::new()));
    }

    /// Recording may begin in the middle of a stream, but not in the middle of a stanza or of a log-in.
    fn begin_tap(&mut self) {
        if self.tap.is_none()
            && self.bound.is_some()
            && self
                .stream
                .as_ref()
                .is_some_and(sotto_xmpp::stream::ClientStream::is_between_stanzas)
        {
            self.tap = Some(Box::new(Tap::within_stream()));
        }
    }
}

/// A connection is gone.
pub(super) fn ended(cx: &mut Context, link: LinkId) {
    cx.effects.records.link_ended(link);
}
