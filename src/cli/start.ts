import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { loadConfig, type Config } from '#config'

import { banner } from './banner.ts'
import { CONFIG_FLAGS, configOverrides, configPaths } from './configuration.ts'
import { EXIT_FINE, Failure, tell, type Command, type Invocation } from './command.ts'
import { askStatus, probe } from './server.ts'

/** A start that takes longer has failed: replay and migrations report by then that they are at work. */
const START_LIMIT_MS = 120_000
const POLL_MS = 50
/** Lifts Bun's cap on outgoing requests; it is read from the environment when a process begins. */
const OUTGOING_REQUEST_LIMIT = '4096'

/** `warren start`: the server in the background; returns when it answers. */
export const startCommand: Command = {
  name: 'start',
  words: '[FILE]',
  count: [0, 1],
  summary: 'run the server in the background; returns when it answers',
  flags: CONFIG_FLAGS,
  run: (invocation) => start(invocation),
}

export async function start(invocation: Invocation): Promise<number> {
  const paths = configPaths(invocation, invocation.words[0])
  const overrides = configOverrides(invocation)
  const config = loadConfig(paths, overrides)
  const before = await probe(config)
  if (before.state === 'running') {
    const { running } = before.status
    tell(invocation, running, [`Warren is already running (process ${running.pid})`, ...banner(config, running)])
    return EXIT_FINE
  }
  const outputFile = join(config.dataDir, 'start.log')
  const words = [...paths.flatMap((path) => ['-c', path]), ...Object.entries(overrides).flatMap(flagOf)]
  await waitForAnswer(invocation, config, { child: launch(config, outputFile, words), outputFile })
  return EXIT_FINE
}

const FLAG_NAMES: Readonly<Record<string, string>> = { server_name: '--server-name', data_dir: '--data-directory' }
const flagOf = ([option, value]: [string, string]): string[] => [FLAG_NAMES[option] ?? '', value]

/** The server as a session of its own, with its output in a file. */
function launch(config: Config, outputFile: string, words: readonly string[]): Bun.Subprocess {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const output = openSync(outputFile, 'w', 0o600)
  const program = Bun.isStandaloneExecutable ? [process.execPath] : [process.execPath, Bun.main]
  const child = Bun.spawn([...program, 'serve', ...words], {
    detached: true,
    stdio: ['ignore', output, output],
    env: { BUN_CONFIG_MAX_HTTP_REQUESTS: OUTGOING_REQUEST_LIMIT, ...process.env },
  })
  child.unref()
  closeSync(output)
  return child
}

async function waitForAnswer(
  invocation: Invocation,
  config: Config,
  { child, outputFile }: { child: Bun.Subprocess; outputFile: string },
): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS
  while (Date.now() < deadline) {
    const status = await askStatus(config)
    if (status) {
      const { running } = status
      const lines = [`Warren has started (process ${running.pid})`, ...config.notices.map((notice) => `note: ${notice}`)]
      return tell(invocation, running, [...lines, ...banner(config, running)])
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Failure(['Warren did not start:', ...readFileSync(outputFile, 'utf8').trimEnd().split('\n')])
    }
    await Bun.sleep(POLL_MS)
  }
  throw new Failure([
    `Warren has not answered in ${START_LIMIT_MS / 1000} seconds (process ${child.pid})`,
    `What it says is in ${outputFile} and ${config.log.file}`,
  ])
}
