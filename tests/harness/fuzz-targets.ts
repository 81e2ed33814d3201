import type { Target } from './fuzz.ts'
import { clientTargets } from './fuzz-client.ts'
import { eventTargets } from './fuzz-events.ts'
import { wireTargets } from './fuzz-wire.ts'

/** Every parser of the core, and every rule that reads what strangers have written. */
export const TARGETS: readonly Target[] = [...eventTargets, ...wireTargets, ...clientTargets]
