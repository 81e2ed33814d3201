import { examineConfig } from '#config'

import { configOverrides, configPaths } from './configuration.ts'
import { EXIT_FINE, tell, type Command } from './command.ts'
import { askPassword, PASSWORD_FLAGS } from './password.ts'

/** As the server makes them: 19 MiB, two passes. */
const ARGON2ID = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const

/** `warren hash-password`: what is kept of a password, with the pepper of the configuration. */
export const hashPasswordCommand: Command = {
  name: 'hash-password',
  summary: 'print the hash that is kept of a password',
  flags: PASSWORD_FLAGS,
  async run(invocation) {
    const { config } = examineConfig(configPaths(invocation), configOverrides(invocation))
    const password = await askPassword(invocation)
    const hash = await Bun.password.hash(password.normalize('NFKC') + (config.passwordConfig.pepper ?? ''), ARGON2ID)
    tell(invocation, { hash }, [hash])
    return EXIT_FINE
  },
}
