import { badJson, notJson, tooLarge } from '#schema/matrix-error.ts'
import { isWellFormed, noteFloatIn } from './canonical-json.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'

/** Two hundred events of the largest size: what a transaction may weigh. */
export const MAX_BODY_BYTES = 200 * 65_536
/** Levels of nesting. Peers' parsers stop at 128; such an event has to fit into a transaction. */
export const MAX_JSON_DEPTH = 256

export type JsonLimits = Readonly<{
  maxBytes?: number
  maxDepth?: number
  /** Refuse every number with a point or an exponent, `1.0` and `1e3` too. */
  integersOnly?: boolean
}>

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses what came over the wire, refusing whatever two servers might read differently: text that is not
 * UTF-8, byte order marks, duplicate keys, integers outside ±(2^53 − 1), numbers beyond a double, half
 * surrogate pairs.
 *
 * Floats pass, since rooms before version 6 hold them, unless `integersOnly`. Where a float reads as an
 * integer (`1.0`, `1e3`) the object or array around it is remembered, and `checkCanonical` refuses that
 * very object.
 *
 * Throws `M_NOT_JSON`, `M_BAD_JSON` or `M_TOO_LARGE`.
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits = {}): Json {
  if (bytes.length > (limits.maxBytes ?? MAX_BODY_BYTES)) throw tooLarge('This JSON is too large')
  return parseWellFormed(decode(bytes), limits)
}

/** As `parseStrictJson`, for a text; `maxBytes` counts its UTF-8 form. */
export function parseStrictText(text: string, limits: JsonLimits = {}): Json {
  if (Buffer.byteLength(text) > (limits.maxBytes ?? MAX_BODY_BYTES)) throw tooLarge('This JSON is too large')
  if (!text.isWellFormed()) throw notJson('This text is not well-formed Unicode')
  return parseWellFormed(text, limits)
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw notJson('The body is not UTF-8')
  }
}

function parseWellFormed(text: string, limits: JsonLimits): Json {
  const shape = scan(text, limits.maxDepth ?? MAX_JSON_DEPTH)
  if (shape.hasFloats && limits.integersOnly) refuseFloats(text)
  const value = shape.hasFloats ? parseWithFloats(text) : parsePlain(text)
  // Every colon outside a string stands for a key; a key that came twice is there once.
  if (countKeys(value, shape.hasFloats) !== shape.colons) throw badJson('A key comes twice in an object')
  if (/\\u[dD]/.test(text) && !isWellFormed(value)) throw badJson('A string holds half a surrogate pair')
  return value
}

type Shape = { colons: number; hasFloats: boolean }

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Reads what `JSON.parse` would forget, and the depth before it can do harm. Strings are jumped over. */
function scan(text: string, maxDepth: number): Shape {
  let depth = 0
  let colons = 0
  let hasFloats = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at)
        break
      case 0x3a: // :
        colons++
        break
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > maxDepth) throw badJson(`This JSON is nested more than ${maxDepth} levels deep`)
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth--
        break
      case 0x2e: // .
      case 0x45: // E
        hasFloats = true
        break
      case 0x65: // e, but not that of true and false
        hasFloats ||= isDigit(text.charCodeAt(at - 1))
        break
    }
  }
  return { colons, hasFloats }
}

const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39

/** Where the string that opens at `start` closes: at the first quote after an even number of backslashes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    if ((end - before) % 2 === 1) return end
  }
  throw notJson('A string in this JSON does not end')
}

function parsePlain(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw notJson('The body is not JSON')
  }
}

type Source = Readonly<{ source?: string }>

function parseWithFloats(text: string): Json {
  parsePlain(text)
  return JSON.parse(text, function (this: object, _key: string, value: unknown, context?: Source) {
    if (typeof value !== 'number') return value
    checkFloatSource(this, value, context?.source ?? '')
    return value
  }) as Json
}

function checkFloatSource(holder: object, value: number, source: string): void {
  const isFloat = /[.eE]/.test(source)
  if (!Number.isFinite(value)) throw badJson('A number is too large')
  if (!isFloat && !Number.isSafeInteger(value)) throw unsafeInteger()
  if (isFloat) noteFloatIn(holder)
}

function refuseFloats(text: string): never {
  parsePlain(text)
  throw badJson('Numbers have to be integers, without a point or an exponent')
}

const unsafeInteger = () => badJson('An integer lies outside ±(2^53 − 1)')

/** Counts the keys and, unless numbers were looked at already, refuses integers that lost digits. */
function countKeys(value: Json, numbersAreChecked: boolean): number {
  if (typeof value === 'number' && !numbersAreChecked && !Number.isSafeInteger(value)) throw unsafeInteger()
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item, numbersAreChecked)
    return count
  }
  const object = value as JsonObject
  for (const key of Object.keys(object)) count += 1 + countKeys(object[key] as Json, numbersAreChecked)
  return count
}
