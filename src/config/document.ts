import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type * as Yaml from 'yaml'
import type { Document, LineCounter } from 'yaml'

import { ConfigError } from './problem.ts'
import { nameOf, type Path } from './reading.ts'

/** What the files (later ones win, key by key at the top) say, and where each key stands. */
export type Source = Readonly<{
  files: readonly string[]
  values: ReadonlyMap<string, unknown>
  place(path: Path): string
}>

type Parsed = Readonly<{ file: string; document: Document; lines: LineCounter; values: Readonly<Record<string, unknown>> }>

/** A configuration is a few kilobytes; a thing of this size is something else. */
const CONFIG_FILE_LIMIT_BYTES = 4 * 1024 ** 2

/**
 * Reads YAML 1.1 files, as Synapse writes them (`yes` and `on` are true). A folder means its *.yaml, sorted.
 * `overrides` are options that win over all files. Throws ConfigError when a file is missing or no YAML.
 */
export function readSource(paths: readonly string[], overrides: Readonly<Record<string, unknown>>): Source {
  const files = paths.flatMap(filesAt)
  const parsed = files.map(parse)
  const owner = new Map<string, Parsed>()
  const values = new Map<string, unknown>()
  for (const one of parsed) {
    for (const [key, value] of Object.entries(one.values)) {
      owner.set(key, one)
      values.set(key, value)
    }
  }
  for (const [key, value] of Object.entries(overrides)) {
    owner.delete(key)
    values.set(key, value)
  }
  return {
    files,
    values,
    place(path) {
      const one = owner.get(String(path[0]))
      if (one) return `${basename(one.file)}:${lineOf(one, path)}`
      return values.has(String(path[0])) ? `the setting ${nameOf(path)}` : ''
    },
  }
}

function filesAt(path: string): string[] {
  const full = resolve(path)
  const found = statSync(full, { throwIfNoEntry: false })
  if (!found) {
    throw new ConfigError([
      `There is no configuration at ${full}`,
      `Write one with: warren generate-config --server-name example.org --config ${path}`,
    ])
  }
  if (!found.isDirectory()) return [full]
  const inside = readdirSync(full).filter((name) => name.endsWith('.yaml')).sort()
  if (inside.length === 0) throw new ConfigError([`There is no *.yaml in the folder ${full}`])
  return inside.map((name) => join(full, name))
}

function parse(file: string): Parsed {
  const text = readText(file)
  // A server without a configuration file starts without the parser.
  const { LineCounter, parseDocument } = require('yaml') as typeof Yaml
  const lines = new LineCounter()
  const document = parseDocument(text, { version: '1.1', merge: true, lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map((error) =>
      `${basename(file)}:${lines.linePos(error.pos[0]).line}: ${plainly(error.code, error.message)}`))
  }
  const values: unknown = document.toJS({ maxAliasCount: 100 })
  if (values === null || values === undefined) return { file, document, lines, values: {} }
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new ConfigError([`${file}: a configuration is a list of options, such as "server_name: example.org"`])
  }
  return { file, document, lines, values: values as Readonly<Record<string, unknown>> }
}

function readText(file: string): string {
  try {
    if (statSync(file).size > CONFIG_FILE_LIMIT_BYTES) throw new ConfigError([`${file} is too large for a configuration`])
    return readFileSync(file, 'utf8')
  } catch (failure) {
    if (failure instanceof ConfigError) throw failure
    throw new ConfigError([`${file} cannot be read: ${String(failure instanceof Error ? failure.message : failure)}`])
  }
}

function plainly(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'This key stands here twice; remove one of the two'
  if (code === 'TAB_AS_INDENT') return 'Indent with spaces; YAML takes no tabs'
  return message
}

/** The line of the deepest key of `path` that stands in the file itself (aliases and merges have no line). */
function lineOf({ document, lines }: Parsed, path: Path): number {
  let node: unknown = document.contents
  let offset = 0
  for (const step of path) {
    const pair = pairAt(node, step)
    if (pair === undefined) break
    offset = pair.offset ?? offset
    node = pair.value
  }
  return lines.linePos(offset).line
}

type Ranged = { range?: readonly number[] | null }

function pairAt(node: unknown, step: string | number): { offset: number | undefined; value: unknown } | undefined {
  const items = (node as { items?: readonly unknown[] } | null)?.items
  if (items === undefined) return undefined
  if (typeof step === 'number') {
    const value = items[step]
    return value === undefined ? undefined : { offset: (value as Ranged).range?.[0], value }
  }
  for (const item of items) {
    const { key, value } = item as { key?: { value?: unknown } & Ranged; value?: unknown }
    if (key?.value === step) return { offset: key.range?.[0], value }
  }
  return undefined
}
