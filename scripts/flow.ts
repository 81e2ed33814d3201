import { join } from 'node:path'

/**
 * `bun scripts/flow.ts` writes actors/README.md: every actor, its mail, its facts, and who sends what. All of it is read
 * from the source, where each kind stands once. `--print` only prints.
 */

const root = join(import.meta.dir, '..')
const PAGE = join(root, 'actors', 'README.md')

type Source = Readonly<{ path: string; text: string }>
type Actor = Readonly<{ name: string; id: string; commands: ReadonlyMap<string, string>; facts: readonly string[] }>

const IDS: Readonly<Record<string, string>> = {
  room: '`!room`',
  user: '`@user`, of this server only',
  device: '`@user/DEVICE`',
  alias: '`#alias`: its mailbox is its uniqueness',
  registration: 'the only one of its kind',
}

const read = async (pattern: string): Promise<Source[]> => {
  const paths = [...new Bun.Glob(pattern).scanSync({ cwd: root })].sort()
  return Promise.all(paths.map(async (path) => ({ path, text: await Bun.file(join(root, path)).text() })))
}

const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found]) => found ?? '')

async function actors(): Promise<Actor[]> {
  const facts = (await read('schema/journal/*.ts')).flatMap(({ text }) => matches(text, /kind: '(\w+)'/g))
  return Promise.all(Object.entries(IDS).map(async ([name, id]) => {
    const files = await read(`actors/${name}/*.ts`)
    const commands = files.flatMap(({ path, text }) => matches(text, /Command<\s*'(\w+)'/g).map((kind) => [kind, path] as const))
    const applied = facts.filter((fact) => files.some(({ text }) => new RegExp(`^  ${fact}\\(`, 'm').test(text)))
    return { name, id, commands: new Map(commands), facts: [...new Set(applied)] }
  }))
}

/** Files that send a command, without the one that decides it. */
function sendersOf(kind: string, decidedIn: string, sources: readonly Source[]): string[] {
  return sources.filter(({ path, text }) => path !== decidedIn && text.includes(`kind: '${kind}'`)).map(({ path }) => path)
}

export async function describeFlow(): Promise<string> {
  const all = await actors()
  const sources = [...(await read('actors/**/*.ts')), ...(await read('src/**/*.ts'))].filter(({ path }) => !path.startsWith('actors/kernel/'))
  const sections = all.map(({ name, id, commands, facts }) => [
    `## ${name}`,
    '',
    `Id: ${id}. Facts: ${facts.map((fact) => `\`${fact}\``).join(', ') || 'none'}.`,
    '',
    '| command | decided in | sent by |',
    '| --- | --- | --- |',
    ...[...commands].map(([kind, path]) => `| \`${kind}\` | ${path} | ${sendersOf(kind, path, sources).join(', ') || 'itself, or under a computed name'} |`),
    '',
  ].join('\n'))
  return [
    '# The actors',
    '',
    'Who decides what, and who asks them to. A decision is pure: `(memory, command, turn) → facts, notes, effects, reply`; `apply` alone writes',
    'memory; what an actor may do to the world stands in `effects.ts`. Written by `bun scripts/flow.ts`; a test fails when it is out of date.',
    '',
    ...sections,
  ].join('\n')
}

if (import.meta.main) {
  const page = await describeFlow()
  if (process.argv.includes('--print')) console.log(page)
  else await Bun.write(PAGE, page)
}
