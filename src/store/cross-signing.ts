import type { JsonObject } from '#schema/pdu.ts'
import type { UserId } from '#schema/identifiers.ts'
import type {
  CrossSigningKeysUploaded,
  KeySignaturesUploaded,
  NewCrossSigningKey,
} from '#schema/journal/cross-signing.ts'
import { projectDeviceListChange } from './device-lists.ts'
import { deleteSignaturesBy, deleteSignaturesOn, insertSignature } from './key-signatures.ts'
import type { Project } from './projectors.ts'
import type { Store } from './store.ts'

export type UsageName = 'master' | 'self_signing' | 'user_signing'

export const projectCrossSigningKeysUploaded: Project<CrossSigningKeysUploaded> = (store, fact, position) => {
  const { userId, isNewMaster, master, selfSigning, userSigning } = fact
  if (isNewMaster)
    for (const usage of ['master', 'self_signing', 'user_signing'] as const)
      replaceKey(store, userId, usage, undefined)
  if (master) replaceKey(store, userId, 'master', master)
  if (selfSigning) replaceKey(store, userId, 'self_signing', selfSigning)
  if (userSigning) replaceKey(store, userId, 'user_signing', userSigning)
  if (master || selfSigning) projectDeviceListChange(store, userId, position)
  else projectDeviceListChange(store, userId, position, userId)
}

/** The signatures by a key that goes, and those on it, go with it. */
function replaceKey(store: Store, userId: UserId, usage: UsageName, key: NewCrossSigningKey | undefined): void {
  const user = store.names.numberOf(userId)
  const before = store.db
    .query<{ public_key: string }, [number, string]>(
      'SELECT public_key FROM cross_signing_keys WHERE user = ? AND usage = ?',
    )
    .get(user, usage)?.public_key
  if (before !== undefined && before !== key?.publicKey) {
    deleteSignaturesBy(store, userId, before)
    deleteSignaturesOn(store, userId, before)
  }
  if (!key)
    return void store.db.query('DELETE FROM cross_signing_keys WHERE user = ? AND usage = ?').run(user, usage)
  store.db
    .query('INSERT OR REPLACE INTO cross_signing_keys (user, usage, public_key, json) VALUES (?, ?, ?, ?)')
    .run(user, usage, key.publicKey, key.json)
}

/** Everyone sees what users say of their own keys; what they say of others only they themselves. */
export const projectKeySignaturesUploaded: Project<KeySignaturesUploaded> = (
  store,
  { userId, signatures },
  position,
) => {
  for (const signature of signatures) insertSignature(store, userId, signature)
  for (const target of new Set(signatures.map(({ targetUser }) => targetUser))) {
    if (target === userId) projectDeviceListChange(store, userId, position)
    else projectDeviceListChange(store, target, position, userId)
  }
}

/** All cross-signing keys and signatures of an account that is no more. */
export function deleteCrossSigningOf({ db, names }: Store, userId: UserId): void {
  const user = names.numberOf(userId)
  db.query('DELETE FROM cross_signing_keys WHERE user = ?').run(user)
  db.query('DELETE FROM key_signatures WHERE target_user = ?1 OR signer = ?1').run(user)
}

export type CrossSigningKeys = Readonly<
  Partial<Record<UsageName, Readonly<{ publicKey: string; object: JsonObject }>>>
>

/** The cross-signing keys of a local user, as uploaded. */
export function findCrossSigningKeys({ db, names }: Store, userId: UserId): CrossSigningKeys {
  const rows = db
    .query<{ usage: UsageName; publicKey: string; json: string }, [number]>(
      'SELECT usage, public_key AS publicKey, json FROM cross_signing_keys WHERE user = ?',
    )
    .all(names.find(userId) ?? -1)
  return Object.fromEntries(
    rows.map(({ usage, publicKey, json }) => [usage, { publicKey, object: JSON.parse(json) as JsonObject }]),
  )
}
