import { CONFIG_FLAGS, configFor } from './configuration.ts'
import { banner } from './banner.ts'
import { EXIT_FAILED, EXIT_FINE, EXIT_STOPPED, tell, type Command } from './command.ts'
import { age, bytes, counted } from './format.ts'
import { probe } from './server.ts'

const active = (users: number | null): string => (users === null ? '' : ` (${users} active this month)`)

/** `warren status`: exit code 0 when it runs, 3 when it is stopped, 1 when it does not answer. */
export const statusCommand: Command = {
  name: 'status',
  words: '[FILE]',
  count: [0, 1],
  summary: 'say whether the server runs (exit code 0), or is stopped (3), or does not answer (1)',
  flags: CONFIG_FLAGS,
  async run(invocation) {
    const config = configFor(invocation, invocation.words[0])
    const found = await probe(config)
    if (found.state === 'stopped') {
      tell(invocation, { state: 'stopped', dataDir: config.dataDir }, [`Warren is not running on ${config.dataDir}`])
      return EXIT_STOPPED
    }
    if (found.state === 'busy') {
      const by = found.pid === null ? '' : ` by process ${found.pid}`
      tell(invocation, { state: 'busy', pid: found.pid, dataDir: config.dataDir },
        [`${config.dataDir} is held${by}, which does not answer: it starts, stops or hangs`])
      return EXIT_FAILED
    }
    const { serverName, running, stats } = found.status
    tell(invocation, { state: 'running', serverName, ...running, ...stats }, [
      `Warren ${running.version} runs as ${serverName} (process ${running.pid}) for ${age(Date.now() - running.startedTs)}`,
      ...banner(config, running),
      `${counted(stats.users, 'user')}${active(stats.monthlyUsers)}, ${counted(stats.rooms, 'room')}, database ${bytes(stats.databaseBytes)}, memory ${bytes(running.memoryBytes)}`,
      ...(stats.isDiskFull ? ['The disk is full: writes are refused until there is room again'] : []),
      ...stats.problems.map((problem) => `Damaged: ${problem}`),
      ...Object.entries(stats.brokenInvariants).filter(([, count]) => count > 0).map(([what, count]) =>
        `A fault of this program, please report it: ${what} (${count === 1 ? 'once' : `${count} times`})`),
    ])
    return EXIT_FINE
  },
}
