import type { UserId } from '#schema/identifiers.ts'
import type { KeySignature } from '#schema/journal/cross-signing.ts'
import type { Store } from './store.ts'

/** Table `key_signatures`: signatures that were uploaded apart from the keys that they are on. */

export function insertSignature(
  { db, names }: Store,
  signer: UserId,
  { targetUser, target, keyId, signature }: KeySignature,
): void {
  db.query(
    'INSERT OR REPLACE INTO key_signatures (target_user, target, signer, key_id, signature) VALUES (?, ?, ?, ?, ?)',
  ).run(names.numberOf(targetUser), target, names.numberOf(signer), keyId, signature)
}

/** What others have said about a key that is no more. */
export function deleteSignaturesOn({ db, names }: Store, targetUser: UserId, target: string): void {
  db.query('DELETE FROM key_signatures WHERE target_user = ? AND target = ?').run(
    names.numberOf(targetUser),
    target,
  )
}

/** What a key has signed that is no more. */
export function deleteSignaturesBy({ db, names }: Store, signer: UserId, publicKey: string): void {
  db.query('DELETE FROM key_signatures WHERE signer = ? AND key_id = ?').run(
    names.numberOf(signer),
    `ed25519:${publicKey}`,
  )
}

export type SignatureRow = Readonly<{ target: string; signer: UserId; keyId: string; signature: string }>

/** Signatures on the keys of a user that `reader` may see: the user's own and the reader's. */
export function listSignaturesOn({ db, names }: Store, targetUser: UserId, reader: UserId): SignatureRow[] {
  const user = names.find(targetUser)
  if (user === undefined) return []
  return db
    .query<SignatureRow, [number, number]>(
      `
      SELECT target, n.name AS signer, key_id AS keyId, signature FROM key_signatures JOIN names n ON n.num = signer
       WHERE target_user = ?1 AND signer IN (?1, ?2)`,
    )
    .all(user, names.find(reader) ?? -1)
}
