import { describe, expect, test } from 'bun:test'
import type { RoomFact } from '#schema/journal/room.ts'
import { ALICE, den } from './den.ts'

const AT = 1_700_000_001_000
const say = (content: object) =>
  ({ kind: 'sendMessage', userId: ALICE, eventType: 'm.room.message', content: { body: 'psst', ...content } }) as const
const appended = (facts: readonly { kind: string }[]) => (facts as readonly RoomFact[]).findLast((fact) => fact.kind === 'eventAppended')

describe('a message that says when it ends', () => {
  test('is noted with its time', () => {
    const { facts } = den().when(say({ 'org.matrix.self_destruct_after': AT }))
    const { roomId, eventId } = appended(facts) ?? {}
    expect(facts.slice(1)).toEqual([{ kind: 'selfDestructSet', roomId, eventId, expiresTs: AT }] as never)
  })

  test.each([['text', 'soon'], ['a list', [AT]], ['nothing', undefined]])('is a message like others where the time is %s', (_what, time) => {
    const content = time === undefined ? {} : { 'org.matrix.self_destruct_after': time }
    expect(den().when(say(content)).facts.map(({ kind }) => kind)).toEqual(['eventAppended'])
  })

  test('stays when it is state', () => {
    const content = { topic: 'x', 'org.matrix.self_destruct_after': AT }
    const { facts } = den().when({ kind: 'setRoomStateWithKey', userId: ALICE, eventType: 'm.room.topic', stateKey: '', content })
    expect(facts.map(({ kind }) => kind)).toEqual(['eventAppended'])
  })
})

describe('selfDestruct', () => {
  test('takes the content away', () => {
    const history = den().and(say({ 'org.matrix.self_destruct_after': AT }))
    const { roomId, eventId = '$none' } = appended(history.facts as never) ?? {}
    expect(history.when({ kind: 'selfDestruct', eventId })).toMatchObject({ facts: [{ kind: 'messageSelfDestructed', roomId, eventId }], effects: [{ kind: 'ring' }] })
  })

  test('passes over what is not in the room', () => {
    expect(den().when({ kind: 'selfDestruct', eventId: '$none' })).toMatchObject({ facts: [], effects: [] })
  })
})
