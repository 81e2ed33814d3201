import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import { newSigningKeyLine, writeSecretFile } from '#config'

import { EXIT_FINE, Failure, tell, textFlag, type Command } from './command.ts'

/** `warren generate-signing-key`: a new key in the form of Synapse's file. */
export const generateSigningKeyCommand: Command = {
  name: 'generate-signing-key',
  summary: 'make a signing key; the server makes its own at the first start',
  flags: [{ long: 'output', short: 'o', value: 'FILE', about: 'write it there (mode 0600) instead of printing it' }],
  run(invocation) {
    const line = newSigningKeyLine()
    const file = textFlag(invocation, 'output')
    if (file === undefined || file === '-') {
      tell(invocation, { key: line.trim() }, [line.trim()])
      return EXIT_FINE
    }
    const full = resolve(file)
    if (existsSync(full)) throw new Failure([`${full} exists; a signing key is never overwritten`])
    writeSecretFile(full, line)
    tell(invocation, { file: full }, [`Wrote ${full}`])
    return EXIT_FINE
  },
}
