-- Schema 3: history under the person's control. Times and enumerations as in schema 1.

-- By the time of day at which messages were written: days, and what is too old.
CREATE INDEX message_by_time ON message (conversation, at, kind, kept);
CREATE INDEX message_at ON message (at, kind, kept);

-- Names a message of another program's history, so that it does not come twice.
ALTER TABLE message ADD COLUMN imported TEXT;
CREATE UNIQUE INDEX message_by_import ON message (imported) WHERE imported IS NOT NULL;

-- Of a stanza that is not kept, only the row stands here, with an empty `xml`.
ALTER TABLE outbox ADD COLUMN kept INTEGER NOT NULL DEFAULT 1;

-- When `newest` was last the end of the archive, for all that had been sent.
ALTER TABLE archive_state ADD COLUMN current_at INTEGER;
-- What is older was erased: it is not to be had from the archive again.
ALTER TABLE archive_state ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;

-- Stanza or archive ids of erased messages that the archive may still tell of, as something missed.
CREATE TABLE archive_erased (
    account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    id      TEXT    NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

-- `account` is absent for a call of another program, on a network that is not supported.
-- `peer` is a bare address; `participants` a list of addresses, as JSON.
CREATE TABLE call (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account      INTEGER REFERENCES account ON DELETE CASCADE,
    peer         TEXT    NOT NULL,
    direction    INTEGER NOT NULL,
    outcome      INTEGER NOT NULL,
    started_at   INTEGER NOT NULL,
    ended_at     INTEGER NOT NULL,
    end_reason   TEXT    NOT NULL,
    participants TEXT    NOT NULL,
    imported     TEXT
) STRICT;
CREATE INDEX call_started ON call (started_at);
CREATE INDEX call_peer ON call (account, peer, started_at);
CREATE UNIQUE INDEX call_by_import ON call (imported) WHERE imported IS NOT NULL;
