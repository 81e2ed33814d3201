import type {
  RegistrationTokenDeleted, RegistrationTokenSet, RegistrationTokenSpent,
} from '#schema/journal/registration.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

/** `usesAllowed` null: any number; `expiresTs` null: never. */
export type RegistrationTokenRow = Readonly<{
  token: string
  usesAllowed: number | null
  completed: number
  expiresTs: number | null
}>

export const projectRegistrationTokenSet: Project<RegistrationTokenSet> = ({ db }, { token, usesAllowed, expiresTs }) => {
  db.query(`
    INSERT INTO registration_tokens (token, uses_allowed, expires_ts) VALUES (?1, ?2, ?3)
    ON CONFLICT (token) DO UPDATE SET uses_allowed = ?2, expires_ts = ?3
  `).run(token, usesAllowed, expiresTs)
}

export const projectRegistrationTokenDeleted: Project<RegistrationTokenDeleted> = ({ db }, { token }) => {
  db.query('DELETE FROM registration_tokens WHERE token = ?').run(token)
}

export const projectRegistrationTokenSpent: Project<RegistrationTokenSpent> = ({ db }, { token }) => {
  db.query('UPDATE registration_tokens SET completed = completed + 1 WHERE token = ?').run(token)
}

const COLUMNS = 'token, uses_allowed AS usesAllowed, completed, expires_ts AS expiresTs'

export const findRegistrationToken = ({ db }: Store, token: string): RegistrationTokenRow | undefined =>
  db
    .query<RegistrationTokenRow, [string]>(`SELECT ${COLUMNS} FROM registration_tokens WHERE token = ?`)
    .get(token) ?? undefined

export const listRegistrationTokens = ({ db }: Store): RegistrationTokenRow[] =>
  db.query<RegistrationTokenRow, []>(`SELECT ${COLUMNS} FROM registration_tokens ORDER BY token`).all()

/** Whether someone could sign up with it now. */
export const isUsable = ({ usesAllowed, completed, expiresTs }: RegistrationTokenRow, now: number): boolean =>
  (usesAllowed === null || completed < usesAllowed) && (expiresTs === null || expiresTs > now)
