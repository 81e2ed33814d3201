/**
 * Matrix globs: `*` is any run of characters, `?` is exactly one (a code point). spec:
 * appendices#glob-style-matching
 *
 * A pattern is cut at its stars. The first piece is pinned to the start, the last to the end, and every piece
 * between takes the earliest place that is left; taking the earliest place never spoils a later piece, so
 * nothing is ever tried twice and no pattern can make matching explode.
 */
export type GlobMatcher = (text: string) => boolean

export type GlobOptions = Readonly<{
  /** Compare without regard to case, by `toLowerCase` of both sides. */
  ignoreCase?: boolean
  /**
   * Match any part of the text that starts and ends at a word boundary, in place of the whole text.
   * spec: client-server-api#push-rules
   */
  wholeWord?: boolean
  /**
   * Which characters are wild: `star` leaves `?` plain, as in the event types of filters; `none` leaves both.
   */
  wildcards?: 'all' | 'star' | 'none'
}>

/** How many compiled patterns are kept; the oldest is forgotten first. */
export const GLOB_CACHE_LIMIT = 2000

const compiled = new Map<string, GlobMatcher>()

/**
 * Compiles `pattern` once and answers the same matcher for the same pattern and options while it is
 * remembered.
 */
export function compileGlob(pattern: string, options: GlobOptions = {}): GlobMatcher {
  const key = keyOf(pattern, options)
  const known = compiled.get(key)
  if (known) return known
  const matcher = build(pattern, options)
  if (compiled.size >= GLOB_CACHE_LIMIT) forgetOldest()
  compiled.set(key, matcher)
  return matcher
}

/** How many patterns are remembered just now; at most `GLOB_CACHE_LIMIT`. */
export const rememberedGlobs = (): number => compiled.size

const keyOf = (pattern: string, { ignoreCase, wholeWord, wildcards = 'all' }: GlobOptions): string =>
  `${ignoreCase ? 'i' : ''}${wholeWord ? 'w' : ''}${wildcards}:${pattern}`

function forgetOldest(): void {
  for (const key of compiled.keys()) {
    compiled.delete(key)
    return
  }
}

function build(
  pattern: string,
  { ignoreCase = false, wholeWord = false, wildcards = 'all' }: GlobOptions,
): GlobMatcher {
  const folded = ignoreCase ? pattern.toLowerCase() : pattern
  const fold = ignoreCase ? (text: string) => text.toLowerCase() : (text: string) => text
  const hasOne = wildcards === 'all' && folded.includes('?')
  const hasStar = wildcards !== 'none' && folded.includes('*')
  if (!wholeWord && !hasOne && !hasStar) return (text) => fold(text) === folded

  const pieces = hasStar ? folded.split(/\*+/) : [folded]
  if (!hasOne) {
    const literals = pieces.map(literalPiece)
    return (text) => matches(literals, fold(text), wholeWord)
  }
  const counted = pieces.map((piece) => wildcardPiece(codePoints(piece)))
  return (text) => matches(counted, spelt(fold(text)), wholeWord)
}

/** What lies between two stars. `Text` is a string, or its code points where `?` has to count characters. */
type Piece<Text> = Readonly<{
  length: number
  /**
   * The first place at or after `from` where the piece stands and `accepts` its start; -1 if there is none.
   */
  find: (text: Text, from: number, accepts?: (start: number) => boolean) => number
  /** Whether the piece stands at this place. */
  standsAt: (text: Text, at: number) => boolean
}>

type Indexed = string | readonly number[]

const codePoints = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0) ?? 0)

// One text is mostly held against many patterns in a row: a server against a list, a body against keywords.
let lastSpelt: Readonly<{ text: string; points: readonly number[] }> = { text: '', points: [] }

function spelt(text: string): readonly number[] {
  if (text !== lastSpelt.text) lastSpelt = { text, points: codePoints(text) }
  return lastSpelt.points
}

function matches<Text extends Indexed>(
  pieces: readonly Piece<Text>[],
  text: Text,
  wholeWord: boolean,
): boolean {
  const first = pieces[0]
  const last = pieces.at(-1)
  if (!first || !last) return false
  if (!wholeWord && pieces.length === 1) return first.length === text.length && first.standsAt(text, 0)
  const isEdge = (at: number) => isBoundary(text, at)
  if (pieces.length === 1) return first.find(text, 0, (at) => isEdge(at) && isEdge(at + first.length)) >= 0

  const start = wholeWord ? placeOfFirst(first, text, isEdge) : 0
  if (start < 0 || (!wholeWord && !first.standsAt(text, 0))) return false
  let from = start + first.length
  for (const piece of pieces.slice(1, -1)) {
    const at = piece.find(text, from)
    if (at < 0) return false
    from = at + piece.length
  }
  // A star at the end reaches the end of the text, which is a boundary too.
  if (last.length === 0) return true
  if (wholeWord) return last.find(text, from, (at) => isEdge(at + last.length)) >= 0
  const place = text.length - last.length
  return place >= from && last.standsAt(text, place)
}

/** A star at the start begins where the text does, which is a boundary. */
const placeOfFirst = <Text extends Indexed>(piece: Piece<Text>, text: Text, isEdge: (at: number) => boolean): number =>
  piece.length === 0 ? 0 : piece.find(text, 0, isEdge)

