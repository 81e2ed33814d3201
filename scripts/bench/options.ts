import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { CommandLine } from '#harness/warren-process.ts'
import { binaryCommand, prepareServer, sourceCommand } from '#harness/warren-process.ts'
import type { Synchronous } from './budgets.ts'
import { journalModes } from './machine.ts'
import type { Target } from './target.ts'

export type Options = {
  readonly synchronous: Synchronous
  /** Names of workloads or figures; empty for all. */
  readonly only: readonly string[]
  readonly quick: boolean
  readonly json: boolean
  readonly fillEvents: number
  readonly directory: string | undefined
  readonly target: TargetOptions
  /** A second server to measure in the same run. */
  readonly peer: TargetOptions | undefined
}

type TargetOptions = {
  readonly name: string
  readonly url: string | undefined
  readonly pid: number | undefined
  readonly data: string | undefined
  readonly startCommand: CommandLine | undefined
  readonly startConfig: Readonly<Record<string, unknown>>
}

export const usage = `npm run bench -- [options]       any homeserver from outside; Warren unless told otherwise
npm run bench kernel | core       parts of Warren in process
npm run bench rooms [options]     what syncs cost an account in 200 and in 2,000 rooms
npm run bench polls [options]     ten thousand accounts that wait in /sync while nothing happens
npm run bench growth [options]    a message, a receipt, a typing notice and a join in rooms of 10 to 10,000 members
npm run bench large [--quick]     rooms of up to a million messages, on a Warren started here

  --only NAME,…              only these workloads or figures
  --quick                    fewer rounds, 2,000 messages instead of 20,000
  --events N                 messages for the disk and start figures
  --synchronous full|normal  durability of the server started here, and the budgets that go with it
  --directory DIR            where data directories are made, for measuring another disk
  --json                     the figures as JSON

  --url URL --pid PID --data DIR    a server that runs already (open registration, no rate limits)
  --start-command "CMD … {config}"  a server to start; {config}, {data} and {port} are filled in
  --start-config FILE               JSON laid over the settings written to {config}
  --name NAME                       what to call it
  --peer-url, --peer-pid, … the same for a second server, measured by turns in the same run`

export function readOptions(words: readonly string[]): Options {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    args: [...words],
    options: {
      'url': text, 'pid': text, 'data': text, 'start-command': text, 'start-config': text, 'name': text,
      'peer-url': text, 'peer-pid': text, 'peer-data': text, 'peer-start-command': text, 'peer-start-config': text,
      'peer-name': text,
      'synchronous': text, 'only': text, 'events': text, 'directory': text, 'quick': flag, 'json': flag,
    },
  })
  const hasPeer = values['peer-url'] !== undefined || values['peer-start-command'] !== undefined
  return {
    synchronous: readSynchronous(values.synchronous ?? 'full'),
    only: values.only?.split(',') ?? [],
    quick: values.quick,
    json: values.json,
    fillEvents: Number(values.events ?? (values.quick ? 2000 : 20_000)),
    directory: values.directory,
    target: targetOptions(values.name ?? (values['start-command'] ?? values.url ?? 'Warren'),
      [values.url, values.pid, values.data, values['start-command'], values['start-config']]),
    peer: hasPeer
      ? targetOptions(values['peer-name'] ?? 'peer', [values['peer-url'], values['peer-pid'], values['peer-data'],
        values['peer-start-command'], values['peer-start-config']])
      : undefined,
  }
}

function readSynchronous(word: string): Synchronous {
  if (word === 'full' || word === 'normal') return word
  throw new Error(`--synchronous is full or normal, not ${word}`)
}

type Word = string | undefined
type Words = readonly [url: Word, pid: Word, data: Word, command: Word, config: Word]

function targetOptions(name: string, [url, pid, data, command, config]: Words): TargetOptions {
  return {
    name,
    url,
    pid: pid === undefined ? undefined : Number(pid),
    data,
    startCommand: command?.split(' '),
    startConfig: config === undefined ? {} : readConfig(config),
  }
}

function readConfig(path: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

export type Opened = { readonly target: Target; readonly firstStartMs: number | undefined }

/** Starts the server that the options describe, or attaches to the one that runs. */
export async function openTarget(wanted: TargetOptions, options: Options): Promise<Opened> {
  if (wanted.url !== undefined) return { target: attached(wanted, wanted.url), firstStartMs: undefined }
  const isWarren = wanted.startCommand === undefined
  const server = prepareServer({
    command: wanted.startCommand ?? warrenCommand(),
    config: wanted.startConfig,
    ...(isWarren ? { synchronous: options.synchronous } : {}),
    ...(options.directory === undefined ? {} : { parent: options.directory }),
  })
  const firstStartMs = await server.start()
  const target: Target = {
    name: wanted.name,
    address: { hostname: '127.0.0.1', port: server.port },
    durability: isWarren ? `synchronous ${options.synchronous}` : journalModes(server.directory),
    pid: server.pid,
    dataDirectory: server.directory,
    process: server,
  }
  return { target, firstStartMs }
}

function attached(wanted: TargetOptions, url: string): Target {
  const { hostname, port, protocol } = new URL(url)
  if (protocol !== 'http:') throw new Error('Only plain http is measured')
  return {
    name: wanted.name,
    address: { hostname, port: Number(port === '' ? 80 : port) },
    durability: wanted.data === undefined ? 'durability unknown' : journalModes(wanted.data),
    pid: () => wanted.pid,
    dataDirectory: wanted.data,
    process: undefined,
  }
}

/** The compiled binary where there is one, else this tree from source. */
export function warrenCommand(): CommandLine {
  const binary = process.env['WARREN_BINARY'] ?? resolve(join('dist', `warren-linux-${process.arch}`))
  return existsSync(binary) ? binaryCommand(binary) : sourceCommand
}
