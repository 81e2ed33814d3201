import { ConfigError, examineConfig, type Examined, type Finding } from '#config'

import { CONFIG_FLAGS, configOverrides, configPaths } from './configuration.ts'
import { EXIT_FAILED, EXIT_FINE, tell, type Command } from './command.ts'
import { columns } from './format.ts'

const STANDINGS = { served: 'served', needless: 'needless here', notYet: 'not served yet', refused: 'cannot be kept', unknown: 'unknown' }

/** `warren config check`: every option that is set, what becomes of it, and every mistake with its line. */
export const configCheckCommand: Command = {
  name: 'config check',
  words: '[FILE]',
  count: [0, 1],
  summary: 'say what becomes of every option that is set, and what is wrong; changes nothing',
  flags: CONFIG_FLAGS,
  run(invocation) {
    const paths = configPaths(invocation, invocation.words[0])
    const { findings, options } = examine(paths, configOverrides(invocation))
    const errors = findings.filter(({ level }) => level === 'error')
    const isUsable = errors.length === 0
    const files = paths.length === 0 ? 'No configuration here; these are the defaults' : paths.join(', ')
    tell(invocation, { files: paths, usable: isUsable, options, findings }, [
      files,
      ...(options.length === 0 ? [] : columns(['option', 'standing', 'where'], options.map(({ name, standing, place }) =>
        [name, STANDINGS[standing], place]))),
      ...findings.map(({ level, place, text }) => `${level}: ${place === '' ? '' : `${place}: `}${text}`),
      isUsable ? 'The server can start with this' : `The server cannot start with this: ${errors.length} to mend`,
    ])
    return isUsable ? EXIT_FINE : EXIT_FAILED
  },
}

type Said = Readonly<{ findings: readonly Finding[]; options: Examined['options'] }>

/** A file that cannot be read at all has no options, but its mistakes have lines too. */
function examine(paths: readonly string[], overrides: Readonly<Record<string, string>>): Said {
  try {
    return examineConfig(paths, overrides)
  } catch (failure) {
    if (!(failure instanceof ConfigError)) throw failure
    return { options: [], findings: failure.lines.map((text) => ({ level: 'error', option: '', place: '', text })) }
  }
}
