import { isJsonObject } from '#core/event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'

/**
 * Damages JSON as strangers might: values of the wrong kind, hostile names, numbers at the limits, and things
 * repeated until the limit of size is reached. All chance comes from a seed.
 */

/** A number from 0 up to, and without, `below`. */
export type Dice = (below: number) => number

/** The same seed, the same numbers. */
export function diceFrom(seed: number): Dice {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

export const oneOf = <Item>(dice: Dice, items: readonly [Item, ...Item[]]): Item => items[dice(items.length)] ?? items[0]

/** How much text repeating may make of one input. */
const REPEATED_LENGTH = 60_000

const NUMBERS = [0, -0, -1, 1, 49, 50, 51, 100, 255, 256, 0.5, 1e-7, 1e16, 1e21, -1e308, 2 ** 31, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 2 ** 63, Infinity]
const TEXTS = [
  '', ' ', '\0', '\ud800', '\udc00', '\ufeff', '\u2028', '😀', 'é', 'İ', '\\', '"', '\n', ':', '@', '!', '$', '#', '*', '?', '.', ',', '=', '/', '-',
  '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', 'then', '0', '10', '1e3', ' 50 ', '+7', '-0', 'null', 'NaN', '9'.repeat(400),
  '@alice:a.example', '@:', '@a:[::1]:80', '!room:a.example', '$e:a.example', '#den:a.example', 'a'.repeat(256), 'é'.repeat(200), '*?'.repeat(40), '('.repeat(50),
] as const
const WHOLE = [null, true, false, [], {}, [null], { '': null }, [[[]]], JSON.parse('{"__proto__":{"a":1}}') as Json] as const

/** Values to put in the place of others; `words` are those that mean something to what is tested. */
export function strangeValue(dice: Dice, words: readonly string[]): Json {
  switch (dice(4)) {
    case 0:
      return NUMBERS[dice(NUMBERS.length)] ?? 0
    case 1:
      return WHOLE[dice(WHOLE.length)] ?? null
    default:
      return strangeText(dice, words)
  }
}

const strangeText = (dice: Dice, words: readonly string[]): string =>
  (dice(2) === 0 ? words[dice(words.length)] : TEXTS[dice(TEXTS.length)]) ?? ''

/** The value with one thing changed somewhere inside. */
export function mutated(dice: Dice, value: Json, words: readonly string[]): Json {
  const isLeaf = typeof value !== 'object' || value === null || Object.keys(value).length === 0
  if (isLeaf || dice(10) < 2) return mutatedHere(dice, value, words)
  if (Array.isArray(value)) {
    const at = dice(value.length)
    return value.map((item: Json, index) => (index === at ? mutated(dice, item, words) : item))
  }
  const entries = Object.entries(value)
  const at = dice(entries.length)
  return Object.fromEntries(entries.map(([key, inner], index) => [key, index === at ? mutated(dice, inner, words) : inner]))
}

function mutatedHere(dice: Dice, value: Json, words: readonly string[]): Json {
  if (dice(8) === 0) return strangeValue(dice, words)
  if (dice(30) === 0) return wrapped(dice, value)
  if (typeof value === 'string') return mutatedText(dice, value, words)
  if (typeof value === 'number') return mutatedNumber(dice, value)
  if (Array.isArray(value)) return mutatedList(dice, value, words)
  return isJsonObject(value) ? mutatedObject(dice, value, words) : strangeValue(dice, words)
}

function wrapped(dice: Dice, value: Json): Json {
  let inner = value
  for (let levels = oneOf(dice, [1, 2, dice(4) === 0 ? 100 : 3]); levels > 0; levels--) inner = dice(2) === 0 ? [inner] : { a: inner }
  return inner
}

function mutatedNumber(dice: Dice, value: number): number {
  const near = [value + 1, value - 1, -value, value / 2, value * 2]
  return (dice(2) === 0 ? near[dice(near.length)] : NUMBERS[dice(NUMBERS.length)]) ?? 0
}

/** A text with a part of it taken out, doubled, turned, or exchanged for another. */
export function mutatedText(dice: Dice, text: string, words: readonly string[]): string {
  const from = dice(text.length + 1)
  const to = Math.min(text.length, from + dice(8) * dice(8))
  const [head, part, tail] = [text.slice(0, from), text.slice(from, to), text.slice(to)]
  switch (dice(7)) {
    case 0:
      return head + tail
    case 1:
      return head + strangeText(dice, words) + tail
    case 2:
      return head + strangeText(dice, words) + text.slice(from)
    case 3:
      return head + String.fromCharCode(oneOf(dice, [dice(0x80), dice(0x10000)])) + text.slice(from + 1)
    case 4:
      return head + repeated(dice, part || strangeText(dice, words) || 'a') + tail
    case 5:
      return oneOf(dice, [text.toUpperCase(), text.toLowerCase(), text.split('').toReversed().join('')])
    default:
      return head + part + part + tail
  }
}

function repeated(dice: Dice, part: string): string {
  const most = Math.floor(REPEATED_LENGTH / part.length)
  return part.repeat(Math.min(most, timesOf(dice, most)))
}

function mutatedList(dice: Dice, list: readonly Json[], words: readonly string[]): Json {
  const at = dice(list.length + 1)
  const item = list[at] ?? strangeValue(dice, words)
  switch (dice(6)) {
    case 0:
      return list.toSpliced(at, 1)
    case 1:
      return list.toSpliced(at, 0, strangeValue(dice, words))
    case 2:
      return list.toSpliced(at, 0, item)
    case 3:
      return list.toSpliced(at, 1, ...manyOf(dice, item))
    case 4:
      return list.toReversed()
    default:
      return list.toSpliced(at, 0, list[dice(list.length)] ?? null)
  }
}

/** Many of one kind, each a little different or all alike, up to the limit of size. */
function manyOf(dice: Dice, item: Json): Json[] {
  const most = Math.floor(REPEATED_LENGTH / (printed(item).length + 8))
  const count = Math.min(most, timesOf(dice, most))
  const isVaried = dice(2) === 0
  return Array.from({ length: count }, (_, index) => (isVaried ? variedBy(item, index) : item))
}

/** Mostly a few, seldom as many as there is room for: large inputs are slow to make. */
const timesOf = (dice: Dice, most: number): number => oneOf(dice, [2, 2, 3, 3, 5, 10, 10, 30, dice(5) === 0 ? 1000 : 4, dice(5) === 0 ? most : 4])

/** The value with its first text or number made another for every index. */
function variedBy(item: Json, index: number): Json {
  if (typeof item === 'string') return `${item.slice(0, 1)}${index}${item.slice(1)}`
  if (typeof item === 'number') return item + index
  if (typeof item !== 'object' || item === null) return item
  if (Array.isArray(item)) return item.map((inner: Json, at) => (at === 0 ? variedBy(inner, index) : inner))
  return Object.fromEntries(Object.entries(item).map(([key, inner], at) => [key, at === 0 ? variedBy(inner, index) : inner]))
}

function mutatedObject(dice: Dice, object: JsonObject, words: readonly string[]): Json {
  const entries = Object.entries(object)
  const at = dice(entries.length)
  const [key, value] = entries[at] ?? ['', null]
  switch (dice(5)) {
    case 0:
      return Object.fromEntries(entries.toSpliced(at, 1))
    case 1:
      return Object.fromEntries(entries.toSpliced(at, 1, [strangeText(dice, words), value]))
    case 2:
      return Object.fromEntries([...entries, [strangeText(dice, words), strangeValue(dice, words)]])
    case 3:
      return Object.fromEntries(entries.toSpliced(at, 1, [key, entries[dice(entries.length)]?.[1] ?? null]))
    default: {
      const many = manyOf(dice, key).map((name) => [String(name), value] as const)
      const room = Math.floor(REPEATED_LENGTH / (printed(value).length + key.length + 8))
      return Object.fromEntries([...entries, ...many.slice(0, room)])
    }
  }
}

/** JSON text that keeps what `JSON.stringify` loses: infinities (written too large to hold) and negative zero. */
export function printed(value: Json): string {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
    return value < 0 ? '-1e999' : '1e999'
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(printed).join(',')}]`
  return `{${Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${printed(inner)}`).join(',')}}`
}

/** How deep a value is nested. */
export function depthOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Object.values(value).reduce<number>((deepest, inner) => Math.max(deepest, depthOf(inner)), 0)
}

/** Every text in a value, keys among them. */
export function textsIn(value: Json): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)])
}

/** The same value with something left out, for finding the least that still fails. */
export function* simplerThan(value: Json): Generator<Json> {
  if (typeof value === 'string' && value.length > 0) {
    for (let size = Math.ceil(value.length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < value.length; from += size) yield value.slice(0, from) + value.slice(from + size)
    }
  }
  if (typeof value !== 'object' || value === null) return
  const entries: [string, Json][] = Object.entries(value)
  for (const [, inner] of entries) yield inner
  const rebuilt = (others: readonly [string, Json][]): Json =>
    Array.isArray(value) ? others.map(([, inner]) => inner) : Object.fromEntries(others)
  for (let size = Math.ceil(entries.length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < entries.length; from += size) yield rebuilt(entries.toSpliced(from, size))
  }
  for (const [at, [key, inner]] of entries.entries()) {
    for (const simpler of simplerThan(inner)) yield rebuilt(entries.toSpliced(at, 1, [key, simpler]))
  }
}
