import { Type } from '@sinclair/typebox'
import { DeviceId, UserId } from '#schema/identifiers.ts'

const Timeout = Type.Optional(Type.Unknown())
/** Read by `core/cross-signing.ts`, which knows the errors that the spec wants. */
const Keys = Type.Optional(Type.Unknown())

/** spec: client-server-api#post_matrixclientv3keysupload */
export const uploadKeys = {
  allowGuest: true,
  body: Type.Object({
    device_keys: Keys,
    one_time_keys: Keys,
    fallback_keys: Keys,
    'org.matrix.msc2732.fallback_keys': Keys,
  }),
  response: Type.Object({ one_time_key_counts: Type.Record(Type.String(), Type.Integer()) }),
} as const

/** The device in the path is from before access tokens named one. */
export const uploadKeysOfDevice = { ...uploadKeys, params: Type.Object({ deviceId: DeviceId }) } as const

/** spec: client-server-api#post_matrixclientv3keysquery */
export const queryKeys = {
  allowGuest: true,
  body: Type.Object({
    timeout: Timeout,
    device_keys: Type.Record(Type.String(), Type.Array(Type.String())),
  }),
} as const

/** spec: client-server-api#post_matrixclientv3keysclaim */
export const claimKeys = {
  allowGuest: true,
  body: Type.Object({
    timeout: Timeout,
    one_time_keys: Type.Record(Type.String(), Type.Record(Type.String(), Type.String())),
  }),
} as const

/** spec: client-server-api#get_matrixclientv3keyschanges */
export const getKeysChanges = {
  allowGuest: true,
  query: Type.Object({ from: Type.String(), to: Type.String() }),
  response: Type.Object({ changed: Type.Array(UserId), left: Type.Array(UserId) }),
} as const
