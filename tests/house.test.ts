import { describe, expect, test } from 'bun:test'
import { basename, dirname } from 'node:path'
import { Glob } from 'bun'

/** The laws of the house that a machine can hold. */

type Source = Readonly<{ path: string; text: string }>

const root = dirname(import.meta.dir)
const read = async (pattern: string): Promise<Source[]> => {
  const paths = [...new Glob(pattern).scanSync({ cwd: root })].sort()
  return Promise.all(paths.map(async (path) => ({ path, text: await Bun.file(`${root}/${path}`).text() })))
}
const sources = (await Promise.all(['schema/**/*.ts', 'actors/**/*.ts', 'src/**/*.ts'].map(read))).flat()
const tests = await read('tests/**/*.ts')

/** The first that fits says on which floor a file lives; who stands on a floor may import from those below. */
const FLOORS: readonly (readonly [prefix: string, floor: number])[] = [
  ['schema/', 0],
  ['src/text-modules.d.ts', 0],
  ['src/core/', 1],
  ['actors/kernel/', 2],
  ['actors/', 3],
  ['src/store/', 4],
  ['src/net/', 4],
  ['src/errands/', 5],
  ['src/manual/', 5],
  ['src/config', 5],
  ['src/notifier.ts', 6],
  ['src/homeserver.ts', 6],
  ['src/http/', 7],
  ['src/client/', 8],
  ['src/federation/', 8],
  ['src/admin/', 8],
  ['src/app.ts', 9],
  ['src/', 9],
]
const floorOf = (path: string): number | undefined => FLOORS.find(([prefix]) => path.startsWith(prefix))?.[1]

const { imports } = (await Bun.file(`${root}/package.json`).json()) as { imports: Record<string, string> }

/** The file in the repository that an import names, if it names one of ours. */
function fileOf(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('./')) return new URL(specifier, `file:///${from}`).pathname.slice(1)
  for (const [name, target] of Object.entries(imports)) {
    if (name === specifier) return target.slice(2)
    const shelf = name.endsWith('*') ? name.slice(0, -1) : undefined
    if (shelf && specifier.startsWith(shelf)) return target.slice(2, -1) + specifier.slice(shelf.length)
  }
  return undefined
}

