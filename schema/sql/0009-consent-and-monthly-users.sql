-- Which version of the terms an account has accepted, and when.
ALTER TABLE users ADD COLUMN consent_version TEXT;
ALTER TABLE users ADD COLUMN consent_ts INTEGER;

-- Who counts as active this month. Cut: whoever was not seen for thirty days goes when the next one is.
CREATE TABLE monthly_users (
  user    INTEGER PRIMARY KEY,
  seen_ts INTEGER NOT NULL
) STRICT;
CREATE INDEX monthly_users_by_time ON monthly_users (seen_ts);
