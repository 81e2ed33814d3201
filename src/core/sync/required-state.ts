/**
 * Which part of a room's state a sliding-sync client wants to have. Both forms of the request (MSC4186) become the same
 * patterns; a wish is one or more of them, and a state event is wanted when any of them wants it.
 */

/** An absent part stands for any. */
export type StatePattern = Readonly<{ type?: string; stateKey?: string }>

export type RequiredState = Readonly<{
  include: readonly StatePattern[]
  exclude: readonly StatePattern[]
  /** Member events only of those who appear in the timeline, unless they are included by their type. */
  lazyMembers: boolean
}>

export type StateWish = Readonly<{
  /** Equal wishes have equal texts, and `parseWish` reads them back. */
  text: string
  parts: readonly RequiredState[]
  lazyMembers: boolean
  /** Types beside `m.room.member` of which something may be wanted; undefined: any. */
  types: readonly string[] | undefined
  /** Whose member events are wanted whatever the timeline shows. */
  members: readonly string[] | 'all'
  wants: (type: string, stateKey: string) => boolean
}>

const MEMBER = 'm.room.member'
/** Wishes kept ready; clients repeat the same few for ever. */
const COMPILED_WISHES = 1_000
const compiled = new Map<string, StateWish>()

/** The form of the pairs: `*` for any, `$ME` and `$LAZY` as state keys. */
export function requiredStateOfPairs(pairs: readonly (readonly [string, string])[], userId: string): RequiredState {
  const isLazy = (pair: readonly [string, string]): boolean => pair[0] === MEMBER && pair[1] === '$LAZY'
  const include = pairs.filter((pair) => !isLazy(pair)).map(([type, key]): StatePattern => ({
    ...(type === '*' ? {} : { type }),
    ...(key === '*' ? {} : { stateKey: key === '$ME' ? userId : key }),
  }))
  // Who asks for everything gets the members too.
  const isEverything = include.some(isAny)
  return { include, exclude: [], lazyMembers: !isEverything && pairs.some(isLazy) }
}

/** One wish out of what several rules ask for. */
export function wishOf(required: readonly RequiredState[]): StateWish {
  const parts = simplify(required)
  const text = JSON.stringify(parts)
  const known = compiled.get(text)
  if (known) return known
  const wish = compile(parts, text)
  if (compiled.size >= COMPILED_WISHES) compiled.clear()
  compiled.set(text, wish)
  return wish
}

export const parseWish = (text: string): StateWish => compiled.get(text) ?? wishOf(JSON.parse(text) as RequiredState[])

/** Both together. */
export const unionOf = (one: StateWish, other: StateWish): StateWish => wishOf([...one.parts, ...other.parts])

/**
 * Whether everything that `narrow` wants is wanted by `wide` as well. May say no where the truth is yes: something is
 * then sent once more.
 */
export function isCovered(narrow: StateWish, wide: StateWish): boolean {
  if (narrow === wide) return true
  return narrow.parts.every(({ include, lazyMembers, exclude }) => {
    const candidates = wide.parts.filter((part) => part.exclude.length === 0 || textOf(part.exclude) === textOf(exclude))
    const hasLazy = !lazyMembers || wide.lazyMembers || wide.members === 'all'
    return hasLazy && include.every((pattern) => candidates.some((part) => part.include.some((each) => spans(each, pattern, part, lazyMembers))))
  })
}

const spans = (wide: StatePattern, narrow: StatePattern, { lazyMembers }: RequiredState, isNarrowLazy: boolean): boolean =>
  (wide.type === undefined || wide.type === narrow.type) &&
  (wide.stateKey === undefined || wide.stateKey === narrow.stateKey) &&
  // "Everything" of a lazy part leaves the members out, so it spans "everything" of lazy parts only.
  (!(lazyMembers && isAny(wide)) || (isAny(narrow) ? isNarrowLazy : narrow.type !== undefined && narrow.type !== MEMBER))

const isAny = ({ type, stateKey }: StatePattern): boolean => type === undefined && stateKey === undefined
const textOf = (patterns: readonly StatePattern[]): string => JSON.stringify(sorted(patterns))
const keyOf = ({ type, stateKey }: StatePattern): string => JSON.stringify([type ?? null, stateKey ?? null])

/** Without doubles, in one order, every pattern written alike. */
const sorted = (patterns: readonly StatePattern[]): StatePattern[] =>
  [...new Map(patterns.map((pattern) => [keyOf(pattern), pattern])).entries()]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { type, stateKey }]) => ({ ...(type === undefined ? {} : { type }), ...(stateKey === undefined ? {} : { stateKey }) }))

/** Parts that exclude nothing become one where that does not change what they want. */
function simplify(required: readonly RequiredState[]): RequiredState[] {
  const plain = required.filter(({ exclude }) => exclude.length === 0)
  const [lazy, eager] = [plain.filter(({ lazyMembers }) => lazyMembers), plain.filter(({ lazyMembers }) => !lazyMembers)]
  const mayMerge = !lazy.some(({ include }) => include.some(isAny))
  const groups = mayMerge ? [plain] : [lazy, eager]
  const merged = groups.filter((group) => group.length > 0).map((group): RequiredState => ({
    include: sorted(group.flatMap(({ include }) => include)),
    exclude: [],
    lazyMembers: group.some(({ lazyMembers }) => lazyMembers),
  }))
  const others = required.filter(({ exclude }) => exclude.length > 0).map(({ include, exclude, lazyMembers }): RequiredState =>
    ({ include: sorted(include), exclude: sorted(exclude), lazyMembers }))
  const parts = [...merged, ...others].filter(({ include, lazyMembers }) => include.length > 0 || lazyMembers)
  return [...new Map(parts.map((part) => [JSON.stringify(part), part])).values()]
}

function compile(parts: readonly RequiredState[], text: string): StateWish {
  const matches = ({ type, stateKey }: StatePattern, ofType: string, key: string): boolean =>
    (type === undefined || type === ofType) && (stateKey === undefined || stateKey === key)
  const wantedBy = ({ include, exclude, lazyMembers }: RequiredState, type: string, key: string): boolean =>
    include.some((pattern) => matches(pattern, type, key) && !(lazyMembers && type === MEMBER && isAny(pattern))) &&
    !exclude.some((pattern) => matches(pattern, type, key))
  const patterns = parts.flatMap(({ include }) => include)
  const isTyped = patterns.every(({ type }) => type !== undefined)
  return {
    text,
    parts,
    lazyMembers: parts.some(({ lazyMembers }) => lazyMembers),
    types: isTyped ? [...new Set(patterns.flatMap(({ type }) => (type === undefined || type === MEMBER ? [] : [type])))] : undefined,
    members: membersOf(parts),
    wants: (type, key) => parts.some((part) => wantedBy(part, type, key)),
  }
}

function membersOf(parts: readonly RequiredState[]): readonly string[] | 'all' {
  const members = new Set<string>()
  for (const { include, lazyMembers } of parts) {
    for (const pattern of include) {
      if (pattern.type !== undefined && pattern.type !== MEMBER) continue
      if (pattern.stateKey !== undefined) members.add(pattern.stateKey)
      else if (!(lazyMembers && isAny(pattern))) return 'all'
    }
  }
  return [...members]
}
