import fc from 'fast-check'
import type { RoomEvent } from '#schema/pdu.ts'
import type { RoomVersion } from '#core/room-version.ts'
import type { UserId } from '#schema/identifiers.ts'
import {
  type Dag,
  type Draft,
  createDag,
  joinOf,
  joinRuleBy,
  memberOf,
  powerLevelsBy,
  topicBy,
} from './dag.ts'

/** One thing that somebody tries to do in a room, at one or more of its ends. */
export type Step = Readonly<{
  parents: readonly number[]; actor: number; target: number; act: number; level: number; ts: number,
}>

const USERS: readonly UserId[] = [
  '@alice:a.example',
  '@bob:a.example',
  '@charlie:b.example',
  '@mallory:b.example',
]
const JOIN_RULES = ['public', 'invite', 'knock', 'restricted']
const LEVELS = [0, 10, 50, 100]

export const arbitrarySteps = (length: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      parents: fc.array(fc.nat(7), { minLength: 1, maxLength: 3 }),
      actor: fc.nat(3),
      target: fc.nat(3),
      act: fc.nat(9),
      level: fc.nat(3),
      ts: fc.nat(20),
    }),
    { minLength: 4, maxLength: length },
  )

/**
 * A room by alice in which people do what the steps say, each step behind one to three of the last eight
 * events. What the rules do not allow is not put in.
 */
export function roomOf(version: RoomVersion, steps: readonly Step[]): Dag {
  const dag = createDag(version)
  dag.add(joinOf('@alice:a.example'))
  dag.add(powerLevelsBy('@alice:a.example', levelsFor(version, {})))
  dag.add(joinRuleBy('@alice:a.example', 'public'))
  for (const step of steps) {
    const draft = draftOf(version, dag, step)
    const made = dag.make(draft)
    if (dag.check(made).ok) dag.add(draft)
  }
  return dag
}

const levelsFor = (version: RoomVersion, users: Readonly<Record<string, number>>) => ({
  users: { ...(version === '12' ? {} : { '@alice:a.example': 100 }), ...users },
})

function draftOf(version: RoomVersion, dag: Dag, { parents, actor, target, act, level, ts }: Step): Draft {
  const after = [...new Set(parents.map((back) => recent(dag, back)))]
  const sender = USERS[actor] ?? '@alice:a.example'
  const other = USERS[target] ?? '@bob:a.example'
  const draft = [
    joinOf(sender),
    joinOf(sender),
    memberOf('leave', sender, other),
    memberOf('ban', sender, other),
    memberOf('invite', sender, other),
    powerLevelsBy(sender, { ...levelsFor(version, standing(dag, after, other, LEVELS[level] ?? 0)) }),
    powerLevelsBy(
      sender,
      { ...levelsFor(version, standing(dag, after, other, LEVELS[level] ?? 0)), state_default: 10 },
    ),
    joinRuleBy(sender, JOIN_RULES[level] ?? 'public'),
    topicBy(sender, `${level}`),
    { type: 'm.room.name', sender, stateKey: '', content: { name: `${level}` } },
  ][act]
  return { ...(draft ?? joinOf(sender)), after, ts: 1_700_000_000_000 + ts }
}

type Levels = Readonly<Record<string, number>>

/** The users of the power levels in force, with one of them changed. */
function standing(dag: Dag, after: readonly RoomEvent[], user: string, level: number): Levels {
  const content = dag.lookup(dag.stateBefore(after))('m.room.power_levels', '')?.pdu.content
  const users: Record<string, number> = {}
  for (const [name, value] of Object.entries(content?.['users'] ?? {})) {
    if (typeof value === 'number') users[name] = value
  }
  return dag.rules.privilegedCreators && user === '@alice:a.example' ? users : { ...users, [user]: level }
}

const recent = (dag: Dag, back: number): RoomEvent =>
  dag.events[Math.max(0, dag.events.length - 1 - back)] ?? dag.create
