import { loadConfig } from '#config'

import { CONFIG_FLAGS, configOverrides, configPaths } from './configuration.ts'
import type { Command } from './command.ts'
import { start } from './start.ts'
import { stop } from './stop.ts'

/** `warren restart`: stop, then start; a configuration with mistakes stops nothing. */
export const restartCommand: Command = {
  name: 'restart',
  words: '[FILE]',
  count: [0, 1],
  summary: 'stop the server, then start it',
  flags: CONFIG_FLAGS,
  async run(invocation) {
    loadConfig(configPaths(invocation, invocation.words[0]), configOverrides(invocation))
    const { terminal, json } = invocation
    await stop(json ? { ...invocation, terminal: { ...terminal, out() {} } } : invocation)
    return start(invocation)
  },
}
