import type { RoomVersionRules } from '#core/room-version.ts'
import type { StateKey } from '#core/state-key.ts'
import type { EventId } from '#schema/identifiers.ts'
import { authDifference, conflictedSubgraph } from './auth-difference.ts'
import type { StateConflict } from './conflict.ts'
import { resolveFullConflictedSet } from './v2.ts'

/**
 * State resolution of room version 12: as version 2, but the checks start from an empty state, and the full
 * conflicted set also holds the conflicted state subgraph. The answer is that of `resolveV2`.
 * spec: rooms/v12#state-resolution
 */
export const resolveV21 = (rules: RoomVersionRules, conflict: StateConflict): Map<StateKey, EventId> =>
  resolveFullConflictedSet(
    rules,
    conflict,
    new Map([...conflictedSubgraph(conflict), ...authDifference(conflict)]),
    () => undefined,
  )