const importsOf = ({ path, text }: Source): { specifier: string; file: string | undefined }[] =>
  [...text.matchAll(/^\s*(?:import|export)\s+[^'"`;]*?from\s+'([^']+)'/gm)].map(([, specifier = '']) => ({
    specifier,
    file: fileOf(path, specifier),
  }))

/** Code without comments and string contents, for the laws about words. */
const codeOf = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '').replace(/'(?:[^'\\\n]|\\.)*'/g, "''")

describe('floors', () => {
  test('every file stands on one', () => {
    expect(sources.filter(({ path }) => floorOf(path) === undefined).map(({ path }) => path)).toEqual([])
  })

  test('imports point downstairs', () => {
    const upstairs = sources.flatMap((source) =>
      importsOf(source).flatMap(({ file }) => {
        const isUp = file !== undefined && (floorOf(file) ?? 0) > (floorOf(source.path) ?? 0)
        return isUp ? [`${source.path} → ${file}`] : []
      }))
    expect(upstairs).toEqual([])
  })

  test('pages of one API do not import one another', () => {
    const pages = ['src/client/', 'src/federation/']
    const across = sources.flatMap((source) => {
      const shelf = pages.find((page) => source.path.startsWith(page))
      if (!shelf || basename(source.path) === 'index.ts') return []
      return importsOf(source).flatMap(({ file }) => (file?.startsWith(shelf) ? [`${source.path} → ${file}`] : []))
    })
    expect(across).toEqual([])
  })

  test('nothing is imported by climbing', () => {
    const climbing = [...sources, ...tests].flatMap((source) =>
      importsOf(source).flatMap(({ specifier }) => (specifier.startsWith('../') ? [`${source.path} → ${specifier}`] : [])))
    expect(climbing).toEqual([])
  })
})

describe('actors', () => {
  const FORBIDDEN = [/\bawait\b/, /\basync\b/, /\bnew Date\b/, /\bDate\.now\b/, /\bMath\.random\b/, /\bfetch\(/, /\bsetTimeout\b/, /\bsetInterval\b/]

  test('decide without clock, dice, wire or waiting', () => {
    const found = sources
      .filter(({ path }) => path.startsWith('actors/') && !path.startsWith('actors/kernel/'))
      .flatMap(({ path, text }) => FORBIDDEN.flatMap((word) => (word.test(codeOf(text)) ? [`${path}: ${word.source}`] : [])))
    expect(found).toEqual([])
  })

  test('import neither Bun, Node nor the store', () => {
    const found = sources
      .filter(({ path }) => path.startsWith('actors/') && !path.startsWith('actors/kernel/'))
      .flatMap((source) => importsOf(source).flatMap(({ specifier }) => (/^(?:bun|node:|#store|#net)/.test(specifier) ? [`${source.path} → ${specifier}`] : [])))
    expect(found).toEqual([])
  })

  test('every command kind is defined once in the whole house', () => {
    const kinds = sources.flatMap(({ text }) => [...text.matchAll(/Command<\s*'(\w+)'/g)].map(([, kind]) => kind))
    expect(kinds.filter((kind, index) => kinds.indexOf(kind) !== index)).toEqual([])
  })

  test('every fact kind is defined once in the whole house', () => {
    const kinds = sources
      .filter(({ path }) => path.startsWith('schema/journal/'))
      .flatMap(({ text }) => [...text.matchAll(/^\s*kind: '(\w+)'$/gm), ...text.matchAll(/Readonly<\{ kind: '(\w+)'/g)].map(([, kind]) => kind))
    expect(kinds.length).toBeGreaterThan(5)
    expect(kinds.filter((kind, index) => kinds.indexOf(kind) !== index)).toEqual([])
  })
})

describe('the pure core', () => {
  test('knows no time, no dice, no input and no output', () => {
    const FORBIDDEN = [/\bDate\.now\b/, /\bnew Date\(\)/, /\bMath\.random\b/, /\bfetch\(/, /\bprocess\./, /\bsetTimeout\b/, /\bBun\.(?!SHA256|CryptoHasher|hash)/]
    const found = sources
      .filter(({ path }) => path.startsWith('src/core/'))
      .flatMap(({ path, text }) => FORBIDDEN.flatMap((word) => (word.test(codeOf(text)) ? [`${path}: ${word.source}`] : [])))
    expect(found).toEqual([])
  })

  test('uses node:crypto in the files of hashes and signatures only', () => {
    const users = sources
      .filter(({ path, text }) => path.startsWith('src/core/') && /from '(?:node:|bun)/.test(text))
      .map(({ path }) => path)
    expect(users.filter((path) => !['src/core/digest.ts', 'src/core/signing.ts'].includes(path))).toEqual([])
  })
})

describe('every file', () => {
  test('exports by name', () => {
    const defaults = sources.filter(({ path, text }) => !path.endsWith('.d.ts') && /^export default\b/m.test(text)).map(({ path }) => path)
    expect(defaults).toEqual([])
  })

  test('silences no checker outside the kernel', () => {
    const found = sources
      .filter(({ path }) => !path.startsWith('actors/kernel/'))
      .flatMap(({ path, text }) => (/@ts-(?:ignore|expect-error|nocheck)|:\s*any\b|<any>|\bas any\b/.test(codeOf(text)) ? [path] : []))
    expect(found).toEqual([])
  })

  test('has a name that says something', () => {
    const vague = sources.filter(({ path }) => /\b(?:utils?|helpers?|common|misc|manager|service)\b/.test(path)).map(({ path }) => path)
    expect(vague).toEqual([])
  })
})

test('every page of the Client-Server API has a test of the same stem', () => {
  const stems = new Set(tests.map(({ path }) => basename(path, '.test.ts')))
  const untested = sources
    .filter(({ path }) => path.startsWith('src/client/') && basename(path) !== 'index.ts')
    .map(({ path }) => basename(path, '.ts'))
    .filter((stem) => !stems.has(stem))
  expect(untested).toEqual([])
})
