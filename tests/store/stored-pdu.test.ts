import { expect, test } from 'bun:test'
import { canonicalJson } from '#core/canonical-json.ts'
import { openStore } from '#store/open-store.ts'
import { findEvent } from '#store/events.ts'
import { pduOf, storedText } from '#store/stored-pdu.ts'
import { wireBatch } from '#store/write-batch.ts'
import { chat, rowsOf } from './fixture.ts'

const room = chat()

test.each([
  ['a message', room.message('hi')],
  ['an empty message of odd characters', room.message('', 't', { 'Ä': '🐇', zz: { type: 'm.room.name', depth: 7 } })],
  ['a state event', room.state('m.room.name', { name: 'Den' })],
  ['a state event with a key', room.state('m.room.member', { membership: 'leave' }, '@bob:a.example')],
  ['a create event, which names no room', room.create],
])('%s comes back whole from its text and columns', async (_, fact) => {
  const { reader, writer } = await openStore(':memory:', 'full')
  await writer.write(wireBatch(rowsOf([fact]), []))
  expect(findEvent(reader, fact.eventId)).toEqual({ eventId: fact.eventId, roomId: fact.roomId, pdu: fact.pdu })
  expect(canonicalJson(findEvent(reader, fact.eventId)?.pdu ?? '')).toBe(fact.json)
})

test('what is stored is valid JSON in which content stands where it stood', () => {
  const fact = room.message('hi')
  const text = storedText(fact.pdu, fact.json, fact.contentEnd, fact.roomId)
  expect(JSON.parse(text)).toEqual({
    auth_events: fact.pdu.auth_events,
    content: fact.pdu.content,
    hashes: fact.pdu.hashes,
    prev_events: fact.pdu.prev_events,
    signatures: fact.pdu.signatures,
  })
  expect(text.slice(fact.contentStart, fact.contentEnd)).toBe(canonicalJson(fact.pdu.content))
})

test('an event of a room that names another is kept whole', async () => {
  const fact = room.message('hi')
  expect(storedText(fact.pdu, fact.json, fact.contentEnd, '!other')).toBe(fact.json)
  const { reader } = await openStore(':memory:', 'full')
  expect(pduOf(reader, { room: 1, type: 1, state_key: null, sender: 1, depth: 0, ts: 0, json: fact.json })).toEqual(fact.pdu)
})
