-- The index of messages, in a file of its own beside the database: it holds nothing that cannot be made again from
-- there, so one that is missing, damaged or of another version is made anew.

-- The text itself stays in `events`; the rowid is the event's number. `place` names the room, so that a search in few
-- rooms does not read what the others hold of a common word.
CREATE VIRTUAL TABLE search.words USING fts5(
  place, body, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 2"
);

-- Everything up to this position has been looked at.
CREATE TABLE search.progress (position INTEGER NOT NULL) STRICT;
INSERT INTO search.progress (position) VALUES (0);
