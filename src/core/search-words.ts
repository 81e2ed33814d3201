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
  /** A query of FTS5: all of the words, each also as the beginning of a longer one. */
  match: string
  /** The words, for clients to highlight. */
  words: readonly string[]
}>

/**
 * Reads what somebody searches for: all words must occur, `"several words"` next to each other. Undefined when there is
 * no word in it. spec: client-server-api#server-side-search
 */
export function parseSearchTerm(term: string): SearchTerm | undefined {
  const parts: string[] = []
  const words: string[] = []
  for (const [text, quoted] of term.normalize('NFKC').matchAll(PHRASE)) {
    const found = (quoted ?? text).match(WORD) ?? []
    words.push(...found.map((word) => word.toLowerCase()))
    if (quoted === undefined) parts.push(...found.flatMap(partsOf))
    else if (found.length > 0) parts.push(phrase(found.flatMap((word) => piecesOf(word).flatMap(tokensOf))))
  }
  if (parts.length === 0) return undefined
  return { match: parts.slice(0, SEARCH_WORDS_LIMIT).join(' AND '), words: [...new Set(words)].slice(0, SEARCH_WORDS_LIMIT) }
}

/** A word may mix scripts: `iPhone手机` is a word and a phrase. */
const piecesOf = (word: string): string[] => (word.match(PIECE) ?? []).filter((piece) => HAS_LETTER.test(piece))

const tokensOf = (piece: string): string[] => (IS_UNSPACED.test(piece) ? pairsOf(piece, false) : [piece])

const partsOf = (word: string): string[] => piecesOf(word).map((piece) => {
  const tokens = tokensOf(piece)
  const isWhole = IS_UNSPACED.test(piece) ? [...piece].length > 1 : piece.length < SHORTEST_BEGINNING
  return isWhole ? phrase(tokens) : `${phrase(tokens)} *`
})

/** Only letters, digits and marks come in here, so nothing needs escaping. */
const phrase = (tokens: readonly string[]): string => `"${tokens.join(' ')}"`
