import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import { loadConfig, type Config } from '#config'

import type { Flag, Invocation } from './command.ts'

const USUAL_FILE = 'homeserver.yaml'

/** Options that a command may set over the file. */
export const CONFIG_FLAGS: readonly Flag[] = [
  { long: 'server-name', short: 'H', value: 'NAME', about: 'server_name, over the configuration' },
  { long: 'data-directory', value: 'FOLDER', about: 'data_dir, over the configuration' },
]

/** The files named with -c (or as a word, as synctl takes it), else homeserver.yaml here if there is one, else none. */
export function configPaths({ flags }: Invocation, word?: string): readonly string[] {
  const given = [...(flags.get('config') ?? []), ...(word === undefined ? [] : [word])]
  if (given.length > 0) return given.map((path) => resolve(path))
  return existsSync(USUAL_FILE) ? [resolve(USUAL_FILE)] : []
}

export function configOverrides({ flags }: Invocation): Readonly<Record<string, string>> {
  const serverName = flags.get('server-name')?.at(-1)
  const dataDir = flags.get('data-directory')?.at(-1)
  return {
    ...(serverName === undefined ? {} : { server_name: serverName }),
    ...(dataDir === undefined ? {} : { data_dir: dataDir }),
  }
}

/** The configuration that a command works with. Throws ConfigError. */
export const configFor = (invocation: Invocation, word?: string): Config =>
  loadConfig(configPaths(invocation, word), configOverrides(invocation))
