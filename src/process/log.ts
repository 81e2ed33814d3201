import { mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Writable } from 'node:stream'

import pino, { type Logger } from 'pino'

import type { Config } from '#config'

export type { Logger }

/** A log file that has grown to this is set aside as FILE.1, and what was FILE.1 goes. */
export const LOG_FILE_LIMIT_BYTES = 64 * 1024 ** 2
const LOG_CHECK_MS = 60_000

export type ServerLog = Readonly<{
  log: Logger
  /** Opens the file anew, after another program moved it away. */
  reopen(): void
  close(): void
}>

/** Logs lines of JSON to the file of the configuration, and what is a warning or worse to `warn` too, in plain words. */
export function openLog({ level, file }: Config['log'], warn: (line: string) => void): ServerLog {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const destination = pino.destination({ dest: file, sync: true, mkdir: false, mode: 0o600 })
  const streams = pino.multistream([
    { level: level === 'silent' ? 'fatal' : level, stream: destination },
    { level: 'warn', stream: plainWarnings(warn) },
  ])
  const log = pino({ level, base: null }, streams)
  const timer = setInterval(() => setAside(file, () => destination.reopen()), LOG_CHECK_MS)
  timer.unref()
  return {
    log,
    reopen: () => destination.reopen(),
    close() {
      clearInterval(timer)
      destination.end()
    },
  }
}

/** For commands that work on a stopped server: warnings only. */
export const quietLog = (warn: (line: string) => void): Logger => pino({ level: 'warn', base: null }, plainWarnings(warn))

export function setAside(file: string, reopen: () => void, limitBytes: number = LOG_FILE_LIMIT_BYTES): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < limitBytes) return
  renameSync(file, `${file}.1`)
  reopen()
}

function plainWarnings(warn: (line: string) => void): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const { msg, err } = JSON.parse(chunk.toString()) as { msg?: string; err?: { message?: string } }
      warn([msg, err?.message].filter(Boolean).join(': '))
      done()
    },
  })
}
