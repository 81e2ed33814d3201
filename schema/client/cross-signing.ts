import { Type } from '@sinclair/typebox'

/** The keys are read by `core/cross-signing.ts`, which knows the errors that the spec wants. */
const Key = Type.Optional(Type.Unknown())

/** spec: client-server-api#post_matrixclientv3keysdevice_signingupload */
export const uploadCrossSigningKeys = {
  body: Type.Object({
    master_key: Key,
    self_signing_key: Key,
    user_signing_key: Key,
    auth: Type.Optional(Type.Unknown()),
  }),
  response: Type.Object({}),
} as const

/** spec: client-server-api#post_matrixclientv3keyssignaturesupload */
export const uploadCrossSigningSignatures = { body: Type.Object({}) } as const
