import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import type { Kinded } from '#actors/kernel/actor.ts'
import type { RoomFact } from '#schema/journal/room.ts'
import { migrate } from '#store/database.ts'
import { CACHED_EVENTS, eventsAtHand } from '#store/events-at-hand.ts'
import { storeOn } from '#store/store.ts'
import { wireBatch, writeBatch } from '#store/write-batch.ts'
import { chat, rowsOf } from './fixture.ts'

function desk() {
  const db = new Database(':memory:', { strict: true })
  migrate(db)
  const store = storeOn(db)
  const room = chat()
  const events = eventsAtHand(store)
  let position = 1
  /** As the kernel does it: told at once, written later. */
  const decide = (...facts: RoomFact[]) => {
    const rows = rowsOf(facts as never, position)
    position += facts.length
    for (const row of rows) events.decided(row.fact, row.position)
    return {
      commit: (): void => {
        writeBatch(store, wireBatch(rows, []))
        events.committed({ rows: rows.map((row) => ({ ...row, ts: 0, fact: row.fact as Kinded })), snapshots: [] })
      },
    }
  }
  decide(room.create, room.join).commit()
  return { room, events, decide, bodyOf: (id: `$${string}`) => events.find(id)?.pdu.content.body }
}

describe('events at hand', () => {
  test('are there from their decision on, before and after they are written', () => {
    const { room, decide, bodyOf } = desk()
    const [one, two] = [room.message('one'), room.message('two')]
    expect(bodyOf(one.eventId)).toBeUndefined()
    const first = decide(one)
    const second = decide(two)
    expect([bodyOf(one.eventId), bodyOf(two.eventId)]).toEqual(['one', 'two'])
    first.commit()
    expect([bodyOf(one.eventId), bodyOf(two.eventId)]).toEqual(['one', 'two'])
    second.commit()
    expect([bodyOf(one.eventId), bodyOf(two.eventId)]).toEqual(['one', 'two'])
  })

  test('are gone when their commit has failed, with everything decided after them', () => {
    const { room, events, decide, bodyOf } = desk()
    const [kept, lost] = [room.message('kept'), room.message('lost')]
    decide(kept).commit()
    decide(lost)
    events.failed()
    expect([bodyOf(kept.eventId), bodyOf(lost.eventId)]).toEqual(['kept', undefined])
  })

  test('lose what a redaction takes once that is written, though they were asked for meanwhile', () => {
    const { room, decide, bodyOf } = desk()
    const oops = room.message('oops')
    decide(oops).commit()
    const redaction = room.redaction(oops.eventId)
    const redacted = decide(redaction, { kind: 'eventRedacted', roomId: room.roomId, eventId: oops.eventId, redactedBy: redaction.eventId })
    expect(bodyOf(oops.eventId)).toBe('oops')
    redacted.commit()
    expect(bodyOf(oops.eventId)).toBeUndefined()
  })

  test('are kept parsed while they are asked for, and no more of them than the limit', () => {
    const { room, events, decide } = desk()
    const messages = Array.from({ length: CACHED_EVENTS }, (_, number) => room.message(`${number}`))
    decide(...messages).commit()
    const create = events.find(room.create.eventId)
    for (const { eventId } of messages.slice(0, -1)) events.find(eventId)
    expect(events.find(room.create.eventId)).toBe(create)
    const first = events.find(messages[1]?.eventId ?? '$')
    events.find(messages.at(-1)?.eventId ?? '$')
    expect(events.find(messages[1]?.eventId ?? '$')).toBe(first)
    expect(events.find(messages[0]?.eventId ?? '$')?.pdu.content.body).toBe('0')
    for (const { eventId } of messages) events.find(eventId)
    expect(events.find(room.create.eventId)).not.toBe(create)
  })
})
