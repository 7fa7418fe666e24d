-- Schema 1. Times are milliseconds since 1970 (UTC). Enumerations: `code.rs`.

CREATE TABLE setting (
    key  TEXT NOT NULL PRIMARY KEY,
    json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A removed account stays as a row while its history does; adding the address again revives it.
CREATE TABLE account (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    network      TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    enabled      INTEGER NOT NULL,
    removed      INTEGER NOT NULL DEFAULT 0,
    settings     TEXT    NOT NULL,
    availability INTEGER NOT NULL DEFAULT 1,
    status_text  TEXT    NOT NULL DEFAULT '',
    agent_id     TEXT    NOT NULL,
    UNIQUE (network, address)
) STRICT;

CREATE TABLE credential (
    account   INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    purpose   TEXT    NOT NULL,
    secret    TEXT    NOT NULL,
    stored_at INTEGER NOT NULL,
    PRIMARY KEY (account, purpose)
) STRICT, WITHOUT ROWID;

CREATE TABLE cert_pin (
    account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    domain  TEXT    NOT NULL,
    spki    BLOB    NOT NULL CHECK (length(spki) = 32),
    at      INTEGER NOT NULL,
    PRIMARY KEY (account, domain, spki)
) STRICT, WITHOUT ROWID;

CREATE TABLE cert_seen (
    account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    domain  TEXT    NOT NULL,
    spki    BLOB    NOT NULL CHECK (length(spki) = 32),
    json    TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (account, domain)
) STRICT, WITHOUT ROWID;

CREATE TABLE mechanism_memory (
    account INTEGER NOT NULL PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    json    TEXT    NOT NULL
) STRICT;

CREATE TABLE sm_state (
    account INTEGER NOT NULL PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    json    TEXT    NOT NULL
) STRICT;

-- `peer` is empty for the account's archive as a whole, else a bare address.
CREATE TABLE archive_state (
    account  INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    peer     TEXT    NOT NULL,
    newest   TEXT,
    oldest   TEXT,
    complete INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, peer)
) STRICT, WITHOUT ROWID;

CREATE TABLE roster_meta (
    account INTEGER NOT NULL PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    version TEXT
) STRICT;

-- A person; their addresses are rows of `address`.
CREATE TABLE contact (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL
) STRICT;

CREATE TABLE address (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account      INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    contact      INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
    jid          TEXT    NOT NULL,
    subscription INTEGER NOT NULL,
    ask          INTEGER NOT NULL,
    UNIQUE (account, jid)
) STRICT;
CREATE INDEX address_contact ON address (contact);

CREATE TABLE contact_group (
    contact INTEGER NOT NULL REFERENCES contact ON DELETE CASCADE,
    name    TEXT    NOT NULL,
    PRIMARY KEY (contact, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE presence (
    account      INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    jid          TEXT    NOT NULL,
    resource     TEXT    NOT NULL,
    availability INTEGER NOT NULL,
    status       TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    caps         TEXT,
    at           INTEGER NOT NULL,
    PRIMARY KEY (account, jid, resource)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscription_request (
    account  INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    jid      TEXT    NOT NULL,
    nickname TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (account, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocked (
    account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    jid     TEXT    NOT NULL,
    PRIMARY KEY (account, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE avatar (
    hash    TEXT    NOT NULL PRIMARY KEY,
    mime    TEXT    NOT NULL,
    bytes   BLOB    NOT NULL
) STRICT;

-- Whose picture: the account's own address, a contact, or somebody who is not in the list.
CREATE TABLE avatar_of (
    account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    jid     TEXT    NOT NULL,
    hash    TEXT    NOT NULL,
    PRIMARY KEY (account, jid)
) STRICT, WITHOUT ROWID;
CREATE INDEX avatar_of_hash ON avatar_of (hash);

CREATE TABLE caps_cache (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    key  TEXT    NOT NULL UNIQUE,
    json TEXT    NOT NULL
) STRICT;

-- `head` and `tail` bound the places given so far and never go back, so that a place is not given twice.
CREATE TABLE conversation (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account      INTEGER NOT NULL REFERENCES account,
    jid          TEXT    NOT NULL,
    draft        TEXT    NOT NULL DEFAULT '',
    read_ord     INTEGER NOT NULL DEFAULT 0,
    unread       INTEGER NOT NULL DEFAULT 0,
    head         INTEGER NOT NULL DEFAULT 1,
    tail         INTEGER NOT NULL DEFAULT 0,
    last_message INTEGER,
    last_at      INTEGER,
    keep_history INTEGER,
    expire_days  INTEGER,
    UNIQUE (account, jid)
) STRICT;
CREATE INDEX conversation_last ON conversation (last_at);

CREATE TABLE message (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversation,
    ord          INTEGER NOT NULL,
    direction    INTEGER NOT NULL,
    kind         INTEGER NOT NULL,
    body         TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    received_at  INTEGER NOT NULL,
    delivery     INTEGER,
    failure      TEXT,
    privacy      INTEGER NOT NULL,
    origin_id    TEXT,
    message_id   TEXT,
    archive_id   TEXT,
    sender       TEXT    NOT NULL,
    edited       INTEGER NOT NULL DEFAULT 0,
    deleted      INTEGER NOT NULL DEFAULT 0,
    UNIQUE (conversation, ord)
) STRICT;
CREATE INDEX message_by_id ON message (conversation, message_id, ord) WHERE message_id IS NOT NULL;
CREATE INDEX message_by_origin ON message (conversation, origin_id, ord) WHERE origin_id IS NOT NULL;
CREATE UNIQUE INDEX message_by_archive ON message (conversation, archive_id) WHERE archive_id IS NOT NULL;

CREATE TABLE message_previous (
    message INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
    n       INTEGER NOT NULL,
    body    TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (message, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    account   INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    message   INTEGER REFERENCES message ON DELETE CASCADE,
    purpose   INTEGER NOT NULL,
    stanza_id TEXT    NOT NULL,
    xml       TEXT    NOT NULL,
    sequence  INTEGER,
    ambiguous INTEGER NOT NULL DEFAULT 0,
    attempts  INTEGER NOT NULL DEFAULT 0,
    created   INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_account ON outbox (account, id);
CREATE INDEX outbox_message ON outbox (message) WHERE message IS NOT NULL;

-- Words of each message as `words.rs` cuts them, with a mark for its conversation. Contentless: the
-- text stands in `message` only. No positions: a find is checked against the text itself.
CREATE VIRTUAL TABLE message_words USING fts5 (
    words, content = '', detail = none, columnsize = 0, tokenize = 'ascii', prefix = '2 3'
);
INSERT INTO message_words (message_words, rank) VALUES ('secure-delete', 1);
