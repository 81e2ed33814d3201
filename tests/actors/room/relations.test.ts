import { describe, expect, test } from 'bun:test'
import type { EventId } from '#schema/identifiers.ts'
import { ALICE, BOB, den, join } from './den.ts'

const say = (content: object) => ({ kind: 'sendMessage', userId: ALICE, eventType: 'm.room.message', content } as never)
const react = (eventId: EventId, key: string, userId = ALICE) =>
  ({ kind: 'sendMessage', userId, eventType: 'm.reaction', content: relates('m.annotation', eventId, { key }) } as never)
const relates = (relType: string, eventId: EventId, more = {}) => ({ 'm.relates_to': { rel_type: relType, event_id: eventId, ...more } })
const lastId = (history: ReturnType<typeof den>): EventId => {
  const fact = history.facts.findLast(({ kind }) => kind === 'eventAppended')
  if (fact?.kind !== 'eventAppended') throw new Error('nothing was appended')
  return fact.eventId
}

describe('annotations', () => {
  const said = den().and(say({ body: 'hi' }))
  const root = lastId(said)

  test('are refused the second time, even while the first is on its way to the disk', () => {
    const reacted = said.and(react(root, '👍'))
    expect(reacted.when(react(root, '👍'))).toMatchObject({ refused: 'M_DUPLICATE_ANNOTATION', facts: [] })
    expect(reacted.when(react(root, '👎')).facts).toHaveLength(1)
  })

  test('are refused when the tables hold the first', () => {
    const again = { ...(react(root, '👍') as object), isAnnotated: true } as never
    expect(said.when(again)).toMatchObject({ refused: 'M_DUPLICATE_ANNOTATION' })
  })

  test('of others, of another type and on another event are none of the same', () => {
    const reacted = said.and(join(BOB)).and(react(root, '👍'))
    expect(reacted.when(react(root, '👍', BOB)).facts).toHaveLength(1)
    expect(reacted.when({ ...(react(root, '👍') as object), eventType: 'org.example.vote' } as never).facts).toHaveLength(1)
    expect(reacted.when(react(lastId(reacted), '👍')).facts).toHaveLength(1)
  })

  test('may be said again once the first is redacted', () => {
    const reacted = said.and(react(root, '👍'))
    const redacted = reacted.and({ kind: 'redactEvent', userId: ALICE, targetId: lastId(reacted), content: {} })
    expect(redacted.when(react(root, '👍')).facts).toHaveLength(1)
  })

  test('tell a stranger nothing but that they are not in the room', () => {
    expect(said.and(react(root, '👍')).when(react(root, '👍', BOB))).toMatchObject({ refused: 'M_FORBIDDEN' })
  })
})

describe('threads', () => {
  test('do not start from an event that relates to another, but from a rich reply they do', () => {
    const said = den().and(say({ body: 'root' }))
    const root = lastId(said)
    const threaded = said.and(say({ body: 'in it', ...relates('m.thread', root) }))
    expect(threaded.when(say({ body: 'nested', ...relates('m.thread', lastId(threaded)) }))).toMatchObject({ refused: 'M_UNKNOWN' })
    const replied = said.and(say({ body: 'reply', 'm.relates_to': { 'm.in_reply_to': { event_id: root } } }))
    expect(replied.when(say({ body: 'on', ...relates('m.thread', lastId(replied)) })).facts).toHaveLength(1)
  })

  test('may start from an event that is not here', () => {
    expect(den().when(say({ body: 'on', ...relates('m.thread', '$elsewhere') })).facts).toHaveLength(1)
  })
})
