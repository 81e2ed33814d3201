-- Identity keys of the devices of this server.
CREATE TABLE device_keys (
  user    INTEGER NOT NULL,
  device  INTEGER NOT NULL,
  json    TEXT NOT NULL,
  ed25519 TEXT,                      -- NULL: the device has not signed its keys
  PRIMARY KEY (user, device)
) STRICT, WITHOUT ROWID;

-- Cut: the newest handed-out keys of a device stay so that the answer can be read; the device goes with all of them.
CREATE TABLE one_time_keys (
  user      INTEGER NOT NULL,
  device    INTEGER NOT NULL,
  algorithm TEXT NOT NULL,
  key_id    TEXT NOT NULL,
  json      TEXT NOT NULL,
  claimed   INTEGER,                 -- position at which it was handed out
  PRIMARY KEY (user, device, algorithm, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE fallback_keys (
  user      INTEGER NOT NULL,
  device    INTEGER NOT NULL,
  algorithm TEXT NOT NULL,
  key_id    TEXT NOT NULL,
  json      TEXT NOT NULL,
  is_used   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user, device, algorithm)
) STRICT, WITHOUT ROWID;

-- What every sync answer says about its device, ready to be sent.
CREATE TABLE device_inboxes (
  user                    INTEGER NOT NULL,
  device                  INTEGER NOT NULL,
  one_time_key_counts     TEXT NOT NULL,    -- JSON: also zero, of every algorithm that the device ever had
  unused_fallback_types   TEXT NOT NULL,    -- JSON
  oldest_message          INTEGER,          -- position of the oldest message that waits
  seen                    INTEGER NOT NULL, -- the device has acknowledged everything up to this position
  PRIMARY KEY (user, device)
) STRICT, WITHOUT ROWID;

-- Cut: acknowledged messages go, and so do the oldest of too many and those that nobody fetches.
CREATE TABLE to_device (
  position   INTEGER PRIMARY KEY,
  user       INTEGER NOT NULL,
  device     INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  ts         INTEGER NOT NULL,
  json       TEXT NOT NULL
) STRICT;
CREATE INDEX to_device_by_device ON to_device (user, device, position);

-- Whose devices or cross-signing keys changed when. Cut: the newest of each user.
CREATE TABLE device_list_changes (
  position INTEGER NOT NULL,
  user     INTEGER NOT NULL,
  observer INTEGER NOT NULL,         -- 0: everyone who shares a room with the user
  PRIMARY KEY (position, user, observer)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_list_changes_by_user ON device_list_changes (user, position);

CREATE TABLE cross_signing_keys (
  user       INTEGER NOT NULL,
  usage      TEXT NOT NULL,          -- master, self_signing or user_signing
  public_key TEXT NOT NULL,
  json       TEXT NOT NULL,
  PRIMARY KEY (user, usage)
) STRICT, WITHOUT ROWID;

-- Signatures that came after the key. Cut: they go with the key that they are on and with the one they are by.
CREATE TABLE key_signatures (
  target_user INTEGER NOT NULL,
  target      TEXT NOT NULL,         -- a device id or the public key of a master key
  signer      INTEGER NOT NULL,
  key_id      TEXT NOT NULL,
  signature   TEXT NOT NULL,
  PRIMARY KEY (target_user, target, signer, key_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_signatures_by_signer ON key_signatures (signer, key_id);

CREATE TABLE key_backups (
  user      INTEGER NOT NULL,
  version   INTEGER NOT NULL,
  algorithm TEXT NOT NULL,
  auth_data TEXT NOT NULL,           -- JSON
  etag      INTEGER NOT NULL DEFAULT 0,
  count     INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user, version)
) STRICT, WITHOUT ROWID;

-- Cut: with their backup, of which an account has a limited number with a limited number of keys.
CREATE TABLE backed_up_keys (
  user                INTEGER NOT NULL,
  version             INTEGER NOT NULL,
  room                INTEGER NOT NULL,
  session_id          TEXT NOT NULL,
  is_verified         INTEGER NOT NULL,
  first_message_index INTEGER NOT NULL,
  forwarded_count     INTEGER NOT NULL,
  json                TEXT NOT NULL,
  position            INTEGER NOT NULL,
  PRIMARY KEY (user, version, room, session_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX backed_up_keys_by_position ON backed_up_keys (position);

CREATE TABLE dehydrated_devices (
  user        INTEGER PRIMARY KEY,
  device      INTEGER NOT NULL,
  device_data TEXT NOT NULL          -- JSON
) STRICT;

-- What must never happen, counted where it would.
CREATE TABLE broken_invariants (
  name     TEXT PRIMARY KEY,
  count    INTEGER NOT NULL,
  position INTEGER NOT NULL          -- of the newest case
) STRICT, WITHOUT ROWID;
