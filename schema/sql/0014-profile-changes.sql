CREATE INDEX profiles_by_position ON profiles (position);

-- Fields that their users have taken off their profiles, so that clients can be told. Cut: the newest of a user, and a
-- field that is set again goes.
CREATE TABLE removed_profile_fields (
  user     INTEGER NOT NULL,
  field    TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (user, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX removed_profile_fields_by_position ON removed_profile_fields (position);
