import { describe, expect, test } from 'bun:test'
import type { RoomVersion } from '#core/room-version.ts'
import type { EventId } from '#schema/identifiers.ts'
import type { RoomFact } from '#schema/journal/room.ts'
import { ALICE, BOB, den, eventsOf, join, MALLORY } from './den.ts'

const lastEvent = (facts: readonly { kind: string }[]): EventId => {
  const fact = facts.at(-1) as RoomFact | undefined
  return fact?.kind === 'eventAppended' ? fact.eventId : '$none'
}

function spoken(version: RoomVersion = '12') {
  const history = den({ version }).and(join(BOB)).and({ kind: 'sendMessage', userId: BOB, eventType: 'm.room.message', content: { body: 'oops' } })
  return { history, targetId: lastEvent(history.facts) }
}

describe('redactEvent', () => {
  test.each<RoomVersion>(['10', '11'])('names its target where version %s looks for it', (version) => {
    const { history, targetId } = spoken(version)
    const { facts } = history.when({ kind: 'redactEvent', userId: BOB, targetId, content: { reason: 'typo' } })
    const [appended] = facts
    const pdu = appended?.kind === 'eventAppended' ? appended.pdu : undefined
    expect(version === '10' ? pdu?.redacts : pdu?.content.redacts).toBe(targetId)
    expect(pdu?.content.reason).toBe('typo')
  })

  test('takes effect together with its event', () => {
    const { history, targetId } = spoken()
    const redacted = history.and({ kind: 'redactEvent', userId: ALICE, targetId, content: {} })
    expect(redacted.facts.at(-1)).toEqual({
      kind: 'eventRedacted', roomId: history.memory.roomId, eventId: targetId, redactedBy: lastEvent(redacted.facts.slice(0, -1)),
    })
    expect(eventsOf(redacted.facts.slice(-2, -1) as never)).toMatchObject([{ type: 'm.room.redaction', sender: ALICE }])
  })

  test('is for one’s own events, and for those with the power', () => {
    const { history, targetId } = spoken()
    const crowd = history.and(join(MALLORY))
    expect(crowd.when({ kind: 'redactEvent', userId: MALLORY, targetId, content: {} })).toMatchObject({ refused: 'M_FORBIDDEN', facts: [] })
    expect(crowd.when({ kind: 'redactEvent', userId: BOB, targetId, content: {} }).facts).toHaveLength(2)
    expect(crowd.when({ kind: 'redactEvent', userId: ALICE, targetId, content: {} }).facts).toHaveLength(2)
  })

  test.each<RoomVersion>(['1', '2', '3'])('is for one’s own events in version %s, without any power', (version) => {
    const { history, targetId } = spoken(version)
    expect(history.when({ kind: 'redactEvent', userId: BOB, targetId, content: {} }).facts.map(({ kind }) => kind)).toEqual(['eventAppended', 'eventRedacted'])
  })

  test('is refused for what is not there', () => {
    expect(spoken().history.when({ kind: 'redactEvent', userId: BOB, targetId: '$none', content: {} })).toMatchObject({ refused: 'M_NOT_FOUND' })
  })
})

test.each(['m.room.create', 'm.room.server_acl'])('redactEvent leaves %s alone, which the room could not do without', (eventType) => {
  const history = den().and({ kind: 'setRoomStateWithKey', userId: ALICE, eventType: 'm.room.server_acl', stateKey: '', content: { allow: ['*'] } })
  const fact = history.facts.find((each) => each.kind === 'eventAppended' && each.pdu.type === eventType)
  const targetId = fact?.kind === 'eventAppended' ? fact.eventId : '$none'
  expect(history.when({ kind: 'redactEvent', userId: ALICE, targetId, content: {} })).toMatchObject({ refused: 'M_FORBIDDEN', facts: [] })
})

test('redactEvent tells those outside nothing of what there is', () => {
  const { history, targetId } = spoken()
  for (const each of [targetId, '$none'] as const)
    expect(history.when({ kind: 'redactEvent', userId: MALLORY, targetId: each, content: {} })).toMatchObject({ refused: 'M_FORBIDDEN', facts: [] })
})

test('forgetOriginals says until when', () => {
  const { facts, effects } = den().when({ kind: 'forgetOriginals', until: 1234 })
  expect(facts).toEqual([{ kind: 'originalsForgotten', roomId: den().memory.roomId, until: 1234 }])
  expect(effects).toEqual([])
})
