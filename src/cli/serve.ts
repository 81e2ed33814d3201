import { type Config } from '#config'
import { serve, type OpenServer, type Serving } from '#process/serve.ts'

import { banner } from './banner.ts'
import { CONFIG_FLAGS, configFor } from './configuration.ts'
import { EXIT_FAILED, EXIT_FINE, tell, type Command, type Invocation } from './command.ts'

/** `warren serve`, and `warren` alone: the server in the foreground until SIGINT or SIGTERM. */
export const serveCommand = (open: OpenServer): Command => ({
  name: 'serve',
  words: '[FILE]',
  count: [0, 1],
  summary: 'run the server in the foreground, until Ctrl-C or SIGTERM',
  flags: CONFIG_FLAGS,
  async run(invocation) {
    const config = configFor(invocation, invocation.words[0])
    const { terminal } = invocation
    for (const notice of config.notices) terminal.error(`note: ${notice}`)
    const serving = await serve(config, open, terminal.error)
    // Whoever reads the announcement may send a signal at once.
    const ended = untilStopped(serving, terminal.error)
    announce(invocation, config, serving)
    return ended
  },
})

function announce(invocation: Invocation, config: Config, serving: Serving): void {
  const status = serving.status()
  tell(invocation, status, [
    ...banner(config, status),
    ...(invocation.terminal.isInteractive ? ['Stop it with Ctrl-C'] : []),
  ])
}

/** The first signal drains, a second one does not wait. SIGHUP opens certificates and log again. */
async function untilStopped(serving: Serving, say: (line: string) => void): Promise<number> {
  let isStopping = false
  let code = EXIT_FINE
  const stop = (): void => {
    if (isStopping) process.exit(EXIT_FAILED)
    isStopping = true
    serving.stop().catch((failure: unknown) => {
      code = EXIT_FAILED
      say(`The server did not close well: ${String(failure)}`)
    })
  }
  const reload = (): void => void serving.reload().catch((failure: unknown) => {
    say(`The certificates were not changed: ${String(failure instanceof Error ? failure.message : failure)}`)
  })
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', reload)
  await serving.stopped
  process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', reload)
  return code
}
