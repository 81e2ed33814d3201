import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import { isServed, newSecret, writeSecretFile } from '#config'
import { isServerName } from '#schema/identifiers.ts'

import { EXIT_FINE, Failure, isFlagSet, tell, textFlag, UsageMistake, type Command } from './command.ts'
import sample from './sample-config.yaml' with { type: 'text' }

/** `warren generate-config`: a configuration with the options that are worth knowing, and a secret of its own. */
export const generateConfigCommand: Command = {
  name: 'generate-config',
  words: '[FILE]',
  count: [0, 1],
  summary: 'write a configuration to begin with (homeserver.yaml, or FILE); an existing file is left alone',
  flags: [
    { long: 'server-name', short: 'H', value: 'NAME', about: 'the part after the colon of user ids, such as example.org' },
    { long: 'data-directory', value: 'FOLDER', about: 'where everything is kept (default ./data)' },
    { long: 'report-stats', value: 'yes|no', about: 'accepted, as Synapse asks for it; nothing is ever reported' },
    { long: 'stdout', about: 'print it instead' },
  ],
  run(invocation) {
    const serverName = textFlag(invocation, 'server-name')
    if (serverName === undefined) throw new UsageMistake(['Type: warren generate-config --server-name example.org'])
    if (!isServerName(serverName)) {
      throw new UsageMistake([`${serverName} is no server name; it is a host such as example.org, without https://`])
    }
    const template: string = sample
    const text = fill(servedParts(template), {
      SERVER_NAME: serverName,
      DATA_DIRECTORY: resolve(textFlag(invocation, 'data-directory') ?? 'data'),
      SHARED_SECRET: newSecret(),
    })
    if (isFlagSet(invocation, 'stdout')) {
      invocation.terminal.out(text.trimEnd())
      return EXIT_FINE
    }
    const file = resolve(invocation.words[0] ?? textFlag(invocation, 'config') ?? 'homeserver.yaml')
    if (existsSync(file)) throw new Failure([`${file} exists and is left as it is`, 'Name another file, or remove that one'])
    writeSecretFile(file, text)
    tell(invocation, { file, serverName }, [`Wrote ${file}`, `Start it with: warren start -c ${file}`])
    return EXIT_FINE
  },
}

const OPTION_LINE = /^#? ?([a-z_]+):/

/** The sample without the options that this version does not act on, and without paragraphs that told of nothing else. */
function servedParts(template: string): string {
  return template.split('\n\n').flatMap((paragraph) => {
    const lines = paragraph.split('\n')
    const kept = lines.filter((line) => isServed(OPTION_LINE.exec(line)?.[1]))
    const isEmpty = kept.length < lines.length && !kept.some((line) => OPTION_LINE.test(line))
    return isEmpty ? [] : [kept.join('\n')]
  }).join('\n\n')
}

/** Values are put in as YAML (JSON is YAML), so that no name can break out of its place. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{([A-Z_]+)\}\}/g, (_, name: string) => JSON.stringify(values[name] ?? ''))
}
