import { parseDuration, parseSize } from './grammar.ts'
import { nearest } from './nearest.ts'

export type Path = readonly (string | number)[]

/** One thing to say about a configuration. Errors keep the server from starting. */
export type Finding = Readonly<{
  level: 'error' | 'warning' | 'note'
  /** The option's full name, such as `rc_login.address`. */
  option: string
  /** File and line, such as `homeserver.yaml:12`; empty if it stands nowhere. */
  place: string
  text: string
}>

/** Collects findings and knows where each option stands. */
export type Report = Readonly<{ findings: Finding[]; place(path: Path): string }>

/** How one option is read: what it may be, what it is when absent, and the check. */
export type Reading<T> = Readonly<{
  shape: string
  fallback: T
  read(value: unknown, path: Path, report: Report): T
}>

type Sections = Readonly<Record<string, Reading<unknown>>>

/** `burst_count` becomes `burstCount`. */
export type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S
export type ValueOf<R> = R extends Reading<infer T> ? T : never
export type SectionOf<S> = { readonly [K in keyof S & string as Camel<K>]: ValueOf<S[K]> }

export const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

export const nameOf = (path: Path): string =>
  path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('')

export function complain(report: Report, level: Finding['level'], path: Path, text: string): void {
  report.findings.push({ level, option: nameOf(path), place: report.place(path), text })
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A reading from a parser that answers undefined when the value is of the wrong form; null means "the default". */
function simple<T>(shape: string, fallback: T, parse: (value: unknown) => T | undefined): Reading<T> {
  return {
    shape,
    fallback,
    read(value, path, report) {
      if (value === null || value === undefined) return fallback
      const parsed = parse(value)
      if (parsed !== undefined) return parsed
      complain(report, 'error', path, `${nameOf(path)} must be ${shape}, not ${describe(value)}`)
      return fallback
    },
  }
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (isMapping(value)) return 'a section with keys of its own'
  return JSON.stringify(value)
}

const asText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined

const asNumber = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

export const flag = (fallback: boolean): Reading<boolean> =>
  simple('true or false', fallback, (value) => (typeof value === 'boolean' ? value : undefined))

export const text = (fallback: string): Reading<string> => simple('text', fallback, asText)
export const maybeText: Reading<string | null> = simple<string | null>('text', null, asText)

export const number = (fallback: number): Reading<number> => simple('a number', fallback, asNumber)

export const integer = (fallback: number, least = 0): Reading<number> =>
  simple(`a whole number from ${least}`, fallback, (value) => {
    const parsed = asNumber(value)
    return parsed !== undefined && Number.isSafeInteger(parsed) && parsed >= least ? parsed : undefined
  })

const DURATION = 'a duration such as 30s, 5m, 2h, 7d, 4w, 1y, or milliseconds'
const SIZE = 'a size such as 500K, 50M, 2G, or bytes'

/** Milliseconds. */
export const duration = (fallback: number): Reading<number> => simple(DURATION, fallback, parseDuration)
/** Milliseconds, or null: never. */
export const maybeDuration = (fallback: number | null = null): Reading<number | null> =>
  orNull(simple<number | null>(DURATION, fallback, parseDuration))
/** Bytes. */
export const size = (fallback: number): Reading<number> => simple(SIZE, fallback, parseSize)
export const maybeSize: Reading<number | null> = simple<number | null>(SIZE, null, parseSize)

/** As `reading`, but an explicit null is kept and not taken for the default. */
export const orNull = <T>(reading: Reading<T>): Reading<T | null> => ({
  ...reading,
  shape: `${reading.shape}, or null`,
  read: (value, path, report) => (value === null ? null : reading.read(value, path, report)),
})

export function choice<const T extends string | boolean | null, const D extends T>(
  choices: readonly T[],
  fallback: D,
): Reading<T> {
  const shape = choices.length === 1 ? String(choices[0]) : `one of ${choices.join(', ')}`
  return simple<T>(shape, fallback, (value) => choices.find((known) => known === value || String(known) === value))
}

/** A mapping that is kept as it is. */
export const mapping: Reading<Readonly<Record<string, unknown>>> = simple(
  'a section with keys of its own', {}, (value) => (isMapping(value) ? value : undefined),
)

/** A list of one kind of thing; one thing alone counts as a list of one. */
export function list<T>(item: Reading<T>, fallback: readonly T[] = []): Reading<readonly T[]> {
  return {
    shape: `a list of ${item.shape}`,
    fallback,
    read(value, path, report) {
      if (value === null || value === undefined) return fallback
      if (!Array.isArray(value)) return [item.read(value, path, report)]
      return value.map((each, index) => item.read(each, [...path, index], report))
    },
  }
}

/** As `list`, but absent (null) is not the same as empty: no restriction. */
export const maybeList = <T>(item: Reading<T>): Reading<readonly T[] | null> => ({
  ...list(item),
  fallback: null,
  read: (value, path, report) => (value === null || value === undefined ? null : list(item).read(value, path, report)),
})

/** A section whose keys are all known; the others are errors that name the nearest. */
export function section<const S extends Sections>(keys: S): Reading<SectionOf<S>> {
  const values = (source: Readonly<Record<string, unknown>>, path: Path, report: Report) =>
    Object.fromEntries(Object.entries(keys).map(([key, reading]) => [
      camel(key),
      Object.hasOwn(source, key) ? reading.read(source[key], [...path, key], report) : reading.fallback,
    ])) as SectionOf<S>
  const nowhere: Report = { findings: [], place: () => '' }
  return {
    shape: `a section (${Object.keys(keys).join(', ')})`,
    fallback: values({}, [], nowhere),
    read(value, path, report) {
      if (value === null || value === undefined) return values({}, path, report)
      if (!isMapping(value)) {
        complain(report, 'error', path, `${nameOf(path)} must be a section, not ${describe(value)}`)
        return values({}, path, report)
      }
      for (const key of Object.keys(value)) {
        if (!Object.hasOwn(keys, key)) complainUnknown(report, [...path, key], Object.keys(keys))
      }
      return values(value, path, report)
    },
  }
}

/** A section that may be missing altogether. */
export const maybeSection = <const S extends Sections>(keys: S): Reading<SectionOf<S> | null> => {
  const inner = section(keys)
  return { ...inner, fallback: null, read: (value, path, report) => (value ? inner.read(value, path, report) : null) }
}

export function complainUnknown(report: Report, path: Path, known: Iterable<string>): void {
  const key = String(path.at(-1))
  const likely = nearest(key, known)
  const hint = likely === undefined ? 'Remove it' : `Did you mean ${nameOf([...path.slice(0, -1), likely])}?`
  complain(report, 'error', path, `${nameOf(path)} is no option that this server or Synapse knows. ${hint}`)
}
