// Scripts that put no space between words, or glue particles to them: a tokenizer that splits at spaces finds nothing in
// them. Their text is cut into overlapping pairs of characters instead, so that any part of it is a phrase of pairs.
const UNSPACED = '\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Hangul}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}ー々〆'
const UNSPACED_RUN = new RegExp(`[${UNSPACED}][${UNSPACED}\\p{Mn}]*`, 'gu')
const IS_UNSPACED = new RegExp(`^[${UNSPACED}]`, 'u')
const BEYOND_ASCII = /[^\0-\x7f]/
/** What the tokenizer may find a word in; what of it is one it decides itself. */
const WORD = /[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{Co}\p{M}]*/gu
const PIECE = new RegExp(`[${UNSPACED}][${UNSPACED}\\p{Mn}]*|[^${UNSPACED}]+`, 'gu')
const HAS_LETTER = /[\p{L}\p{N}\p{Co}]/u
const PHRASE = /"([^"]*)"?|[^\s"]+/g

/** Words of one search; more are not looked at. */
export const SEARCH_WORDS_LIMIT = 32
/** A shorter word would begin too many others. */
const SHORTEST_BEGINNING = 3

/**
 * The text as it goes into the index: in its compatible form, and runs of unspaced script as the pairs of neighbours and
 * the last character: `搜索引擎` becomes `搜索 索引 引擎 擎`.
 */
export const indexedText = (text: string): string =>
  BEYOND_ASCII.test(text) ? text.normalize('NFKC').replace(UNSPACED_RUN, (run) => ` ${pairsOf(run, true).join(' ')} `) : text

/** Marks above and below count for nothing. */
function pairsOf(run: string, withLast: boolean): string[] {
  const characters = [...run.replace(/\p{Mn}/gu, '')]
  const pairs = characters.slice(0, -1).map((character, at) => character + (characters[at + 1] ?? ''))
  return withLast || pairs.length === 0 ? [...pairs, characters.at(-1) ?? ''] : pairs
}

export type SearchTerm = Readonly<{
  /** A query of FTS5: all of the words. */
  match: string
  /** The same, where each word may also be the beginning of a longer one. */
  looseMatch: string
  /** The words, for clients to highlight. */
  words: readonly string[]
}>

/**
 * Reads what somebody searches for: all words must occur, `"several words"` next to each other. Undefined when there is
 * no word in it. spec: client-server-api#server-side-search
 */
export function parseSearchTerm(term: string): SearchTerm | undefined {
  const parts: Part[] = []
  const words: string[] = []
  for (const [text, quoted] of term.normalize('NFKC').matchAll(PHRASE)) {
    const found = (quoted ?? text).match(WORD) ?? []
    words.push(...found.map((word) => word.toLowerCase()))
    if (quoted === undefined) parts.push(...found.flatMap(partsOf))
    else if (found.length > 0) parts.push(whole(phrase(found.flatMap((word) => piecesOf(word).flatMap(tokensOf)))))
  }
  if (parts.length === 0) return undefined
  const used = parts.slice(0, SEARCH_WORDS_LIMIT)
  return {
    match: used.map(({ exact }) => exact).join(' AND '),
    looseMatch: used.map(({ loose }) => loose).join(' AND '),
    words: [...new Set(words)].slice(0, SEARCH_WORDS_LIMIT),
  }
}

type Part = Readonly<{ exact: string; loose: string }>
const whole = (exact: string): Part => ({ exact, loose: exact })

/** A word may mix scripts: `iPhone手机` is a word and a phrase. */
const piecesOf = (word: string): string[] => (word.match(PIECE) ?? []).filter((piece) => HAS_LETTER.test(piece))

const tokensOf = (piece: string): string[] => (IS_UNSPACED.test(piece) ? pairsOf(piece, false) : [piece])

const partsOf = (word: string): Part[] => piecesOf(word).map((piece) => {
  const exact = phrase(tokensOf(piece))
  // One character by itself is in the index only as the beginning of a pair.
  if (IS_UNSPACED.test(piece)) return whole([...piece].length > 1 ? exact : `${exact} *`)
  return piece.length < SHORTEST_BEGINNING ? whole(exact) : { exact, loose: `${exact} *` }
})

/** Only letters, digits and marks come in here, so nothing needs escaping. */
const phrase = (tokens: readonly string[]): string => `"${tokens.join(' ')}"`

/** Words of a message of usual length. */
const USUAL_LENGTH = 12
/** Characters of a text that are looked at. */
const LOOKED_AT = 4_000
/** How soon saying a word once more stops counting, and how much a beginning counts for. */
const SATURATION = 1.2
const BEGINNING_WEIGHT = 0.5

/**
 * How close a text comes to the words: the oftener it says them and the shorter it is, the closer. Between 0 and the
 * number of words.
 */
export function closeness(text: string, words: readonly string[]): number {
  const said = text.slice(0, LOOKED_AT).normalize('NFKC').toLowerCase()
  const length = said.split(/\s+/).length
  const dampening = SATURATION * (0.25 + (0.75 * length) / USUAL_LENGTH)
  return words.reduce((sum, word) => {
    const times = timesSaid(said, word)
    return sum + times / (times + dampening)
  }, 0)
}

const LETTER = /[\p{L}\p{N}\p{M}]/u
/** More than that is not counted. */
const TIMES_LIMIT = 8

function timesSaid(text: string, word: string): number {
  let times = 0
  const isSpaced = !IS_UNSPACED.test(word)
  for (let at = text.indexOf(word), found = 0; at >= 0 && found < TIMES_LIMIT; at = text.indexOf(word, at + word.length), found++) {
    if (isSpaced && at > 0 && LETTER.test(text[at - 1] ?? '')) continue
    times += isSpaced && LETTER.test(text[at + word.length] ?? '') ? BEGINNING_WEIGHT : 1
  }
  return times
}
