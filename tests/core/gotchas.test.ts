import { describe, expect, test } from 'bun:test'
import { Glob } from 'bun'

/**
 * What other servers were found to treat specially has an ID, G-01 to G-40 for what is about events, rooms and state,
 * G-65 to G-90 for the Client-Server API, and is a test case by that ID. Those without one belong to a shelf that is named.
 */
const HELD_ELSEWHERE: Readonly<Record<string, string>> = {
  'G-34': 'src/store: which state stands before an event and which after it',
  'G-35': 'src/federation: rooms whose state has not all arrived',
  'G-36': 'src/store: events that have no place in the graph',
  'G-37': 'actors/room: events that were rejected or soft-failed are kept, and count as previous events',
  'G-38': 'actors/room: when the check against the current state is needless',
  'G-40': 'src/store: what a purge has to leave',
  'G-82': 'media: how they are shown, and the old paths of those that need a login',
  'G-84': 'mail addresses and telephone numbers: their canonical form, and tokens that prove them',
}

const idsFrom = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `G-${String(first + index).padStart(2, '0')}`)
const ALL = [...idsFrom(1, 40), ...idsFrom(65, 90)]
const root = `${import.meta.dir}/..`
const texts = await Promise.all(
  [...new Glob('**/*.test.ts').scanSync({ cwd: root })]
    .filter((file) => file !== 'core/gotchas.test.ts')
    .map((file) => Bun.file(`${root}/${file}`).text()),
)
const tested = new Set(texts.flatMap((text) => [...text.matchAll(/['"`](?:[^'"`\n]*\b)?(G-\d\d)\b/g)].map(([, id]) => id)))

describe('the gotchas of events, rooms, state and the Client-Server API', () => {
  test('each is a test case by its ID, or is held by a shelf that is named here', () => {
    expect(ALL.filter((id) => !tested.has(id) && HELD_ELSEWHERE[id] === undefined)).toEqual([])
  })

  test('none is named here that has its test case', () => {
    expect(Object.keys(HELD_ELSEWHERE).filter((id) => tested.has(id))).toEqual([])
  })
})
