import type { UserId } from '#schema/identifiers.ts'

/** What an account has decided about its cross-signing keys. Rows of the journal: add kinds, never change one. */

export type NewCrossSigningKey = Readonly<{
  /** Unpadded base64. */
  publicKey: string
  /** JSON as uploaded. */
  json: string
  /** Of all of it: what is uploaded again changes nothing. */
  digest: string
}>

export type CrossSigningKeysUploaded = Readonly<{
  kind: 'crossSigningKeysUploaded'
  userId: UserId
  /** A new master key makes void what the old one has signed, unless it comes along anew. */
  isNewMaster: boolean
  master?: NewCrossSigningKey
  selfSigning?: NewCrossSigningKey
  userSigning?: NewCrossSigningKey
}>

/** One signature that was verified: on a device of the signer, on their master key, or on someone else's. */
export type KeySignature = Readonly<{
  targetUser: UserId
  /** A device id or the public key of a master key. */
  target: string
  /** The signing key, such as `ed25519:DEVICE`. */
  keyId: string
  signature: string
}>

export type KeySignaturesUploaded = Readonly<{
  kind: 'keySignaturesUploaded'
  userId: UserId
  signatures: readonly KeySignature[]
}>

export type CrossSigningFact = CrossSigningKeysUploaded | KeySignaturesUploaded
