import journal from '#schema/sql/0001-journal.sql' with { type: 'text' }
import rooms from '#schema/sql/0002-rooms.sql' with { type: 'text' }
import accounts from '#schema/sql/0003-accounts.sql' with { type: 'text' }
import encryption from '#schema/sql/0004-encryption.sql' with { type: 'text' }
import relations from '#schema/sql/0005-relations.sql' with { type: 'text' }
import push from '#schema/sql/0006-push.sql' with { type: 'text' }
import peopleAndCalls from '#schema/sql/0007-people-and-calls.sql' with { type: 'text' }
import slidingSync from '#schema/sql/0008-sliding-sync.sql' with { type: 'text' }
import consentAndMonthlyUsers from '#schema/sql/0009-consent-and-monthly-users.sql' with { type: 'text' }
import redactedOriginals from '#schema/sql/0010-redacted-originals.sql' with { type: 'text' }
import expiredEvents from '#schema/sql/0011-expired-events.sql' with { type: 'text' }
import toDeviceSenders from '#schema/sql/0012-to-device-senders.sql' with { type: 'text' }
import selfDestruct from '#schema/sql/0013-self-destruct.sql' with { type: 'text' }
import profileChanges from '#schema/sql/0014-profile-changes.sql' with { type: 'text' }

/** Forward only; the place in the list is the schema version. A released one is never edited. */
export const migrations: readonly string[] = [
  journal, rooms, accounts, encryption, relations, push, peopleAndCalls, slidingSync, consentAndMonthlyUsers,
  redactedOriginals, expiredEvents, toDeviceSenders, selfDestruct, profileChanges,
]
