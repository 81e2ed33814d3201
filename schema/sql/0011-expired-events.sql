-- Messages that were kept for long enough: nobody reads them, and what they said is gone; what the room's graph needs of
-- them stays. Cut: goes with its room.
CREATE TABLE expired_events (
  num           INTEGER PRIMARY KEY, -- as in `events`, from where the row was taken
  room          INTEGER NOT NULL,
  event_id      ANY NOT NULL,
  type          INTEGER NOT NULL,
  sender        INTEGER NOT NULL,
  depth         INTEGER NOT NULL,
  ts            INTEGER NOT NULL,
  content_start INTEGER NOT NULL,
  content_end   INTEGER NOT NULL,
  json          TEXT NOT NULL,       -- redacted
  expired       INTEGER NOT NULL     -- position at which it expired
) STRICT;
CREATE UNIQUE INDEX expired_events_by_id ON expired_events (event_id);
CREATE INDEX expired_events_by_room ON expired_events (room, num);
CREATE INDEX expired_events_by_position ON expired_events (expired);
