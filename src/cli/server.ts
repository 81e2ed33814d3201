import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { control, type RunningStatus } from '#admin/control.ts'
import type { ServerStats } from '#admin/door.ts'
import type { Config } from '#config'
import { askControlSocket } from '#process/control-socket.ts'
import { DataFolderBusy, lockDataFolder } from '#process/lock.ts'
import { quietLog } from '#process/log.ts'
import type { OpenServer } from '#process/serve.ts'

import { Failure, type Terminal } from './command.ts'

/** A way to the commands of src/admin/control.ts, whether the server runs or not. */
export type ControlDoor = Readonly<{
  /** The answer's JSON. Throws Failure with the server's own words when it refuses. */
  ask(method: 'GET' | 'POST', target: string, body?: object): Promise<unknown>
}>

export type StatusAnswer = Readonly<{ serverName: string; running: RunningStatus | null; stats: ServerStats }>

/** `busy`: the data folder is held and nobody answers (the server starts, or stops, or hangs). */
export type Probe =
  | Readonly<{ state: 'running'; status: StatusAnswer & { running: RunningStatus } }>
  | Readonly<{ state: 'busy'; pid: number | null }>
  | Readonly<{ state: 'stopped' }>

const ANSWER_LIMIT_MS = 30_000
const PROBE_LIMIT_MS = 5_000

/** What the server on this data folder says of itself; null when none answers. */
export async function askStatus(config: Config): Promise<(StatusAnswer & { running: RunningStatus }) | null> {
  const response = await askControlSocket(config.dataDir, '/status', { signal: AbortSignal.timeout(PROBE_LIMIT_MS) })
    .catch(() => null)
  if (!response?.ok) return null
  const status = (await response.json()) as StatusAnswer
  return status.running === null ? null : { ...status, running: status.running }
}

/** Looks whether a server runs on the data folder of this configuration. Changes nothing. */
export async function probe(config: Config): Promise<Probe> {
  if (!existsSync(join(config.dataDir, 'warren.lock'))) return { state: 'stopped' }
  const status = await askStatus(config)
  if (status) return { state: 'running', status }
  return isHeld(config.dataDir) ? { state: 'busy', pid: readPid(config.pidFile) } : { state: 'stopped' }
}

export function isHeld(dataDir: string): boolean {
  try {
    lockDataFolder(dataDir, 0).release()
    return false
  } catch (failure) {
    if (failure instanceof DataFolderBusy) return true
    throw failure
  }
}

export function readPid(pidFile: string): number | null {
  if (!existsSync(pidFile)) return null
  const pid = Number(readFileSync(pidFile, 'utf8').trim())
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null
}

/**
 * Works on the server: over its control socket when it runs, else by opening the data in this process, for as long as
 * `work` takes. With `mustExist` a data folder without a server in it is a Failure instead of a new server.
 */
export async function withServer<T>(
  config: Config,
  { open, terminal, mustExist }: { open: OpenServer; terminal: Terminal; mustExist: boolean },
  work: (door: ControlDoor) => Promise<T>,
): Promise<T> {
  const found = await probe(config)
  if (found.state === 'running') return work(overSocket(config))
  if (found.state === 'busy') throw busy(config, found.pid)
  if (mustExist && !existsSync(config.database.path)) {
    throw new Failure([
      `There is no server in ${config.dataDir}`,
      'Start one with `warren start`, or name its configuration with -c FILE',
    ])
  }
  const lock = lockDataFolder(config.dataDir)
  try {
    const opened = await open(config, quietLog(terminal.error))
    try {
      const bug = (error: unknown): void => terminal.error(String(error instanceof Error ? error.stack : error))
      const commands = control({ serverName: config.serverName, door: opened.door, bug, running: null })
      return await work(inProcess((request) => commands.handle(request)))
    } finally {
      await opened.close()
    }
  } finally {
    lock.release()
  }
}

export const busy = (config: Config, pid: number | null): Failure => new Failure([
  `${config.dataDir} is in use${pid === null ? '' : ` by process ${pid}`}, and it does not answer: it starts, stops or hangs`,
  'Wait a moment and try again; `warren status` tells how it stands',
])

/** The commands of a server that runs. Throws Failure when it does not. */
export const overSocket = (config: Config): ControlDoor => ({
  async ask(method, target, body) {
    const init = { method, signal: AbortSignal.timeout(ANSWER_LIMIT_MS), ...(body ? { body: JSON.stringify(body) } : {}) }
    const response = await askControlSocket(config.dataDir, target, init)
    if (response === null) throw new Failure(['The server does not run', 'Start it with: warren start'])
    return readAnswer(response)
  },
})

const inProcess = (handle: (request: Request) => Response | Promise<Response>): ControlDoor => ({
  async ask(method, target, body) {
    const init = { method, ...(body ? { body: JSON.stringify(body) } : {}) }
    return readAnswer(await handle(new Request(`http://control.local${target}`, init)))
  },
})

async function readAnswer(response: Response): Promise<unknown> {
  const answer = (await response.json()) as { errcode?: string; error?: string }
  if (response.ok) return answer
  throw new Failure([answer.error ?? `The server refused (${response.status})`])
}
