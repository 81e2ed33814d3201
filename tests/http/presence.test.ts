import { expect, test } from 'bun:test'
import { NO_EVENT_FILTER } from '#core/sync/filter.ts'
import { house } from '#harness/house.ts'
import { PRESENCES_PER_ANSWER, readPresence } from '#http/presence.ts'
import { Notifier } from '#notifier'
import type { RoomId, UserId } from '#schema/identifiers.ts'

test('an answer shows the newest of very many changes, and costs no more than that', async () => {
  const { server, alice, close } = await house()
  const notifier = new Notifier(0, () => ['!den:a.example' as RoomId], server.clock.now)
  const watch = notifier.watch(alice.userId)
  const nameOf = (number: number): UserId => `@guest-${number}:a.example`
  const changes = PRESENCES_PER_ANSWER + 10
  for (let number = 0; number < changes; number++)
    notifier.setPresence(nameOf(number), { presence: 'online', statusMsg: null, lastActiveTs: null })
  const wanted = { watch, filter: NO_EVENT_FILTER, isInitial: false, sinceVolatile: 0, since: 0, until: 0, moved: [] }
  const senders = readPresence({ ...server, notifier }, wanted).map((text) => (JSON.parse(text) as { sender: string }).sender)
  expect(senders).toEqual(Array.from({ length: PRESENCES_PER_ANSWER }, (_, index) => nameOf(changes - 1 - index)))
  await close()
})
