import { VERSION } from '#process/version.ts'

import { EXIT_FINE, tell, type Command } from './command.ts'

export const versionCommand: Command = {
  name: 'version',
  summary: 'print the version',
  run(invocation) {
    tell(invocation, { version: VERSION, bun: Bun.version }, [`warren ${VERSION} (Bun ${Bun.version})`])
    return EXIT_FINE
  },
}
