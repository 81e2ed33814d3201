-- How one event relates to another: a row per event with a `rel_type`, gone when that event is redacted.
-- Cut: goes with its events.
CREATE TABLE relations (
  child    INTEGER PRIMARY KEY,
  parent   INTEGER NOT NULL,
  rel_type INTEGER NOT NULL,
  sender   INTEGER NOT NULL,
  type     INTEGER NOT NULL,
  depth    INTEGER NOT NULL,     -- the child's, for pages in the order of the graph
  key      TEXT,                 -- what an annotation says
  thread   INTEGER               -- root of the thread that the child is in, by its own relation or by its parent's
) STRICT;
CREATE INDEX relations_by_parent ON relations (parent, depth);
CREATE INDEX relations_by_sender ON relations (parent, rel_type, sender);
CREATE INDEX relations_by_thread ON relations (thread, depth) WHERE thread IS NOT NULL;

-- Children whose parent is not here; each goes when that arrives.
-- Cut: goes with its events.
CREATE TABLE orphans (
  parent ANY NOT NULL,           -- as `events.event_id`
  child  INTEGER NOT NULL,
  PRIMARY KEY (parent, child)
) STRICT, WITHOUT ROWID;

-- What the relations of each thread's root add up to.
-- Cut: goes with the relations.
CREATE TABLE threads (
  root   INTEGER PRIMARY KEY,
  room   INTEGER NOT NULL,
  count  INTEGER NOT NULL,
  depth  INTEGER NOT NULL,       -- of the latest event
  latest INTEGER NOT NULL
) STRICT;
CREATE INDEX threads_by_room ON threads (room, depth, latest);

-- For jumping to a date.
CREATE INDEX events_by_ts ON events (room, ts);
