import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { Elysia } from 'elysia'

import { control, type RunningStatus } from '#admin/control.ts'
import type { AdminDoor } from '#admin/door.ts'
import { handbook } from '#admin/handbook.ts'
import { html, page } from '#http/html.ts'
import { setup, SETUP_PATH } from '#admin/setup.ts'
import { newSecret, openSigningKeys, type Config } from '#config'

import { openControlSocket } from './control-socket.ts'
import { checkForeignDatabase } from './foreign-database.ts'
import { listen, type Handler, type Listening } from './listen.ts'
import { lockDataFolder } from './lock.ts'
import { openLog, type Logger } from './log.ts'
import { spareMemory } from './spare-memory.ts'
import { VERSION } from './version.ts'

/** A homeserver that is open: its routes, its door for admins, its end. */
export type Opened = Readonly<{
  handle: Handler
  door: AdminDoor
  /** Lets every long poll answer now. */
  wake(): void
  close(): Promise<void>
}>
export type OpenServer = (config: Config, log: Logger) => Promise<Opened>

export type Serving = Readonly<{
  status(): RunningStatus
  reload(): Promise<void>
  /** Drains and stops; calling it again changes nothing. */
  stop(): Promise<void>
  /** Resolves when all is closed. */
  stopped: Promise<void>
}>

/** Starts everything around a homeserver. Throws ConfigError or DataFolderBusy, with nothing left open. */
export async function serve(config: Config, open: OpenServer, warn: (line: string) => void): Promise<Serving> {
  const closers: (() => unknown)[] = []
  const closeAll = async (): Promise<void> => {
    const failures: unknown[] = []
    for (const close of closers.splice(0).toReversed()) {
      // What was opened first is closed last, and all of it, whatever fails on the way.
      await Promise.try(close).catch((failure: unknown) => failures.push(failure))
    }
    if (failures.length > 0) throw failures[0]
  }
  try {
    const lock = lockDataFolder(config.dataDir)
    closers.push(() => lock.release())
    checkForeignDatabase(config.database.path)
    openSigningKeys(config.signingKeyPath, config.database.path)
    writePid(config.pidFile)
    closers.push(() => rmSync(config.pidFile, { force: true }))
    const { log, reopen, close } = openLog(config.log, warn)
    closers.push(close)
    const opened = await open(config, log)
    closers.push(() => opened.close())
    return await startServing({ config, opened, log, reopenLog: reopen, closers, closeAll })
  } catch (failure) {
    await closeAll().catch(() => undefined)
    throw failure
  }
}

type Started = Readonly<{
  config: Config
  opened: Opened
  log: Logger
  reopenLog(): void
  closers: (() => unknown)[]
  closeAll(): Promise<void>
}>

async function startServing({ config, opened, log, reopenLog, closers, closeAll }: Started): Promise<Serving> {
  const bug = (error: unknown): void => log.error({ err: error }, 'a request of the admin failed')
  const firstAccount = { isOpen: (await opened.door.stats()).users === 0, key: newSecret() }
  const done = (): void => void (firstAccount.isOpen = false)
  const pages = new Elysia({ normalize: false })
    .use(setup({ ...config, door: opened.door, key: firstAccount.key, bug, done }))
    .use(handbook())
    .all('/*', () => page('There is no such page', html``, 404))
  const handle: Handler = (request) => (isOwnPage(request.url) ? pages.handle(request) : opened.handle(request))
  const listening = await listen(config, handle, log)
  closers.push(() => listening.stop(opened.wake))

  const startedTs = Date.now()
  const status = (): RunningStatus => ({
    version: VERSION,
    pid: process.pid,
    startedTs,
    addresses: listening.addresses,
    dataDir: config.dataDir,
    sources: config.sources,
    memoryBytes: process.memoryUsage.rss(),
    setupLink: firstAccount.isOpen ? `${localAddress(listening, config)}${SETUP_PATH}?key=${firstAccount.key}` : null,
  })
  const reload = async (): Promise<void> => {
    reopenLog()
    await listening.reloadTls()
    log.info('opened the log and the certificates again')
  }
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= closeAll().finally(resolve))
  // The answer to `stop` must leave before the socket closes.
  const stopSoon = (): void => void setTimeout(() => void stop(), 0)
  const running = { about: status, stop: stopSoon, reload }
  const commands = control({ serverName: config.serverName, door: opened.door, bug, running })
  const socket = openControlSocket(config.dataDir, (request) => commands.handle(request))
  closers.push(() => socket.stop())
  closers.push(spareMemory())
  log.info({ addresses: listening.addresses, version: VERSION }, 'listening')
  return { status, reload, stop, stopped }
}

/** The pages of this program stand under a path of their own; all others are the homeserver's. */
function isOwnPage(url: string): boolean {
  const slash = url.indexOf('/', 'https://'.length)
  return slash >= 0 && url.startsWith('/_warren/', slash)
}

function writePid(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${process.pid}\n`)
}

/** An address that a browser on this machine can open. */
function localAddress({ addresses }: Listening, config: Config): string {
  const first = addresses.find((address) => !address.startsWith('unix:'))
  const address = first?.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//localhost:')
  return address ?? config.publicBaseurl.replace(/\/$/, '')
}
