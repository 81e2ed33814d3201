import type { Finding } from './reading.ts'

/** A configuration that cannot be used. `lines` say where and what to do, one thing a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  constructor(readonly lines: readonly string[], readonly findings: readonly Finding[] = []) {
    super(lines.join('\n'))
  }
}

export const sentenceOf = ({ place, text }: Finding): string => (place === '' ? text : `${place}: ${text}`)
