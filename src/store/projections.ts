import { accountProjections } from './account-projections.ts'
import { e2eeProjections } from './e2ee-projections.ts'
import { peopleProjections } from './people-projections.ts'
import type { AnyProjection } from './projectors.ts'
import { followedByPush, pushProjections } from './push-projections.ts'
import { roomProjections } from './room-projections.ts'
import { slidingProjections } from './sliding-projections.ts'

/** Every fact kind of the house and the tables it becomes. */
export const projections: Readonly<Record<string, AnyProjection>> = followedByPush({
  ...roomProjections,
  ...accountProjections,
  ...e2eeProjections,
  ...peopleProjections,
  ...pushProjections,
  ...slidingProjections,
})
