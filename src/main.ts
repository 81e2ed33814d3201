import { homeserverDoor } from '#admin/homeserver-door.ts'
import { app } from '#app'
import { runCommandLine } from '#cli/index.ts'
import { ownTerminal } from '#cli/terminal.ts'
import type { Config } from '#config'
import { openHomeserver } from '#homeserver'
import type { Logger } from '#process/log.ts'
import type { Opened } from '#process/serve.ts'

async function open(config: Config, log: Logger): Promise<Opened> {
  const server = await openHomeserver(config, log)
  const routes = app(server)
  return {
    handle: (request) => routes.handle(request),
    door: homeserverDoor(server),
    wake: () => server.notifier.wakeEveryone(),
    close: () => server.close(),
  }
}

// Keys, journal and media are nobody else's business, whatever the shell's own umask allows.
process.umask(0o077)
process.exit(await runCommandLine(process.argv.slice(2), open, ownTerminal()))
