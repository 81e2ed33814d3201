import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runCommandLine } from '#cli/index.ts'
import type { OpenServer } from '#process/serve.ts'

import { fakeDoor } from './fake-server.ts'

export type Said = Readonly<{ code: number; out: readonly string[]; error: readonly string[] }>

/** A folder of its own, a server without a network in it, and the command line to work on both. */
export function commandLine() {
  const folder = mkdtempSync(join(tmpdir(), 'warren-cli-'))
  const door = fakeDoor()
  const opened: string[] = []
  const open: OpenServer = async (config) => {
    opened.push(config.serverName)
    return {
      door,
      handle: () => new Response('{}'),
      wake() {},
      close: async () => void opened.push('closed'),
    }
  }
  const run = async (words: readonly string[], typed: readonly string[] = []): Promise<Said> => {
    const out: string[] = []
    const error: string[] = []
    const lines = [...typed]
    const terminal = {
      out: (line: string) => void out.push(line),
      error: (line: string) => void error.push(line),
      isInteractive: false,
      ask: async () => lines.shift() ?? null,
    }
    const code = await runCommandLine(words, open, terminal)
    return { code, out, error }
  }
  return { folder, door, opened, run, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
