import { expect, test } from 'bun:test'
import type { Homeserver } from '#homeserver'
import { perServer } from '#http/per-server.ts'

test('each homeserver has its own, and always the same', () => {
  const listOf = perServer(() => [] as string[])
  const [one, other] = [{}, {}] as Homeserver[]
  if (!one || !other) throw new Error('unreachable')
  listOf(one).push('kept')
  expect(listOf(one)).toEqual(['kept'])
  expect(listOf(other)).toEqual([])
})
