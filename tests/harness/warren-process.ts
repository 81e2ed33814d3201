import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const READY_LIMIT_MS = 30_000
const STOP_LIMIT_MS = 10_000
const POLL_MS = 2
const PROJECT = resolve(import.meta.dir, '..', '..')
const SOURCES = ['src', 'actors', 'schema', 'scripts/build.ts', 'package-lock.json']

/** What a command line may name: `{config}`, `{data}` and `{port}` are filled in for each server. */
export type CommandLine = readonly string[]

export type ServerOptions = {
  /** The server to start; the compiled binary in `WARREN_BINARY`, else this tree's `src/main.ts`, when absent. */
  readonly command?: CommandLine
  /** Settings laid over `openServerConfig`, under Synapse's names. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Durability of the database; nothing is said about it in the configuration when absent. */
  readonly synchronous?: 'full' | 'normal'
  /** Where the temporary directory is made; the system's own place when absent. */
  readonly parent?: string
}

export type ServerProcess = {
  readonly url: string
  readonly port: number
  /** Holds the configuration, the database and whatever else the server writes. */
  readonly directory: string
  readonly configPath: string
  readonly serverName: string
  /** Process id of the running server; throws when none runs. */
  readonly pid: () => number
  /** Everything said on standard output and standard error since the first start. */
  readonly output: () => string
  /** Starts the server and resolves with the milliseconds from spawning to its first answer. */
  readonly start: () => Promise<number>
  /** SIGTERM; resolves with the exit code, by force after ten seconds. */
  readonly stop: () => Promise<number>
  /** SIGKILL; resolves when the process is gone. */
  readonly kill: () => Promise<void>
  /** Kills what still runs and deletes the directory. */
  readonly remove: () => Promise<void>
}

const SERVE = ['serve', '--config', '{config}']

/** This tree's program from source, without a command. */
const sourceProgram: CommandLine = [process.execPath, join(PROJECT, 'src', 'main.ts')]

/** The command line that runs this tree's server from source. */
export const sourceCommand: CommandLine = [...sourceProgram, ...SERVE]

/** The command line that runs a compiled binary. */
export function binaryCommand(binary: string): CommandLine {
  return [resolve(binary), ...SERVE]
}

/**
 * Runs one command of the program beside a server, such as `user show @alice:a.example`, and gives back what it
 * answers as JSON. Throws with its own words when it fails.
 */
export async function askWarren(server: ServerProcess, ...words: readonly string[]): Promise<unknown> {
  const binary = process.env['WARREN_BINARY']
  const program = binary === undefined ? sourceProgram : [resolve(binary)]
  const command = [...program, ...words, '--json', '--config', server.configPath]
  const child = Bun.spawn(command, { cwd: server.directory, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [said, complained, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  if (code !== 0) throw new Error(`warren ${words.join(' ')} ended with ${code}:\n${complained}`)
  return JSON.parse(said)
}

/**
 * The compiled binary of this tree, built first when it is missing or older than a source file.
 * `WARREN_BINARY` names another one and is taken as it is. Throws when the build fails.
 */
export function compiledBinary(): string {
  const given = process.env['WARREN_BINARY']
  if (given !== undefined) return resolve(given)
  const binary = join(PROJECT, 'dist', `warren-linux-${process.arch}`)
  if (existsSync(binary) && statSync(binary).mtimeMs > newestChange(SOURCES)) return binary
  const build = Bun.spawnSync([process.execPath, 'scripts/build.ts', '--native'], { cwd: PROJECT, stderr: 'pipe' })
  if (build.exitCode !== 0) throw new Error(`The build failed:\n${build.stderr.toString()}`)
  return binary
}

function newestChange(paths: readonly string[]): number {
  const times = paths.map((path) => join(PROJECT, path)).filter(existsSync).flatMap((path) => [
    statSync(path).mtimeMs,
    ...(statSync(path).isDirectory() ? filesBelow(path).map((file) => statSync(file).mtimeMs) : []),
  ])
  return Math.max(...times)
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** A port of the loopback interface that nobody listens on at this moment. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } })
  const port = listener.port
  listener.stop(true)
  return port
}

const OPEN_RATE = { per_second: 1_000_000, burst_count: 1_000_000 }

