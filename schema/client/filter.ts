import { Type } from '@sinclair/typebox'
import { UserId } from '#schema/identifiers.ts'

/**
 * What is in a filter is checked by `src/core/sync/filter.ts`.
 * spec: client-server-api#post_matrixclientv3useruseridfilter
 */
export const defineFilter = { params: Type.Object({ userId: UserId }), body: Type.Record(Type.String(), Type.Unknown()) }

/** spec: client-server-api#get_matrixclientv3useruseridfilterfilterid */
export const getFilter = { params: Type.Object({ userId: UserId, filterId: Type.String({ minLength: 1 }) }) }
