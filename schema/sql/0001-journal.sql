-- The journal is the truth; every other table can be rebuilt from it by its projector.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Text that many rows mention (rooms, users, event types, state keys, actors, fact kinds) lives once, under a number.
CREATE TABLE names (num INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE journal (
  position INTEGER PRIMARY KEY,
  actor    INTEGER NOT NULL,
  kind     INTEGER NOT NULL,
  cause    TEXT NOT NULL,
  fact     BLOB -- msgpack; empty where another table keeps the whole fact at the same position, NULL where `events` does
) STRICT;
-- What lies in `events` is found by that table's index: one page less to write per message. The rowid, which is the
-- position, ends every index by itself.
CREATE INDEX journal_by_actor ON journal (actor) WHERE fact IS NOT NULL;

CREATE TABLE snapshots (
  actor    INTEGER PRIMARY KEY,
  version  INTEGER NOT NULL,
  position INTEGER NOT NULL,
  frozen   BLOB NOT NULL
) STRICT;
