import type { RunningStatus } from '#admin/control.ts'
import type { Config } from '#config'

/** What a server that has started says: where it listens, where its data lie, what to put in a client. */
export function banner(config: Config, { addresses, dataDir, setupLink }: RunningStatus): readonly string[] {
  const lines = [
    `Warren listens on ${addresses.join(' and ')}`,
    `Its data are in ${dataDir}`,
    `In a Matrix client, put ${config.publicBaseurl.replace(/\/$/, '')} as the homeserver`,
  ]
  if (setupLink === null) return lines
  return [...lines, `There is no account yet. Make the first one, an admin, at ${setupLink}`]
}