/** Settings of a server on loopback that lets anyone register and limits nobody, under Synapse's names. */
export function openServerConfig(
  port: number,
  directory: string,
  synchronous?: 'full' | 'normal',
): Record<string, unknown> {
  const durability = synchronous === undefined ? {} : { synchronous }
  return {
    server_name: `127.0.0.1:${port}`,
    public_baseurl: `http://127.0.0.1:${port}/`,
    listeners: [{ port, bind_addresses: ['127.0.0.1'], type: 'http', resources: [{ names: ['client', 'federation'] }] }],
    database: { name: 'sqlite3', args: { database: join(directory, 'homeserver.db') }, ...durability },
    media_store_path: join(directory, 'media_store'),
    enable_registration: true,
    enable_registration_without_verification: true,
    trusted_key_servers: [],
    rc_message: OPEN_RATE,
    rc_room_creation: OPEN_RATE,
    rc_user_directory: OPEN_RATE,
    rc_registration: OPEN_RATE,
    rc_login: { address: OPEN_RATE, account: OPEN_RATE, failed_attempts: OPEN_RATE },
    rc_joins: { local: OPEN_RATE, remote: OPEN_RATE },
    rc_joins_per_room: OPEN_RATE,
    rc_invites: { per_room: OPEN_RATE, per_user: OPEN_RATE, per_issuer: OPEN_RATE },
  }
}

/**
 * Starts a homeserver in a temporary directory on a free loopback port and waits for its first answer.
 * Throws with the server's own words when it exits or does not answer within thirty seconds.
 */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const server = prepareServer(options)
  try {
    await server.start()
  } catch (failure) {
    await server.remove()
    throw failure
  }
  return server
}

/** Like `startServer`, but leaves the first start to the caller. */
export function prepareServer(options: ServerOptions = {}): ServerProcess {
  const directory = mkdtempSync(join(options.parent ?? tmpdir(), 'warren-'))
  const port = freePort()
  const configPath = join(directory, 'homeserver.yaml')
  const settings = { ...openServerConfig(port, directory, options.synchronous), ...options.config }
  writeFileSync(configPath, JSON.stringify(settings, null, 2), { mode: 0o600 })
  const command = (options.command ?? defaultCommand()).map((word) =>
    word.replaceAll('{config}', configPath).replaceAll('{data}', directory).replaceAll('{port}', String(port)))
  return runnable(command, { directory, port, configPath, serverName: String(settings.server_name) })
}

function defaultCommand(): CommandLine {
  const binary = process.env['WARREN_BINARY']
  return binary === undefined ? sourceCommand : binaryCommand(binary)
}

/** Servers that run now: none outlives the process that started it. */
const alive = new Set<Bun.Subprocess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

type Place = Pick<ServerProcess, 'directory' | 'port' | 'configPath' | 'serverName'>

function runnable(command: readonly string[], place: Place): ServerProcess {
  const { directory, port } = place
  let child: Bun.Subprocess<'ignore', 'pipe', 'pipe'> | undefined
  const said: string[] = []
  const running = (): Bun.Subprocess<'ignore', 'pipe', 'pipe'> => {
    if (child === undefined) throw new Error('The server does not run')
    return child
  }
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<number> => {
    const ending = running()
    ending.kill(signal)
    const force = setTimeout(() => ending.kill('SIGKILL'), STOP_LIMIT_MS)
    const code = await ending.exited
    clearTimeout(force)
    alive.delete(ending)
    child = undefined
    return code
  }
  const start = async (): Promise<number> => {
    if (child !== undefined) throw new Error('The server runs already')
    const began = performance.now()
    const started = Bun.spawn([...command], { cwd: directory, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
    child = started
    alive.add(started)
    void collect(started.stdout, said)
    void collect(started.stderr, said)
    await untilAnswering(port, began + READY_LIMIT_MS, () => started.exitCode ?? started.signalCode ?? undefined, said)
    return performance.now() - began
  }
  return {
    ...place,
    url: `http://127.0.0.1:${port}`,
    pid: () => running().pid,
    output: () => said.join(''),
    start,
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    remove: async () => {
      if (child !== undefined) await end('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function collect(stream: ReadableStream<Uint8Array>, into: string[]): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of stream) into.push(decoder.decode(chunk, { stream: true }))
}

/** Characters of what a server said that are shown when it has ended. */
const LAST_WORDS = 2_000

async function untilAnswering(
  port: number,
  deadline: number,
  endedWith: () => number | string | undefined,
  said: readonly string[],
): Promise<void> {
  while (!(await answers(port))) {
    const ending = endedWith()
    if (ending !== undefined) throw new Error(`The server ended with ${ending}:\n${said.join('').slice(-LAST_WORDS)}`)
    if (performance.now() > deadline) throw new Error(`The server did not answer in time:\n${said.join('')}`)
    await Bun.sleep(POLL_MS)
  }
}

/** Whether `/versions` answers: a bare socket first, because a refused one costs next to nothing. */
async function answers(port: number): Promise<boolean> {
  const connected = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data: () => undefined } })
    .then((socket) => (socket.end(), true), () => false)
  if (!connected) return false
  return fetch(`http://127.0.0.1:${port}/_matrix/client/versions`, { keepalive: false })
    .then((response) => response.ok, () => false)
}
