import type { Batch } from '#actors/kernel/journal.ts'
import { findSession, type Session } from './access-tokens.ts'
import type { Store } from './store.ts'

/** Sessions kept at hand; past this all are looked up anew. */
const CACHED_SESSIONS = 20_000

/** What accounts and devices decide all day and no session depends on. A kind that is missing here costs a look-up more. */
const HARMLESS: ReadonlySet<string> = new Set([
  'accountDataDeleted', 'accountDataSet', 'connectionMoved', 'deviceKeysDoubted', 'deviceKeysUploaded', 'deviceOriginForgotten', 'deviceSeen',
  'fallbackKeyUsed', 'fallbackKeysUploaded', 'filterDefined', 'monthlyUseNoticed', 'oneTimeKeyClaimed', 'oneTimeKeysDropped',
  'oneTimeKeysUploaded', 'profileFieldSet', 'pushRulesChanged', 'roomKeysCounted', 'roomKeysStored', 'termsAccepted', 'toDeviceCrowdedOut',
  'toDeviceDropped', 'toDeviceQueued', 'toDeviceSeen', 'userRegistered',
])

export type SessionCache = Readonly<{
  find: (token: string) => Session | undefined
  /** To be told of every batch once it is on disk: what accounts and devices decide may end or change a session. */
  committed: (batch: Batch) => void
}>

/** Every request names a session, and hardly any changes one. */
export function sessionCache(store: Store): SessionCache {
  const sessions = new Map<string, Session>()
  return {
    find(token) {
      const known = sessions.get(token)
      if (known) return known
      const session = findSession(store, token)
      if (!session) return undefined
      if (sessions.size >= CACHED_SESSIONS) sessions.clear()
      sessions.set(token, session)
      return session
    },
    committed({ rows }) {
      const mayMatter = rows.some(({ actor, fact }) =>
        (actor.startsWith('device/') || actor.startsWith('user/')) && !HARMLESS.has(fact.kind))
      if (mayMatter) sessions.clear()
    },
  }
}
