CREATE TABLE users (
  user           INTEGER PRIMARY KEY,
  password_hash  TEXT,               -- NULL: no login by password
  is_admin       INTEGER NOT NULL DEFAULT 0,
  is_guest       INTEGER NOT NULL DEFAULT 0,
  is_deactivated INTEGER NOT NULL DEFAULT 0,
  is_erased      INTEGER NOT NULL DEFAULT 0,
  is_locked      INTEGER NOT NULL DEFAULT 0,
  is_suspended   INTEGER NOT NULL DEFAULT 0,
  created_ts     INTEGER NOT NULL
) STRICT;

CREATE TABLE devices (
  user                 INTEGER NOT NULL,
  device               INTEGER NOT NULL,   -- the name of its id; ids are unique per user only
  display_name         TEXT,
  created_ts           INTEGER NOT NULL,
  last_seen_ts         INTEGER,
  last_seen_ip         TEXT,
  last_seen_user_agent TEXT,
  PRIMARY KEY (user, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE access_tokens (
  token_hash   BLOB PRIMARY KEY,     -- SHA-256: a stolen database opens no session
  user         INTEGER NOT NULL,
  device       INTEGER NOT NULL,
  expires_ts   INTEGER,              -- NULL: never
  is_confirmed INTEGER NOT NULL      -- 0: given out by a refresh and not used yet, so the tokens before it still count
) STRICT, WITHOUT ROWID;
CREATE INDEX access_tokens_by_device ON access_tokens (user, device);

CREATE TABLE refresh_tokens (
  token_hash BLOB PRIMARY KEY,
  user       INTEGER NOT NULL,
  device     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_device ON refresh_tokens (user, device);

CREATE TABLE profiles (
  user     INTEGER NOT NULL,
  field    TEXT NOT NULL,
  value    TEXT NOT NULL,            -- JSON
  position INTEGER NOT NULL,
  PRIMARY KEY (user, field)
) STRICT, WITHOUT ROWID;

-- The newest content of each type; room 0 is the account's own.
CREATE TABLE account_data (
  user     INTEGER NOT NULL,
  room     INTEGER NOT NULL,
  type     TEXT NOT NULL,
  content  TEXT NOT NULL,            -- JSON; 'null' marks what was deleted
  position INTEGER NOT NULL,
  PRIMARY KEY (user, room, type)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_data_by_position ON account_data (user, position);

CREATE TABLE filters (
  user      INTEGER NOT NULL,
  filter_id TEXT NOT NULL,
  filter    TEXT NOT NULL,           -- JSON
  PRIMARY KEY (user, filter_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
  alias   INTEGER PRIMARY KEY,
  room    INTEGER NOT NULL,
  creator INTEGER NOT NULL
) STRICT;
CREATE INDEX aliases_by_room ON aliases (room);

CREATE TABLE registration_tokens (
  token        TEXT PRIMARY KEY,
  uses_allowed INTEGER,              -- NULL: any number
  completed    INTEGER NOT NULL DEFAULT 0,
  expires_ts   INTEGER               -- NULL: never
) STRICT, WITHOUT ROWID;
