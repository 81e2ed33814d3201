import type { Command, OfKind } from '#actors/kernel/actor.ts'
import { sha256Base64 } from '#core/digest.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { UserFact } from '#schema/journal/user.ts'
import { tooLarge } from '#schema/matrix-error.ts'
import { whyNotActive } from './account.ts'
import type { UserApply, UserDecide } from './memory.ts'

/** Filters that an account may have; beyond it the oldest goes, and whoever still uses it defines it anew. */
export const FILTER_LIMIT = 1_000
/** One filter as JSON. */
export const FILTER_LIMIT_BYTES = 65_536

/** The same filter always has the same id. spec: client-server-api#post_matrixclientv3useruseridfilter */
export type FilterCommand = Command<'defineFilter', { filter: JsonObject }, { filterId: string }>

type FilterFact = OfKind<UserFact, 'filterDefined' | 'filterDropped'>

export const decide = {
  defineFilter(user, { filter }) {
    const why = whyNotActive(user)
    if (why) return { refuse: why }
    const json = JSON.stringify(filter)
    if (Buffer.byteLength(json) > FILTER_LIMIT_BYTES)
      return { refuse: tooLarge(`A filter may have at most ${FILTER_LIMIT_BYTES} bytes`) }
    const digest = sha256Base64(json)
    for (const [filterId, known] of user.filters) if (known === digest) return { reply: { filterId } }
    const { userId } = user
    const filterId = String(user.nextFilter)
    const defined: FilterFact = { kind: 'filterDefined', userId, filterId, filter }
    const [oldest] = user.filters.keys()
    if (user.filters.size < FILTER_LIMIT || oldest === undefined) return { facts: [defined], reply: { filterId } }
    return { facts: [{ kind: 'filterDropped', userId, filterId: oldest }, defined], reply: { filterId } }
  },
} satisfies UserDecide<FilterCommand, FilterFact>

export const apply = {
  filterDefined(user, { filterId, filter }) {
    user.filters.set(filterId, sha256Base64(JSON.stringify(filter)))
    user.nextFilter = Number(filterId) + 1
  },
  filterDropped(user, { filterId }) {
    user.filters.delete(filterId)
  },
} satisfies UserApply<FilterFact>
