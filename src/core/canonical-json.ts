import { badJson } from '#schema/matrix-error.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { allow, deny, type Verdict } from './verdict.ts'

const HALF_A_PAIR = 'A string holds half a surrogate pair'

/**
 * The canonical text of a value: no white space, keys in code-point order, the shortest escapes.
 *
 * Numbers may be floats, since rooms before version 6 hold them; ask `checkCanonical` where they are
 * forbidden. The spec leaves a float's text open, so it is written as Python's `repr` does, which is how
 * most peers hash it: `0.5`, `1e-05`, `1e+20`. A number that is a safe integer is written as one even if it
 * arrived as `1.0` or `1e3`, and `-0` as `0`.
 *
 * Throws `M_BAD_JSON` for infinities, NaN, lone surrogates and what is no JSON at all.
 * spec: appendices#canonical-json and rooms/v1#canonical-json
 */
export function canonicalJson(value: Json): string {
  const text = writeByNature(value, natureOf(value))
  // JSON.stringify escapes lone surrogates and nothing else like this; a literal backslash may look the same.
  if (text.includes('\\ud') && !isWellFormed(value)) throw badJson(HALF_A_PAIR)
  return text
}

// `JSON.stringify` is several times faster than any writer of ours, but keeps the order of keys it finds.
function writeByNature(value: Json, nature: number): string {
  if (nature === IN_ORDER) return JSON.stringify(value)
  return nature & UNRULY ? write(value) : JSON.stringify(sortedCopy(value))
}

const IN_ORDER = 0
/** Some object's keys are not in code-point order. */
const UNSORTED = 1
/** `JSON.stringify` of a sorted copy would not do. */
const UNRULY = 2

/** What stands between a value and `JSON.stringify`. */
function natureOf(value: Json): number {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return IN_ORDER
  if (typeof value === 'number') return Number.isSafeInteger(value) ? IN_ORDER : UNRULY
  if (typeof value !== 'object') throw badJson('This value cannot be written as JSON')
  if (!Array.isArray(value)) return natureOfObject(value as JsonObject)
  let nature = IN_ORDER
  for (let at = 0; at < value.length; at++) nature |= natureOf(value[at] as Json)
  return nature
}

function natureOfObject(object: JsonObject): number {
  const keys = Object.keys(object)
  let nature = IN_ORDER
  let hasDigits = false
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string
    if (at > 0 && byCodePoint(keys[at - 1] as string, key) > 0) nature |= UNSORTED
    if (key === '__proto__') nature |= UNRULY
    hasDigits ||= startsWithDigit(key)
    nature |= natureOf(object[key] as Json)
  }
  // A plain object puts integer-like keys first, in numeric order, whatever order they are set in.
  return nature & UNSORTED && hasDigits ? nature | UNRULY : nature
}

function startsWithDigit(key: string): boolean {
  const first = key.charCodeAt(0)
  return first >= 0x30 && first <= 0x39
}

function sortedCopy(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sortedCopy)
  const object = value as JsonObject
  const copy: Record<string, Json> = {}
  for (const key of Object.keys(object).sort(byCodePoint)) copy[key] = sortedCopy(object[key] as Json)
  return copy
}

/** Orders by code point. UTF-16 units do likewise, but for surrogates, which stand below U+E000 to U+FFFF. */
export function byCodePoint(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at)
    const b = right.charCodeAt(at)
    if (a !== b) return a >= 0xd800 && b >= 0xd800 ? aboveAll(a) - aboveAll(b) : a - b
  }
  return left.length - right.length
}

/** Lifts surrogates over the last code point of the basic plane. */
const aboveAll = (unit: number): number => (unit < 0xe000 ? unit + 0x10000 : unit)

/** The plain, slower way, which takes every key and number as it comes. */
function write(value: Json): string {
  if (typeof value === 'number') return writeNumber(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`
  const object = value as JsonObject
  let members = ''
  for (const key of Object.keys(object).sort(byCodePoint)) {
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${write(object[key] as Json)}`
  }
  return `{${members}}`
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw badJson('Infinity and NaN cannot be written as JSON')
  if (Number.isSafeInteger(value)) return JSON.stringify(value)
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 16) return Number.isInteger(value) ? `${value}.0` : `${value}`
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** Whether every string in a value, keys among them, is well-formed Unicode. */
export function isWellFormed(value: Json): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isWellFormed)
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner))
}

/** Objects and arrays that directly hold an integer that arrived with a point or an exponent. */
const floatHolders = new WeakSet<object>()

/** Remembers that a number directly in `holder` was sent as a float although it looks like an integer now. */
export const noteFloatIn = (holder: object): void => {
  floatHolders.add(holder)
}

/**
 * Whether a value may stand in an event of room version 6 and later: only integers within ±(2^53 − 1), sent
 * as integers, and well-formed strings. Keys in `leaveOut` are passed over at the top level. A negative
 * zero passes, since peers read it as the integer 0 and `canonicalJson` writes that.
 * spec: rooms/v6#canonical-json
 */
export function checkCanonical(value: Json, leaveOut: readonly string[] = []): Verdict {
  const fault = faultIn(value, leaveOut)
  return fault === undefined ? allow : deny('canonical-json', fault)
}

const NOTHING: readonly string[] = []

function faultIn(value: Json, leaveOut: readonly string[]): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : HALF_A_PAIR
  if (typeof value === 'number') return Number.isSafeInteger(value) ? undefined : faultOfNumber(value)
  if (typeof value === 'boolean' || value === null) return undefined
  if (typeof value !== 'object') return 'A value is not JSON'
  if (floatHolders.has(value)) return 'A number was sent as a float'
  return Array.isArray(value) ? faultInItems(value) : faultInMembers(value as JsonObject, leaveOut)
}

const faultOfNumber = (value: number): string =>
  Number.isInteger(value) ? 'An integer lies outside ±(2^53 − 1)' : 'A number is not an integer'

function faultInItems(items: readonly Json[]): string | undefined {
  for (const item of items) {
    const fault = faultIn(item, NOTHING)
    if (fault !== undefined) return fault
  }
  return undefined
}

function faultInMembers(object: JsonObject, leaveOut: readonly string[]): string | undefined {
  for (const key of Object.keys(object)) {
    if (leaveOut.includes(key)) continue
    if (!key.isWellFormed()) return HALF_A_PAIR
    const fault = faultIn(object[key] as Json, NOTHING)
    if (fault !== undefined) return fault
  }
  return undefined
}
