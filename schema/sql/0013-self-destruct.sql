-- Messages that end at a time that their sender has set (MSC2228).
-- Cut: the row goes when the message has ended, and with its event.
CREATE TABLE self_destructs (
  event      INTEGER PRIMARY KEY,
  room       INTEGER NOT NULL,
  expires_ts INTEGER NOT NULL
) STRICT;
CREATE INDEX self_destructs_by_time ON self_destructs (expires_ts);
