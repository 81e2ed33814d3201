import type { DeviceId, UserId } from '#schema/identifiers.ts'

/** What a device has decided about its encryption keys. Rows of the journal: add kinds, never change one. */

/** The identity keys of the device; if `ed25519` is not the one before, its one-time and fallback keys are void. */
export type DeviceKeysUploaded = Readonly<{
  kind: 'deviceKeysUploaded'
  userId: UserId
  deviceId: DeviceId
  /** JSON as uploaded, without `unsigned`. */
  json: string
  /** Of all of it: what is uploaded again changes nothing. */
  digest: string
  /** The device's own key, with which it has signed all this; null when it has signed nothing. */
  ed25519: string | null
}>

/** `digest` names the key material: the same key is never handed out twice. */
export type PublishedKey = Readonly<{ algorithm: string; keyId: string; digest: string; json: string }>

/** In the order in which they will be handed out. */
export type OneTimeKeysUploaded = Readonly<{
  kind: 'oneTimeKeysUploaded'
  userId: UserId
  deviceId: DeviceId
  keys: readonly PublishedKey[]
}>

/** Handed out to someone, for ever. */
export type OneTimeKeyClaimed = Readonly<{
  kind: 'oneTimeKeyClaimed'
  userId: UserId
  deviceId: DeviceId
  algorithm: string
  keyId: string
}>

/** The device starts over with its one-time keys: those that were there are handed out no more. */
export type OneTimeKeysDropped = Readonly<{ kind: 'oneTimeKeysDropped'; userId: UserId; deviceId: DeviceId }>

/** A backup was put back: others may know newer keys of this device, or of its user, than there are here. */
export type DeviceKeysDoubted = Readonly<{ kind: 'deviceKeysDoubted'; userId: UserId; deviceId: DeviceId }>

/** One per algorithm; each takes the place of the one before. */
export type FallbackKeysUploaded = Readonly<{
  kind: 'fallbackKeysUploaded'
  userId: UserId
  deviceId: DeviceId
  keys: readonly PublishedKey[]
}>

/** Handed out for the first time. */
export type FallbackKeyUsed = Readonly<{
  kind: 'fallbackKeyUsed'
  userId: UserId
  deviceId: DeviceId
  algorithm: string
}>

export type DeviceKeysFact =
  | DeviceKeysUploaded
  | OneTimeKeysUploaded
  | OneTimeKeyClaimed
  | OneTimeKeysDropped
  | DeviceKeysDoubted
  | FallbackKeysUploaded
  | FallbackKeyUsed
