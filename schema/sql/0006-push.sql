-- What users have chosen about their push rules. Cut: one per account, gone when it is deactivated.
CREATE TABLE push_rules (
  user     INTEGER PRIMARY KEY,
  choices  TEXT NOT NULL,            -- JSON
  position INTEGER NOT NULL
) STRICT;

-- Unread counts are differences (D26): an event moves one counter for each class of equal rules, and a reader's count
-- is how far the counter of their class has moved since they read, and what is personal to them.

-- Users of this server who are in a room. Cut: goes with the membership.
CREATE TABLE unread_readers (
  room   INTEGER NOT NULL,
  user   INTEGER NOT NULL,
  class  INTEGER NOT NULL,           -- name of the key of their rules in this room; 0: not worked out yet
  since  INTEGER NOT NULL,           -- the class counts for events behind this position
  joined INTEGER NOT NULL,
  read   INTEGER NOT NULL,           -- everything up to here is read, in all threads
  main   INTEGER NOT NULL,           -- and up to here in the main timeline
  PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

-- How far threads are read, where that is further than `read`. Cut: when `read` passes them.
CREATE TABLE unread_marks (
  room     INTEGER NOT NULL,
  user     INTEGER NOT NULL,
  thread   INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (room, user, thread)
) STRICT, WITHOUT ROWID;

-- Classes that readers have left since they read. Cut: when `read` passes them, and the oldest of too many.
CREATE TABLE unread_segments (
  room  INTEGER NOT NULL,
  user  INTEGER NOT NULL,
  since INTEGER NOT NULL,            -- the class counts for events behind this position
  until INTEGER NOT NULL,            -- up to and including this one
  class INTEGER NOT NULL,
  PRIMARY KEY (room, user, since)
) STRICT, WITHOUT ROWID;

-- One per room, thread and class. Cut: goes with the events of its room.
CREATE TABLE unread_counters (
  counter  INTEGER PRIMARY KEY,
  room     INTEGER NOT NULL,
  thread   INTEGER NOT NULL,         -- name of the root's id; 0 for the main timeline
  class    INTEGER NOT NULL,
  position INTEGER NOT NULL          -- of its latest step; kept for threads only
) STRICT;
CREATE UNIQUE INDEX unread_counters_by_thread ON unread_counters (room, thread, class);
CREATE INDEX unread_counters_by_position ON unread_counters (room, class, position) WHERE thread > 0;

-- Where counters moved, and what they stood at then. Cut: goes with the events of its room.
CREATE TABLE unread_steps (
  counter   INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  notify    INTEGER NOT NULL,
  highlight INTEGER NOT NULL,
  PRIMARY KEY (counter, position)
) STRICT, WITHOUT ROWID;

-- Steps that count no more because their event was redacted. Cut: goes with the step.
CREATE TABLE unread_redacted (
  counter   INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  highlight INTEGER NOT NULL,        -- 1 if the step was one
  PRIMARY KEY (counter, position)
) STRICT, WITHOUT ROWID;

-- What an event was to one reader, less what it was to their class. Cut: when they have read it.
CREATE TABLE unread_personal (
  room      INTEGER NOT NULL,
  user      INTEGER NOT NULL,
  thread    INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  notify    INTEGER NOT NULL,
  highlight INTEGER NOT NULL,
  PRIMARY KEY (room, user, thread, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX unread_personal_by_position ON unread_personal (room, position);

-- Steps that highlight, so that the list of notifications finds them. Cut: goes with the step.
CREATE TABLE class_highlights (
  room     INTEGER NOT NULL,
  class    INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (room, class, position)
) STRICT, WITHOUT ROWID;

-- Notifications that were personal to one user, read or not. Cut: the newest of each user.
CREATE TABLE notifications (
  user         INTEGER NOT NULL,
  position     INTEGER NOT NULL,
  room         INTEGER NOT NULL,
  is_highlight INTEGER NOT NULL,
  PRIMARY KEY (user, position)
) STRICT, WITHOUT ROWID;

-- Where notifications are sent. Cut: go with their device; the newest of each user.
CREATE TABLE pushers (
  app_id              TEXT NOT NULL,
  pushkey             TEXT NOT NULL,
  user                INTEGER NOT NULL,
  device              INTEGER,
  kind                TEXT NOT NULL,
  app_display_name    TEXT NOT NULL,
  device_display_name TEXT NOT NULL,
  profile_tag         TEXT,
  lang                TEXT NOT NULL,
  data                TEXT NOT NULL, -- JSON
  is_enabled          INTEGER NOT NULL,
  ts                  INTEGER NOT NULL,
  position            INTEGER NOT NULL,
  PRIMARY KEY (app_id, pushkey, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX pushers_by_user ON pushers (user, position);

INSERT INTO unread_readers (room, user, class, since, joined, read, main)
  SELECT m.room, m.user, 0, m.position, m.position, m.position, m.position
    FROM memberships m JOIN users u ON u.user = m.user WHERE m.membership = 'join';
