import { nearestName } from '#config'

import { GLOBAL_FLAGS, UsageMistake, type Command, type Flag, type Invocation, type Terminal } from './command.ts'

/** Finds the command that the first words name, the longest name first. Throws UsageMistake when none does. */
export function findCommand(
  commands: readonly Command[],
  argv: readonly string[],
): { command: Command; rest: readonly string[] } {
  // `-c FILE` may stand before the command, as in synctl's own manner of options first.
  const lead = leadingFlags(argv)
  const words = argv.slice(lead.length)
  const name = [2, 1].map((count) => words.slice(0, count).join(' ')).find((words) => isCommand(commands, words))
  const command = commands.find((each) => each.name === name)
  if (command && name) return { command, rest: [...lead, ...words.slice(name.split(' ').length)] }
  throw unknownCommand(commands, words)
}

const isCommand = (commands: readonly Command[], name: string): boolean => commands.some((each) => each.name === name)

function leadingFlags(argv: readonly string[]): readonly string[] {
  let end = 0
  while (argv[end]?.startsWith('-')) {
    const flag = flagFor(GLOBAL_FLAGS, argv[end] ?? '')
    end += flag?.value !== undefined && !argv[end]?.includes('=') ? 2 : 1
  }
  return argv.slice(0, end)
}

function unknownCommand(commands: readonly Command[], words: readonly string[]): UsageMistake {
  const [first = '', second] = words
  const group = commands.filter((each) => each.name.startsWith(`${first} `)).map((each) => each.name)
  if (group.length > 0) {
    const said = second === undefined ? `warren ${first} needs one more word` : `There is no command: warren ${first} ${second}`
    const meant = second === undefined ? undefined : nearestName(`${first} ${second}`, group)
    return new UsageMistake([
      said,
      meant === undefined ? `Type one of: ${group.map((name) => `warren ${name}`).join(', ')}` : `Did you mean: warren ${meant}`,
    ])
  }
  const likely = nearestName(words.slice(0, 2).join(' '), commands.map((each) => each.name)) ??
    nearestName(first, commands.map((each) => each.name))
  return new UsageMistake([
    `There is no command: warren ${first}`,
    likely === undefined ? 'Type: warren help' : `Did you mean: warren ${likely}`,
  ])
}

const flagFor = (flags: readonly Flag[], word: string): Flag | undefined => {
  const [name = ''] = word.split('=')
  return flags.find(({ long, short }) => name === `--${long}` || (short !== undefined && name === `-${short}`))
}

/** Splits what follows a command into flags and words. Throws UsageMistake when it does not fit the command. */
export function parseArguments(command: Command, rest: readonly string[], terminal: Terminal): Invocation {
  const known = [...GLOBAL_FLAGS, ...(command.flags ?? [])]
  const flags = new Map<string, string[]>()
  const words: string[] = []
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? ''
    if (word === '--') {
      words.push(...rest.slice(index + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      words.push(word)
      continue
    }
    const flag = flagFor(known, word)
    if (!flag) throw unknownFlag(command, known, word)
    const given = flags.get(flag.long) ?? []
    flags.set(flag.long, given)
    if (flag.value === undefined) continue
    const equals = word.indexOf('=')
    const value = equals >= 0 ? word.slice(equals + 1) : rest[++index]
    if (value === undefined) throw new UsageMistake([`${word} needs a value: ${word} ${flag.value}`])
    given.push(value)
  }
  checkCount(command, words, flags.has('help'))
  return { flags, words, terminal, json: flags.has('json') }
}

function unknownFlag(command: Command, known: readonly Flag[], word: string): UsageMistake {
  const [name = word] = word.split('=')
  const likely = nearestName(name, known.map(({ long }) => `--${long}`))
  return new UsageMistake([
    `warren ${command.name} knows no ${name}`,
    likely === undefined ? `Type: warren ${command.name} --help` : `Did you mean: ${likely}`,
  ])
}

function checkCount(command: Command, words: readonly string[], isHelp: boolean): void {
  const [least, most] = command.count ?? [0, 0]
  if (isHelp || (words.length >= least && words.length <= most)) return
  const usage = ['warren', command.name, command.words].filter(Boolean).join(' ')
  const said = words.length < least ? 'Something is missing' : `That is one word too many: ${words[most] ?? ''}`
  throw new UsageMistake([said, `Type: ${usage}`])
}
