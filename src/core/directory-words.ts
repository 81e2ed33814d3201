/** How names become words that the user directory is searched by. */

/** Writing without spaces between words: each character is a word, and what is searched for is a row of them. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/gu

/** Words longer than a search has use for are left out. */
const WORDS_LIMIT = 32

/** Text that the index can split at spaces and punctuation. */
export const spaced = (text: string): string => text.normalize('NFKC').replace(UNSPACED, ' $& ')

const wordsOf = (text: string): string[] => spaced(text).match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? []

/**
 * A search term as a query of the index (FTS5): all of its words, in any order, each perhaps only begun. What is a user
 * id, or its begin, is searched for by name and server. Undefined when there is nothing to search for.
 */
export function directoryQuery(term: string): string | undefined {
  const [, name = term, server] = /^@?([^:\s]+):(\S*)$/.exec(term.trim()) ?? []
  const names = name.split(/\s+/).flatMap((word) => phraseOf(word))
  if (names.length === 0) return undefined
  const servers = server === undefined ? [] : phraseOf(server)
  return [
    ...names.slice(0, WORDS_LIMIT).map((phrase) => `names : ${phrase}`),
    ...servers.map((phrase) => `server : ${phrase}`),
  ].join(' AND ')
}

/** Parts that stand together in what is searched for stand together in what is found. */
function phraseOf(word: string): string[] {
  const words = wordsOf(word)
  return words.length === 0 ? [] : [`"${words.slice(0, WORDS_LIMIT).join(' ')}" *`]
}
