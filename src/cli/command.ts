/** A mistake on the command line. `lines` say what was wrong and what to type instead. Exit code 2. */
export class UsageMistake extends Error {
  override readonly name = 'UsageMistake'
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'))
  }
}

/** Something that could not be done. `lines` say why and what to do. Exit code 1, unless it says another. */
export class Failure extends Error {
  override readonly name = 'Failure'
  constructor(readonly lines: readonly string[], readonly exitCode: number = 1) {
    super(lines.join('\n'))
  }
}

export const EXIT_FINE = 0
export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
/** What LSB says of `status` when nothing runs. */
export const EXIT_STOPPED = 3

export type Flag = Readonly<{
  long: string
  short?: string
  /** What stands for its value in the help; without it the flag is on or off. */
  value?: string
  about: string
}>

/** The terminal, or a test's stand-in. */
export type Terminal = Readonly<{
  out(line: string): void
  error(line: string): void
  isInteractive: boolean
  /** Asks for a line; `isHidden` does not show what is typed. Null at the end of input. */
  ask(question: string, isHidden: boolean): Promise<string | null>
}>

export type Invocation = Readonly<{
  flags: ReadonlyMap<string, readonly string[]>
  words: readonly string[]
  terminal: Terminal
  json: boolean
}>

export type Command = Readonly<{
  /** As typed, such as `user create`. */
  name: string
  /** The words that follow, such as `USER` or `[FILE]`. */
  words?: string
  summary: string
  flags?: readonly Flag[]
  /** How many words there may be, at least and at most. */
  count?: readonly [number, number]
  /** Answers with the exit code. */
  run(invocation: Invocation): Promise<number> | number
}>

export const GLOBAL_FLAGS: readonly Flag[] = [
  { long: 'config', short: 'c', value: 'FILE', about: 'the configuration (a file or a folder; may be given again)' },
  { long: 'json', about: 'answer in JSON' },
  { long: 'help', short: 'h', about: 'say how this is used' },
]

export const textFlag = ({ flags }: Invocation, name: string): string | undefined => flags.get(name)?.at(-1)
export const isFlagSet = ({ flags }: Invocation, name: string): boolean => flags.has(name)

/** A whole number from `least`; UsageMistake otherwise. */
export function numberFlag(invocation: Invocation, name: string, fallback: number, least = 0): number {
  const given = textFlag(invocation, name)
  if (given === undefined) return fallback
  const value = Number(given)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new UsageMistake([`--${name} takes a whole number from ${least}, not ${given}`])
}

/** Says one thing in two ways: as JSON with --json, else as lines. */
export function tell({ json, terminal }: Invocation, data: unknown, lines: readonly string[]): void {
  if (json) terminal.out(JSON.stringify(data))
  else for (const line of lines) terminal.out(line)
}