function literalPiece(literal: string): Piece<string> {
  return {
    length: literal.length,
    find(text, from, accepts) {
      let at = text.indexOf(literal, from)
      if (accepts === undefined) return at
      for (let refused = 0; at >= 0 && !accepts(at); refused++) {
        if (at >= text.length) return -1
        if (refused === REFUSED_LIMIT) return findEvenly(literal, text, at + 1, accepts)
        at = text.indexOf(literal, at + 1)
      }
      return at
    },
    standsAt: (text, at) => text.startsWith(literal, at),
  }
}

/** How many places may be refused before the search changes to one that never looks at a character twice. */
const REFUSED_LIMIT = 16

/** Knuth, Morris and Pratt's search: a text of one letter holds a word of many at nearly every place. */
function findEvenly(literal: string, text: string, from: number, accepts: (start: number) => boolean): number {
  const { length } = literal
  const borders = bordersOf(literal)
  let matched = 0
  for (let at = from; at < text.length; at++) {
    matched = extended(literal, borders, matched, text.charCodeAt(at))
    if (matched === length && accepts(at - length + 1)) return at - length + 1
  }
  return -1
}

/** For every beginning of the literal, how much of its own beginning it ends with. */
function bordersOf(literal: string): Uint32Array {
  const borders = new Uint32Array(literal.length)
  for (let at = 1; at < literal.length; at++) {
    borders[at] = extended(literal, borders, borders[at - 1] ?? 0, literal.charCodeAt(at))
  }
  return borders
}

/** How much of the literal stands after one more character, when `matched` of it stood before. */
function extended(literal: string, borders: Uint32Array, matched: number, character: number): number {
  let length = matched
  while (length > 0 && (length === literal.length || literal.charCodeAt(length) !== character)) length = borders[length - 1] ?? 0
  return literal.charCodeAt(length) === character ? length + 1 : length
}

const WORD_BITS = 32

/**
 * Shift-and search: bit `i` of the state says that the last `i + 1` characters read fit the first `i + 1` of
 * the piece. One step per character whatever the text holds, which a compare-and-retry search cannot promise.
 */
function wildcardPiece(piece: readonly number[]): Piece<readonly number[]> {
  const { length } = piece
  const words = Math.ceil(length / WORD_BITS)
  let masks: Masks | undefined
  return {
    length,
    find(text, from, accepts = () => true) {
      if (length === 0) return findEmpty(text.length, from, accepts)
      const { byCharacter, anyCharacter } = (masks ??= masksOf(piece, words))
      const state = new Uint32Array(words)
      const lastBit = 1 << ((length - 1) % WORD_BITS)
      for (let at = from; at < text.length; at += 1) {
        advance(state, byCharacter.get(text[at] ?? -1) ?? anyCharacter)
        const start = at - length + 1
        if (((state[words - 1] ?? 0) & lastBit) !== 0 && accepts(start)) return start
      }
      return -1
    },
    standsAt: (text, at) =>
      at + length <= text.length &&
      piece.every((character, index) => character === QUESTION_MARK || character === text[at + index]),
  }
}

type Masks = Readonly<{ anyCharacter: Uint32Array; byCharacter: ReadonlyMap<number, Uint32Array> }>

function masksOf(piece: readonly number[], words: number): Masks {
  const anyCharacter = new Uint32Array(words)
  const byCharacter = new Map<number, Uint32Array>()
  piece.forEach((character, index) => {
    if (character === QUESTION_MARK) setBit(anyCharacter, index)
    else setBit(maskFor(byCharacter, character, words), index)
  })
  for (const mask of byCharacter.values())
    mask.forEach((bits, word) => (mask[word] = bits | (anyCharacter[word] ?? 0)))
  return { anyCharacter, byCharacter }
}

const QUESTION_MARK = 0x3f

function setBit(bits: Uint32Array, index: number): void {
  const word = Math.floor(index / WORD_BITS)
  bits[word] = (bits[word] ?? 0) | (1 << (index % WORD_BITS))
}

function maskFor(masks: Map<number, Uint32Array>, character: number, words: number): Uint32Array {
  const mask = masks.get(character) ?? new Uint32Array(words)
  masks.set(character, mask)
  return mask
}

function advance(state: Uint32Array, mask: Uint32Array): void {
  let carry = 1
  for (let word = 0; word < state.length; word += 1) {
    const bits = state[word] ?? 0
    state[word] = ((bits << 1) | carry) & (mask[word] ?? 0)
    carry = bits >>> (WORD_BITS - 1)
  }
}

function findEmpty(length: number, from: number, accepts: (start: number) => boolean): number {
  for (let at = from; at <= length; at += 1) if (accepts(at)) return at
  return -1
}

/** The start or end of the text, or beside a character that is not in `[A-Za-z0-9_]`. */
const isBoundary = (text: Indexed, at: number): boolean =>
  at <= 0 || at >= text.length || !isWordCharacter(text, at - 1) || !isWordCharacter(text, at)

function isWordCharacter(text: Indexed, at: number): boolean {
  const code = typeof text === 'string' ? text.charCodeAt(at) : (text[at] ?? 0)
  return (
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    code === 0x5f
  )
}
