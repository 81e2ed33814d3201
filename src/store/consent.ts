import type { UserId } from '#schema/identifiers.ts'
import type { TermsAccepted } from '#schema/journal/user.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

export const projectTermsAccepted: Project<TermsAccepted> = ({ db, names }, { userId, version, ts }) => {
  db.query('UPDATE users SET consent_version = ?, consent_ts = ? WHERE user = ?').run(version, ts, names.numberOf(userId))
}

/** The version of the terms that a user of this server has accepted; null: none so far. */
export function findAcceptedTerms({ db, names }: Store, userId: UserId): string | null {
  const row = db
    .query<{ version: string | null }, [number]>('SELECT consent_version AS version FROM users WHERE user = ?')
    .get(names.find(userId) ?? -1)
  return row?.version ?? null
}
