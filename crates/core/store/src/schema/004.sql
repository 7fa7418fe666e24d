-- Schema 4: what was erased, or never kept, does not come back. Times and enumerations as in schema 1.

-- Of the account's archive as a whole: what the archive got until then and is not here was erased here, or not
-- kept. It is dropped where the archive is not read on from `newest`.
ALTER TABLE archive_state ADD COLUMN erased_up_to INTEGER;
-- What was erased under an older schema is not known.
UPDATE archive_state SET erased_up_to = current_at WHERE peer = '';

-- When the person chose whether this conversation is kept, as JSON: [[time, choice], …]; absent: never.
ALTER TABLE conversation ADD COLUMN keep_choices TEXT;
-- When it was chosen under an older schema is not known.
UPDATE conversation SET keep_choices = CASE keep_history WHEN 0 THEN '[[0,false]]' ELSE '[[0,true]]' END
    WHERE keep_history IS NOT NULL;
INSERT INTO setting (key, json) SELECT 'store.keep_choices', '[[0,false]]' FROM setting WHERE key = 'store.not_kept';
