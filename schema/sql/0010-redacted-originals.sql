-- What redacted events said, aside from all that clients read, for those who look after a room.
-- Cut: redaction_retention_period after the redaction.
CREATE TABLE redacted_originals (
  event         INTEGER PRIMARY KEY,
  room          INTEGER NOT NULL,
  redacted_ts   INTEGER NOT NULL,
  content_start INTEGER NOT NULL,
  content_end   INTEGER NOT NULL,
  json          TEXT NOT NULL
) STRICT;
CREATE INDEX redacted_originals_by_time ON redacted_originals (redacted_ts, room);
