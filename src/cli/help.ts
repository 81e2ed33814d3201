import { nearestName } from '#config'
import { manual, topicNames } from '#manual/index.ts'

import { EXIT_FINE, GLOBAL_FLAGS, tell, UsageMistake, type Command, type Flag } from './command.ts'

/** `warren help`: the commands, a command, or a page of the handbook. */
export const helpCommand = (commands: () => readonly Command[]): Command => ({
  name: 'help',
  words: '[TOPIC or COMMAND]',
  count: [0, 2],
  summary: 'show a page of the handbook, or how a command is used',
  run(invocation) {
    const topic = invocation.words.join(' ')
    const lines = topic === '' ? overview(commands()) : about(topic, commands())
    tell(invocation, { topic, text: lines.join('\n') }, lines)
    return EXIT_FINE
  },
})

function overview(commands: readonly Command[]): readonly string[] {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    'Warren, a Matrix homeserver. Without a command it runs in the foreground.',
    '',
    ...commands.map(({ name, summary }) => `  warren ${name.padEnd(width)}  ${summary}`),
    '',
    ...flagLines(GLOBAL_FLAGS),
    '',
    `Pages of the handbook (warren help TOPIC): ${topicNames.join(', ')}`,
  ]
}

function about(topic: string, commands: readonly Command[]): readonly string[] {
  const page = manual.get(topic)
  if (page !== undefined) return page.trimEnd().split('\n')
  const command = commands.find(({ name }) => name === topic)
  if (command) return usage(command)
  const group = commands.filter(({ name }) => name.startsWith(`${topic} `))
  if (group.length > 0) return group.flatMap((each) => [...usage(each), '']).slice(0, -1)
  const likely = nearestName(topic, [...topicNames, ...commands.map(({ name }) => name)])
  throw new UsageMistake([
    `There is no page or command: ${topic}`,
    likely === undefined ? 'Type: warren help' : `Did you mean: warren help ${likely}`,
  ])
}

/** How one command is used. */
export function usage({ name, words, summary, flags = [] }: Command): readonly string[] {
  const all = [...flags, ...GLOBAL_FLAGS.filter(({ long }) => !flags.some((flag) => flag.long === long))]
  return [['warren', name, words].filter(Boolean).join(' '), `  ${summary}`, '', ...flagLines(all)]
}

function flagLines(flags: readonly Flag[]): readonly string[] {
  const names = flags.map(({ long, short, value }) =>
    `${short ? `-${short}, ` : '    '}--${long}${value ? ` ${value}` : ''}`)
  const width = Math.max(...names.map(({ length }) => length))
  return flags.map(({ about }, index) => `  ${(names[index] ?? '').padEnd(width)}  ${about}`)
}
