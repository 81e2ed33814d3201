-- What people have reported to the admins. Cut: the newest of each reporter.
CREATE TABLE reports (
  position INTEGER PRIMARY KEY,
  reporter INTEGER NOT NULL,
  about    TEXT NOT NULL,            -- event, room or user
  room     INTEGER,
  event_id TEXT,
  user     INTEGER,                  -- who is reported, or who sent the event
  reason   TEXT,
  score    INTEGER,
  ts       INTEGER NOT NULL
) STRICT;
CREATE INDEX reports_by_reporter ON reports (reporter, position);

-- Tokens that other services show to find out who a user is. Cut: the expired go when the next one is issued.
CREATE TABLE openid_tokens (
  token_hash BLOB PRIMARY KEY,       -- SHA-256
  user       INTEGER NOT NULL,
  expires_ts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX openid_tokens_by_expiry ON openid_tokens (expires_ts);

-- Tokens that log another device in, once. Cut: as above.
CREATE TABLE login_tokens (
  token_hash BLOB PRIMARY KEY,
  user       INTEGER NOT NULL,
  expires_ts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX login_tokens_by_expiry ON login_tokens (expires_ts);

-- Who is found by name: one row for each user that this server has met.
CREATE TABLE user_directory (
  user         INTEGER PRIMARY KEY,
  display_name TEXT,
  avatar_url   TEXT
) STRICT;
CREATE INDEX user_directory_by_name ON user_directory (lower(display_name));
CREATE VIRTUAL TABLE user_directory_words USING fts5 (
  names, server, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);

-- Rooms that anyone may join or look into: their members are found by everyone.
CREATE TABLE open_rooms (room INTEGER PRIMARY KEY) STRICT;

-- Events that are sent later, unless something happens before. Cut: they go when they were sent or cancelled.
CREATE TABLE delayed_events (
  delay_id   TEXT PRIMARY KEY,
  user       INTEGER NOT NULL,
  room       INTEGER NOT NULL,
  type       TEXT NOT NULL,
  state_key  TEXT,                   -- NULL unless it will be a state event
  content    TEXT NOT NULL,          -- JSON
  delay_ms   INTEGER NOT NULL,
  running_ts INTEGER NOT NULL,       -- when the delay last began
  position   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX delayed_events_by_user ON delayed_events (user, position);

-- Events that stand out in sync for a while. Cut: the expired go when the next one comes.
CREATE TABLE sticky_events (
  event      INTEGER PRIMARY KEY,
  room       INTEGER NOT NULL,
  expires_ts INTEGER NOT NULL
) STRICT;
CREATE INDEX sticky_events_by_room ON sticky_events (room, event);
CREATE INDEX sticky_events_by_expiry ON sticky_events (expires_ts);
