import { ringUsers } from '#actors/effects.ts'
import type { Command } from '#actors/kernel/actor.ts'
import type { CrossSigningFact, KeySignature, NewCrossSigningKey } from '#schema/journal/cross-signing.ts'
import { MatrixError } from '#schema/matrix-error.ts'
import { whyNotActive } from './account.ts'
import type { Usage, UserEncryption } from './encryption.ts'
import type { UserApply, UserDecide } from './memory.ts'

type NewKeys = Readonly<Partial<Record<Usage, NewCrossSigningKey>>>

export type CrossSigningCommand =
  /**
   * Shapes, points and signatures are verified by whoever asks; `signedBy` is the master key by which the others were
   * found to be signed. What changes keys that are there needs a proof of identity (`isProven`): without it nothing
   * happens and the reply asks for one. spec: client-server-api#post_matrixclientv3keysdevice_signingupload
   */
  | Command<
      'uploadCrossSigningKeys',
      { keys: NewKeys; signedBy: string | null; isProven: boolean },
      { needsProof: boolean }
    >
  /** Verified by whoever asks. spec: client-server-api#post_matrixclientv3keyssignaturesupload */
  | Command<'uploadCrossSigningSignatures', { signatures: readonly (KeySignature & { by: 'device' | Usage })[] }>

const USAGES = ['master', 'selfSigning', 'userSigning'] as const satisfies readonly Usage[]

export const decide = {
  uploadCrossSigningKeys(user, { keys, signedBy, isProven }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    const {
      userId,
      encryption: { crossSigning },
    } = user
    const known = crossSigning.get('master')?.publicKey
    const signer = keys.master?.publicKey ?? known
    if (signedBy !== null && signedBy !== signer)
      return { refuse: new MatrixError(400, 'M_INVALID_SIGNATURE', 'The keys are not signed by your master key') }
    if (known !== undefined && !isProven && changesKeys(user.encryption, keys))
      return { reply: { needsProof: true } }
    const news = Object.fromEntries(
      USAGES.flatMap((usage) => {
        const key = keys[usage]
        return key && crossSigning.get(usage)?.digest !== key.digest ? [[usage, key]] : []
      }),
    ) as NewKeys
    if (Object.keys(news).length === 0) return { reply: { needsProof: false } }
    const isNewMaster = keys.master !== undefined && keys.master.publicKey !== known
    return {
      facts: [{ kind: 'crossSigningKeysUploaded', userId, isNewMaster, ...(isNewMaster ? keys : news) }],
      effects: [ringUsers([userId], 'device-lists')],
      reply: { needsProof: false },
    }
  },

  uploadCrossSigningSignatures(user, { signatures }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    const {
      userId,
      encryption: { crossSigning },
    } = user
    // A key that was replaced since the signature was verified has nothing to say any more.
    const current = signatures.filter(
      ({ by, keyId }) => by === 'device' || keyId === `ed25519:${crossSigning.get(by)?.publicKey}`,
    )
    if (current.length === 0) return { reply: undefined }
    return {
      facts: [
        {
          kind: 'keySignaturesUploaded',
          userId,
          signatures: current.map(({ by: _by, ...signature }) => signature),
        },
      ],
      effects: [ringUsers([userId], 'device-lists')],
      reply: undefined,
    }
  },
} satisfies UserDecide<CrossSigningCommand, CrossSigningFact>

export const apply = {
  crossSigningKeysUploaded({ encryption: { crossSigning } }, fact) {
    if (fact.isNewMaster) crossSigning.clear()
    for (const usage of USAGES) {
      const key = fact[usage]
      if (key) crossSigning.set(usage, { publicKey: key.publicKey, digest: key.digest })
    }
  },
  // Signatures are read, nothing is decided by them.
  keySignaturesUploaded() {},
} satisfies UserApply<CrossSigningFact>

const changesKeys = ({ crossSigning }: UserEncryption, keys: NewKeys): boolean =>
  USAGES.some((usage) => {
    const key = keys[usage]
    return key !== undefined && crossSigning.get(usage)?.publicKey !== key.publicKey
  })
