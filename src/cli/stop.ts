import { rmSync } from 'node:fs'

import type { Config } from '#config'

import { CONFIG_FLAGS, configFor } from './configuration.ts'
import { EXIT_FINE, Failure, tell, type Command, type Invocation } from './command.ts'
import { isHeld, overSocket, probe } from './server.ts'

const STOP_LIMIT_MS = 120_000
const POLL_MS = 100

/** `warren stop`: lets requests finish, and returns when the process has let go of its data. */
export const stopCommand: Command = {
  name: 'stop',
  words: '[FILE]',
  count: [0, 1],
  summary: 'stop the server that runs in the background; returns when it has ended',
  flags: CONFIG_FLAGS,
  run: (invocation) => stop(invocation),
}

export async function stop(invocation: Invocation): Promise<number> {
  const config = configFor(invocation, invocation.words[0])
  const found = await probe(config)
  if (found.state === 'stopped') {
    rmSync(config.pidFile, { force: true })
    tell(invocation, { stopped: false }, ['Warren is not running'])
    return EXIT_FINE
  }
  const pid = found.state === 'running' ? found.status.running.pid : found.pid
  if (found.state === 'running') await overSocket(config).ask('POST', '/stop')
  else signal(pid, config)
  await waitForEnd(config, pid)
  tell(invocation, { stopped: true, pid }, [`Warren has stopped${pid === null ? '' : ` (process ${pid})`}`])
  return EXIT_FINE
}

/** The process that holds the data folder and does not answer: its pid file is as good as the lock is. */
function signal(pid: number | null, config: Config): void {
  if (pid === null) {
    throw new Failure([`${config.dataDir} is in use, and ${config.pidFile} does not say by which process`])
  }
  try {
    process.kill(pid, 'SIGTERM')
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'EPERM') {
      throw new Failure([`Process ${pid} belongs to another user`, 'Stop it as that user, or as root'])
    }
  }
}

async function waitForEnd(config: Config, pid: number | null): Promise<void> {
  const deadline = Date.now() + STOP_LIMIT_MS
  while (Date.now() < deadline) {
    if (!isHeld(config.dataDir)) return
    await Bun.sleep(POLL_MS)
  }
  throw new Failure([
    `Warren still runs after ${STOP_LIMIT_MS / 1000} seconds`,
    `What it does is in ${config.log.file}; as a last resort: kill -9 ${pid ?? ''}`.trimEnd(),
  ])
}
