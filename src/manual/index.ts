import commandLine from './command-line.md' with { type: 'text' }
import configuration from './configuration.md' with { type: 'text' }
import gettingStarted from './getting-started.md' with { type: 'text' }
import performance from './performance.md' with { type: 'text' }
import trouble from './trouble.md' with { type: 'text' }

/** The handbook: Markdown by topic, inside the program. */
export const manual: ReadonlyMap<string, string> = new Map([
  ['getting-started', gettingStarted],
  ['configuration', configuration],
  ['command-line', commandLine],
  ['performance', performance],
  ['trouble', trouble],
])

export const topicNames: readonly string[] = [...manual.keys()]
