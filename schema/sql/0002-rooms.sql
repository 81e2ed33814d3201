-- One row per event that this server keeps. `num` is the journal position at which it was first written.
CREATE TABLE events (
  num           INTEGER PRIMARY KEY,
  room          INTEGER NOT NULL,
  event_id      ANY NOT NULL,      -- the 32 bytes of the reference hash, or the text of a version 1 to 3 id
  type          INTEGER NOT NULL,
  state_key     INTEGER,           -- NULL unless it is a state event
  sender        INTEGER NOT NULL,
  depth         INTEGER NOT NULL,
  ts            INTEGER NOT NULL,
  position      INTEGER,           -- place in the sync stream; NULL for what clients never saw arrive
  content_start INTEGER NOT NULL,  -- where `content` stands in `json`, in UTF-16 units
  content_end   INTEGER NOT NULL,
  redacted_by   INTEGER,           -- num of the redaction that took effect; 0: it destructed itself
  device        INTEGER,           -- who sent it from here, for `unsigned.transaction_id`
  txn_id        TEXT,
  json          TEXT NOT NULL      -- canonical JSON of the PDU without what the columns hold; see src/store/stored-pdu.ts
) STRICT;
CREATE UNIQUE INDEX events_by_id ON events (event_id);
CREATE INDEX events_by_position ON events (room, position);
CREATE INDEX events_by_depth ON events (room, depth); -- and then by num, which is the rowid
CREATE INDEX events_by_transaction ON events (device, txn_id) WHERE device IS NOT NULL;

CREATE TABLE rooms (
  room            INTEGER PRIMARY KEY,
  version         TEXT NOT NULL,
  create_event    INTEGER NOT NULL,
  joined          INTEGER NOT NULL DEFAULT 0,
  invited         INTEGER NOT NULL DEFAULT 0,
  is_published    INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The public directory, in its order.
CREATE INDEX rooms_published ON rooms (joined DESC, room) WHERE is_published = 1;

-- The state that the forward extremities resolve to.
CREATE TABLE room_state (
  room      INTEGER NOT NULL,
  type      INTEGER NOT NULL,
  state_key INTEGER NOT NULL,
  event     INTEGER NOT NULL,
  PRIMARY KEY (room, type, state_key)
) STRICT, WITHOUT ROWID;

-- Every change of that state, in order: the state at any position is the newest change of each key before it.
CREATE TABLE state_changes (
  room      INTEGER NOT NULL,
  type      INTEGER NOT NULL,
  state_key INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  event     INTEGER,            -- NULL: the key left the state
  replaces  INTEGER,
  PRIMARY KEY (room, type, state_key, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX state_changes_by_position ON state_changes (room, position);

CREATE TABLE memberships (
  user         INTEGER NOT NULL,
  room         INTEGER NOT NULL,
  membership   TEXT NOT NULL,
  event        INTEGER NOT NULL,
  position     INTEGER NOT NULL,
  is_forgotten INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user, room)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_room ON memberships (room, membership, user);
CREATE INDEX memberships_by_position ON memberships (user, position);

CREATE TABLE receipts (
  room     INTEGER NOT NULL,
  user     INTEGER NOT NULL,
  type     TEXT NOT NULL,
  thread   TEXT NOT NULL,       -- '' for the unthreaded receipt
  event    INTEGER NOT NULL,
  ts       INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (room, user, type, thread)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_by_position ON receipts (room, position);
