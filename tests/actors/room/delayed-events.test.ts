import { describe, expect, test } from 'bun:test'
import { room } from '#actors/room/room.ts'
import { NOW } from '#harness/given.ts'
import { ALICE, BOB, den, eventsOf, join } from './den.ts'

const schedule = (userId: typeof ALICE | typeof BOB, stateKey: string | null, delayMs = 5_000) => ({
  kind: 'scheduleDelayedEvent', userId, deviceId: 'PHONE', eventType: 'org.example.call', stateKey, content: { n: 1 }, delayMs, stickyMs: null, txnId: null,
}) as const

const levels = { events: { 'org.example.call': 0 } }
/** The id of what the next command schedules follows from the number of facts before it. */
const idIn = (given: ReturnType<typeof den>): string => [...given.memory.delayed.keys()].at(-1) ?? ''

describe('a delayed event', () => {
  test('sets its timer, and the event and its end are one decision', () => {
    const before = den({ levels })
    const outcome = before.when(schedule(ALICE, null))
    const { delayId } = outcome.reply as { delayId: string }
    expect(outcome.effects).toEqual([{ kind: 'after', ms: 5_000, command: { kind: 'delayedEventDue', delayId, runningTs: NOW } }] as never)
    const due = before.and(schedule(ALICE, null)).when({ kind: 'delayedEventDue', delayId, runningTs: NOW }, NOW + 5_000)
    expect(eventsOf(due.facts)).toEqual([{ type: 'org.example.call', sender: ALICE, content: { n: 1 } }])
    expect(due.facts.at(-1)).toEqual({ kind: 'delayedEventEnded', roomId: before.memory.roomId, delayId, outcome: 'sent' })
  })

  test('is not moved by the timer of a delay that was restarted', () => {
    const waiting = den({ levels }).and(schedule(ALICE, null))
    const delayId = idIn(waiting)
    const restarted = waiting.and({ kind: 'restartDelayedEvent', delayId }, NOW + 1_000)
    expect(restarted.when({ kind: 'delayedEventDue', delayId, runningTs: NOW }, NOW + 5_000)).toMatchObject({ facts: [], effects: [] })
    expect(restarted.when({ kind: 'delayedEventDue', delayId, runningTs: NOW + 1_000 }, NOW + 6_000).facts).toHaveLength(2)
  })

  test('is refused by the rules when it is due, and is gone then', () => {
    const waiting = den({ levels }).and(join(BOB)).and(schedule(BOB, null)).and({ kind: 'leaveRoom', userId: BOB })
    const delayId = idIn(waiting)
    expect(waiting.when({ kind: 'delayedEventDue', delayId, runningTs: NOW }).facts).toEqual([
      { kind: 'delayedEventEnded', roomId: waiting.memory.roomId, delayId, outcome: 'refused' },
    ])
  })

  test('is armed again from a snapshot, what is overdue at once', () => {
    const waiting = den({ levels }).and(schedule(ALICE, '_a')).and(schedule(ALICE, '_b', 60_000))
    const { freeze, thaw } = room.snapshot
    const thawed = thaw(structuredClone(freeze(waiting.memory)) as never, waiting.memory.roomId)
    expect(thawed.delayed).toEqual(waiting.memory.delayed)
    const { effects } = waiting.when({ kind: 'armDelayedEvents' }, NOW + 10_000)
    expect(effects.map((effect) => (effect.kind === 'after' ? effect.ms : undefined))).toEqual([0, 50_000])
  })

  test('of another user is called off by the state that takes its place', () => {
    const waiting = den({ levels }).and(join(BOB)).and(schedule(BOB, '_x')).and(schedule(ALICE, '_x')).and(schedule(BOB, '_y'))
    const set = { kind: 'setRoomStateWithKey', userId: ALICE, eventType: 'org.example.call', stateKey: '_x', content: { n: 2 } } as const
    const ended = waiting.when(set).facts.filter(({ kind }) => kind === 'delayedEventEnded')
    expect(ended).toEqual([{ kind: 'delayedEventEnded', roomId: waiting.memory.roomId, delayId: [...waiting.memory.delayed.keys()][0] ?? '', outcome: 'cancelled' }])
  })
})
