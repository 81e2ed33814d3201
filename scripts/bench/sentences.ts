const VOCABULARY = 30_000
const SYLLABLES = ['ka', 'lo', 'mi', 'ter', 'san', 'dor', 've', 'nu', 'pri', 'zo', 'be', 'chal', 'fi', 'gus', 'hem', 'jo', 'qua', 'ri', 'wex', 'yl']

/** Twelve words, the usual ones more often than the rare, the same for the same number. */
export function sentence(number: number): string {
  const words = Array.from({ length: 12 }, (_, at) => {
    const chance = (hash(number * 12 + at) + 1) / 2 ** 32
    return word(Math.min(VOCABULARY - 1, Math.floor(VOCABULARY ** chance) - 1))
  })
  return words.join(' ')
}

/** Words that can be told apart, the usual ones shorter. */
export function word(number: number): string {
  let [rest, text] = [number, '']
  do {
    text += SYLLABLES[rest % SYLLABLES.length] ?? ''
    rest = Math.floor(rest / SYLLABLES.length)
  } while (rest > 0)
  return text
}

/** An even spread of 32 bits. */
function hash(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x45d9f3b)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
