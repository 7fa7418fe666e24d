-- Schema 2: private conversations. Times and enumerations as in schema 1.

-- Absent: as for everyone.
ALTER TABLE account ADD COLUMN policy INTEGER;
ALTER TABLE conversation ADD COLUMN policy INTEGER;
-- Which device of the other side is written to.
ALTER TABLE conversation ADD COLUMN private_device TEXT;

-- Of a message that is not kept, only the row stands here, with an empty body, and no words in the index.
ALTER TABLE message ADD COLUMN kept INTEGER NOT NULL DEFAULT 1;
ALTER TABLE message ADD COLUMN notice INTEGER;
ALTER TABLE message ADD COLUMN waits_private INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_unkept ON message (id) WHERE kept = 0;
CREATE INDEX message_waits_private ON message (conversation, ord) WHERE waits_private = 1;

-- The text of a message that is not kept, while it waits for a private conversation: nothing else has it.
CREATE TABLE private_waiting (
    message INTEGER NOT NULL PRIMARY KEY REFERENCES message ON DELETE CASCADE,
    body    TEXT    NOT NULL
) STRICT;

CREATE TABLE otr_key (
    account INTEGER NOT NULL PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    bytes   BLOB    NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE instance_tag (
    account INTEGER NOT NULL PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    tag     INTEGER NOT NULL
) STRICT;

-- `peer` is a bare address.
CREATE TABLE otr_state (
    account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    peer    TEXT    NOT NULL,
    bytes   BLOB    NOT NULL,
    PRIMARY KEY (account, peer)
) STRICT;

CREATE TABLE peer_key (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account      INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    jid          TEXT    NOT NULL,
    protocol     TEXT    NOT NULL,
    fingerprint  BLOB    NOT NULL,
    trust        INTEGER NOT NULL,
    first_seen   INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    verified_at  INTEGER,
    verified_how INTEGER,
    UNIQUE (account, jid, protocol, fingerprint)
) STRICT;
