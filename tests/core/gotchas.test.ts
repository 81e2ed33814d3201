import { describe, expect, test } from 'bun:test'
import { Glob } from 'bun'

/**
 * What other servers were found to treat specially has an ID, G-01 to G-40 for what is about events, rooms and state,
 * and is a test case by that ID. Those without a pure rule belong to the shelf that keeps the events.
 */
const HELD_ELSEWHERE: Readonly<Record<string, string>> = {
  'G-34': 'src/store: which state stands before an event and which after it',
  'G-35': 'src/federation: rooms whose state has not all arrived',
  'G-36': 'src/store: events that have no place in the graph',
  'G-37': 'actors/room: events that were rejected or soft-failed are kept, and count as previous events',
  'G-38': 'actors/room: when the check against the current state is needless',
  'G-40': 'src/store: what a purge has to leave',
}

const ALL = Array.from({ length: 40 }, (_, index) => `G-${String(index + 1).padStart(2, '0')}`)
const root = `${import.meta.dir}/..`
const texts = await Promise.all(
  [...new Glob('**/*.test.ts').scanSync({ cwd: root })]
    .filter((file) => file !== 'core/gotchas.test.ts')
    .map((file) => Bun.file(`${root}/${file}`).text()),
)
const tested = new Set(texts.flatMap((text) => [...text.matchAll(/['"`](?:[^'"`\n]*\b)?(G-\d\d)\b/g)].map(([, id]) => id)))

describe('the gotchas G-01 to G-40', () => {
  test('each is a test case by its ID, or is held by a shelf that is named here', () => {
    expect(ALL.filter((id) => !tested.has(id) && HELD_ELSEWHERE[id] === undefined)).toEqual([])
  })

  test('none is named here that has its test case', () => {
    expect(Object.keys(HELD_ELSEWHERE).filter((id) => tested.has(id))).toEqual([])
  })
})
