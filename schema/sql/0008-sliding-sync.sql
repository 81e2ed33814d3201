-- What each connection has been sent. Cut: a device has a limited number of them, those that are not used go after a
-- week, and all go with the device.
CREATE TABLE sliding_connections (
  user            INTEGER NOT NULL,
  device          INTEGER NOT NULL,
  conn_id         TEXT NOT NULL,
  start           TEXT NOT NULL,
  version         INTEGER NOT NULL, -- the client has shown to have this one
  base            BLOB NOT NULL,    -- msgpack
  pending_version INTEGER NOT NULL, -- the newest, which may not have arrived
  pending         BLOB NOT NULL,    -- msgpack: what it changed
  used_ts         INTEGER NOT NULL,
  PRIMARY KEY (user, device, conn_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sliding_connections_by_use ON sliding_connections (used_ts);

-- The newest word on each thread. Cut: an account has a limited number of them.
CREATE TABLE thread_subscriptions (
  user          INTEGER NOT NULL,
  room          INTEGER NOT NULL,
  root          TEXT NOT NULL,
  is_subscribed INTEGER NOT NULL,
  is_automatic  INTEGER NOT NULL,
  position      INTEGER NOT NULL,
  PRIMARY KEY (user, room, root)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_subscriptions_by_position ON thread_subscriptions (user, position);
