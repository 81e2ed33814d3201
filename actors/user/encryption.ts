import type { DeviceId } from '#schema/identifiers.ts'

/** What an account remembers of its keys; the bodies are in the store. */

export type Usage = 'master' | 'selfSigning' | 'userSigning'
export type KnownKey = Readonly<{ publicKey: string; digest: string }>
export type Backup = { algorithm: string; etag: number; count: number }

export type UserEncryption = {
  crossSigning: Map<Usage, KnownKey>
  /** By version; the highest is the current one. */
  backups: Map<number, Backup>
  nextBackup: number
  dehydratedDevice: DeviceId | null
}

export const noUserEncryption = (): UserEncryption => ({
  crossSigning: new Map(),
  backups: new Map(),
  nextBackup: 1,
  dehydratedDevice: null,
})

/** What goes with a deactivated account; versions of backups are never given again. */
export const closedEncryption = ({ nextBackup }: UserEncryption): UserEncryption => ({
  ...noUserEncryption(),
  nextBackup,
})

export type FrozenUserEncryption = Readonly<{
  crossSigning: readonly (readonly [Usage, KnownKey])[]
  backups: readonly (readonly [number, Backup])[]
  nextBackup: number
  dehydratedDevice: DeviceId | null
}>

export const freezeUserEncryption = (encryption: UserEncryption): FrozenUserEncryption => ({
  ...encryption,
  crossSigning: [...encryption.crossSigning],
  backups: [...encryption.backups].map(([version, backup]) => [version, { ...backup }]),
})

export const thawUserEncryption = (frozen: FrozenUserEncryption): UserEncryption => ({
  ...frozen,
  crossSigning: new Map(frozen.crossSigning),
  backups: new Map(frozen.backups),
})
