import { isJsonObject } from '#core/event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'

/** What the targets of the fuzzer read out of an input; what is not of the right kind counts as empty. */

export const objectOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {})
export const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])
export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
export const isText = (value: Json | undefined): value is string => typeof value === 'string'

/** What has to hold whatever the input was. */
export function ensure(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
