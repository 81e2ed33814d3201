import { runCommandLine } from '#cli/index.ts'
import { ownTerminal } from '#cli/terminal.ts'

import { openFakeServer } from './fake-server.ts'

// The command line around a server that does nothing, for tests of everything around it.
process.exit(await runCommandLine(process.argv.slice(2), openFakeServer, ownTerminal()))
