import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const kernel = join(import.meta.dir, '../../../actors/kernel')
const readme = readFileSync(join(kernel, 'README.md'), 'utf8')
const guarantees = readme.split('\n## ').find((part) => part.startsWith('Guarantees'))?.match(/^- .+$/gm) ?? []

/** Each test by its own name, and behind the name of its group. */
function namesIn(file: string): string[] {
  const text = readFileSync(join(import.meta.dir, file), 'utf8')
  let group = ''
  return [...text.matchAll(/^\s*(describe|test)\((['`])(.+)\2, (?:async )?\(/gm)].flatMap(([, kind, , name = '']) => {
    if (kind === 'describe') group = name
    return kind === 'describe' ? [] : [name, `${group} ${name}`, `${group}: ${name}`]
  })
}

const names = readdirSync(import.meta.dir).filter((file) => file.endsWith('.test.ts')).flatMap(namesIn)

test('every guarantee in the README begins the name of a test', () => {
  const untested = guarantees.filter((line) => !names.some((name) => name.startsWith(line.slice(2))))
  expect({ untested, areMany: guarantees.length > 20 }).toEqual({ untested: [], areMany: true })
})

test('the README stays under sixty lines', () => {
  expect(readme.split('\n').length).toBeLessThan(60)
})
