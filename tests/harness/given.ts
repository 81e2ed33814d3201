import { pack, unpack } from 'msgpackr'
import type { AnyCommand, Behaviour, Kinded } from '#actors/kernel/actor.ts'
import type { WorldTurn } from '#actors/world.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import { signingKeyFromSeed } from '#core/signing.ts'
import type { EventId, ServerName } from '#schema/identifiers.ts'

/** Given a history, when a command comes, then everything it decides: no system, no disk, no clock. */

export const WORLD = {
  serverName: 'a.example' as ServerName,
  signingKey: signingKeyFromSeed('ed25519:test', new Uint8Array(32).fill(7)),
  messagesSelfDestruct: true,
}
export const NOW = 1_700_000_000_000
/** Senders have found nothing of the history in the tables. */
const NOTHING_WRITTEN = 0

export type Outcome<Fact, Note, Effect> = Readonly<{
  facts: readonly Fact[]
  notes: readonly Note[]
  effects: readonly Effect[]
  reply: unknown
  /** The code of the refusal; absent when there is none. */
  refused?: string
  why?: string
}>

export type Given<Memory, C extends AnyCommand, Fact extends Kinded, Note extends Kinded, Effect> = Readonly<{
  /** The memory that this history leads to. */
  memory: Memory
  facts: readonly (Fact | Note)[]
  /** What the command decides. Nothing changes. */
  when: (command: C, now?: number) => Outcome<Fact, Note, Effect>
  /** The same history, and then this command. Throws when it is refused. */
  and: (command: C, now?: number) => Given<Memory, C, Fact, Note, Effect>
}>

/** `facts` may also hold notes. Commands and replies cross as msgpackr bytes, as they would cross a wire. */
export function given<Memory, C extends AnyCommand, Fact extends Kinded, Note extends Kinded, Effect>(
  behaviour: Behaviour<Memory, C, Fact, Note, Effect, WorldTurn>,
  id: string,
  ...facts: readonly (Fact | Note)[]
): Given<Memory, C, Fact, Note, Effect> {
  const replay = (): Memory => {
    const memory = behaviour.empty(id)
    facts.forEach((fact, index) => applyTo(behaviour, memory, fact, index + 1))
    return memory
  }
  const when = (command: C, now = NOW): Outcome<Fact, Note, Effect> => {
    const sent = unpack(pack(command)) as C
    const handler = behaviour.decide[sent.kind as keyof typeof behaviour.decide] as unknown as Handler<Memory, C, Fact, Note, Effect>
    const decision = handler(replay(), sent, turnAfter(facts, now))
    if ('refuse' in decision) return { facts: [], notes: [], effects: [], reply: undefined, refused: decision.refuse.errcode, why: decision.refuse.message }
    const { facts: decided = [], notes = [], effects = [], reply } = decision
    return { facts: decided, notes, effects, reply: unpack(pack(reply)) }
  }
  return {
    memory: replay(),
    facts,
    when,
    and(command, now) {
      const { facts: decided, notes, refused, why } = when(command, now)
      if (refused !== undefined) throw new Error(`${command.kind} is refused: ${refused} ${why}`)
      return given(behaviour, id, ...facts, ...decided, ...notes)
    },
  }
}

type Handler<Memory, C, Fact, Note, Effect> = (memory: Memory, command: C, turn: WorldTurn) =>
  | { refuse: { errcode: string; message: string } }
  | { facts?: readonly Fact[]; notes?: readonly Note[]; effects?: readonly Effect[]; reply?: unknown }

function applyTo<Memory>(behaviour: { apply: object }, memory: Memory, fact: Kinded, position: number): void {
  const apply = behaviour.apply as Record<string, (memory: Memory, fact: Kinded, position: number, written: number) => void>
  apply[fact.kind]?.(memory, fact, position, NOTHING_WRITTEN)
}

function turnAfter(facts: readonly Kinded[], now: number): WorldTurn {
  const events = new Map(facts.flatMap((fact) => {
    const event = fact as Partial<RoomEvent>
    return fact.kind === 'eventAppended' && event.eventId && event.roomId && event.pdu
      ? [[event.eventId, { eventId: event.eventId, roomId: event.roomId, pdu: event.pdu }] as const]
      : []
  }))
  return {
    ...WORLD,
    id: `turn-${facts.length}`,
    now,
    nonce: `${facts.length}`.padEnd(32, 'n'),
    cause: 'test',
    position: facts.length + 1,
    written: NOTHING_WRITTEN,
    event: (eventId: EventId) => events.get(eventId),
  }
}
