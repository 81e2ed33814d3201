/** How much a backed-up key of one session is worth. */
export type KeyQuality = Readonly<{ isVerified: boolean; firstMessageIndex: number; forwardedCount: number }>

/**
 * Whether a key takes the place of the one that is in the backup: a verified one that of an unverified one, then the one
 * that decrypts more messages, then the one that went through fewer hands.
 * spec: client-server-api#backup-algorithm-mmegolm_backupv1curve25519-aes-sha2
 */
export function isBetterKey(offered: KeyQuality, known: KeyQuality | undefined): boolean {
  if (!known) return true
  if (offered.isVerified !== known.isVerified) return offered.isVerified
  if (offered.firstMessageIndex !== known.firstMessageIndex)
    return offered.firstMessageIndex < known.firstMessageIndex
  return offered.forwardedCount < known.forwardedCount
}
