import { afterAll, describe, expect, test } from 'bun:test'

import { findCommand, parseArguments } from '#cli/arguments.ts'
import type { Command } from '#cli/command.ts'
import { commandsFor } from '#cli/index.ts'
import { commandLine } from '#harness/command-line.ts'
import { openFakeServer } from '#harness/fake-server.ts'

const commands = commandsFor(openFakeServer)
const { run, remove } = commandLine()
afterAll(remove)

const terminal = { out() {}, error() {}, isInteractive: false, ask: async () => null }

const paint: Command = {
  name: 'paint',
  words: 'WHAT',
  count: [1, 1],
  summary: '',
  flags: [{ long: 'colour', short: 'k', value: 'NAME', about: '' }, { long: 'dry', about: '' }],
  run: () => 0,
}
const parse = (...words: string[]) => {
  const { flags, words: rest, json } = parseArguments(paint, words, terminal)
  return { flags: Object.fromEntries(flags), words: rest, json }
}

describe('arguments', () => {
  test.each([
    ['a long flag and its value', ['--colour', 'red', 'wall'], { colour: ['red'] }, ['wall']],
    ['a short flag', ['wall', '-k', 'red'], { colour: ['red'] }, ['wall']],
    ['an equals sign', ['wall', '--colour=red=ish'], { colour: ['red=ish'] }, ['wall']],
    ['a flag again', ['wall', '-k', 'red', '-k', 'blue'], { colour: ['red', 'blue'] }, ['wall']],
    ['a switch', ['--dry', 'wall'], { dry: [] }, ['wall']],
    ['words after --', ['--dry', '--', '--wall'], { dry: [] }, ['--wall']],
    ['- as a word', ['-'], {}, ['-']],
    ['the global flags', ['wall', '-c', 'x.yaml', '--json'], { config: ['x.yaml'], json: [] }, ['wall']],
  ])('know %s', (_, words, flags, rest) => {
    expect(parse(...words)).toEqual({ flags, words: rest, json: words.includes('--json') } as never)
  })

  test.each([
    ['a flag that is not known', ['wall', '--color', 'red'], 'Did you mean: --colour'],
    ['a flag without its value', ['wall', '--colour'], '--colour needs a value: --colour NAME'],
    ['a word too many', ['wall', 'door'], 'That is one word too many: door'],
    ['a word too few', [], 'Type: warren paint WHAT'],
  ])('refuse %s', (_, words, says) => expect(() => parse(...words)).toThrow(says))
})

describe('commands', () => {
  test.each([
    [['user', 'list'], 'user list', []],
    [['user', 'create', 'alice', '--admin'], 'user create', ['alice', '--admin']],
    [['-c', 'x.yaml', 'start'], 'start', ['-c', 'x.yaml']],
    [['--json', 'config', 'check'], 'config check', ['--json']],
  ])('%p is %s', (argv, name, rest) => {
    const found = findCommand(commands, argv)
    expect([found.command.name, found.rest]).toEqual([name, rest])
  })

  test.each([
    ['a slip', ['strat'], ['There is no command: warren strat', 'Did you mean: warren start']],
    ['a slip in the second word', ['user', 'lst'], ['There is no command: warren user lst', 'Did you mean: warren user list']],
    ['half a command', ['room'], ['warren room needs one more word', 'Type one of: warren room list, warren room show']],
    ['nothing like it', ['xyzzyxyzzy'], ['There is no command: warren xyzzyxyzzy', 'Type: warren help']],
  ])('%s is answered with what to type instead', async (_, words, error) => {
    expect(await run(words)).toEqual({ code: 2, out: [], error })
  })

  test('mistakes are JSON too, when that is asked for', async () => {
    const { code, error } = await run(['strat', '--json'])
    expect([code, JSON.parse(error[0] ?? '')]).toEqual([2, { error: 'There is no command: warren strat\nDid you mean: warren start' }])
  })

  test('each has a help of its own', async () => {
    for (const { name } of commands) {
      const { code, out } = await run([...name.split(' '), '--help'])
      expect([code, out[0]?.startsWith(`warren ${name}`)]).toEqual([0, true])
    }
  })
})
