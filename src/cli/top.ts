import type { ActorRow } from '#admin/door.ts'

import { CONFIG_FLAGS, configFor } from './configuration.ts'
import { EXIT_FINE, isFlagSet, numberFlag, tell, textFlag, UsageMistake, type Command, type Invocation } from './command.ts'
import { bytes, columns } from './format.ts'
import { overSocket, type ControlDoor } from './server.ts'

const CLEAR_SCREEN = '\u001b[H\u001b[2J'
const DEFAULT_ROWS = 30

const SORTS = {
  mail: (row: ActorRow) => row.mailboxDepth,
  turns: (row: ActorRow) => row.turns,
  failures: (row: ActorRow) => row.failures,
  memory: (row: ActorRow) => row.memoryBytes ?? 0,
} as const

/** `warren top`: the actors that are awake, the busiest first, again and again. */
export const topCommand: Command = {
  name: 'top',
  summary: 'show the actors that are awake: kind, mail waiting, turns, memory; Ctrl-C ends it',
  flags: [
    ...CONFIG_FLAGS,
    { long: 'once', about: 'show it once (as when the output is no terminal)' },
    { long: 'every', value: 'SECONDS', about: 'how often (1)' },
    { long: 'rows', value: 'N', about: 'how many (30)' },
    { long: 'sort', value: 'COLUMN', about: `${Object.keys(SORTS).join(', ')} (turns)` },
  ],
  async run(invocation) {
    const door = overSocket(configFor(invocation))
    const everyMs = numberFlag(invocation, 'every', 1, 1) * 1000
    const isOnce = isFlagSet(invocation, 'once') || invocation.json || !invocation.terminal.isInteractive
    const sort = sortOf(invocation)
    let before = new Map<string, number>()
    for (;;) {
      const actors = await readActors(door)
      const rows = tableOf(actors, { before, everyMs, sort, limit: numberFlag(invocation, 'rows', DEFAULT_ROWS, 1) })
      if (isOnce) {
        tell(invocation, { actors }, rows)
        return EXIT_FINE
      }
      invocation.terminal.out(CLEAR_SCREEN + rows.join('\n'))
      before = new Map(actors.map((row) => [nameOf(row), row.turns]))
      await Bun.sleep(everyMs)
    }
  },
}

type Sort = keyof typeof SORTS

function sortOf(invocation: Invocation): Sort {
  const given = textFlag(invocation, 'sort') ?? 'turns'
  if (Object.hasOwn(SORTS, given)) return given as Sort
  throw new UsageMistake([`--sort takes ${Object.keys(SORTS).join(', ')}, not ${given}`])
}

const readActors = async (door: ControlDoor): Promise<readonly ActorRow[]> =>
  ((await door.ask('GET', '/actors')) as { actors: readonly ActorRow[] }).actors

const nameOf = ({ kind, id }: ActorRow): string => `${kind}/${id}`

type View = Readonly<{ before: ReadonlyMap<string, number>; everyMs: number; sort: Sort; limit: number }>

export function tableOf(actors: readonly ActorRow[], { before, everyMs, sort, limit }: View): readonly string[] {
  const shown = actors.toSorted((a, b) => SORTS[sort](b) - SORTS[sort](a)).slice(0, limit)
  const rows = shown.map((row) => {
    const earlier = before.get(nameOf(row))
    const rate = earlier === undefined ? '' : ((row.turns - earlier) * 1000 / everyMs).toFixed(1)
    const memory = row.memoryBytes === null ? '' : bytes(row.memoryBytes)
    return [row.kind, row.id, String(row.mailboxDepth), String(row.turns), rate, String(row.failures), memory]
  })
  const heading = ['kind', 'id', ' mail', ' turns', ' per second', ' failures', ' memory']
  return [...columns(heading, rows), `${actors.length} awake`]
}
