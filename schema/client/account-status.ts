import { Type } from '@sinclair/typebox'

/** Users that one request asks about. */
export const STATUS_LIMIT = 1_000

/** MSC3720. */
export const getAccountStatus = {
  body: Type.Object({ user_ids: Type.Array(Type.String(), { maxItems: STATUS_LIMIT }) }),
} as const
