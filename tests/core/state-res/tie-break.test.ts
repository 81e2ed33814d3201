import { describe, expect, test } from 'bun:test'
import { byTimeThenId } from '#core/state-res/tie-break.ts'
import { createDag, messageBy } from '#harness/dag.ts'

const dag = createDag('2')
const at = (ts: number, id: string) => dag.make({ ...messageBy('@alice:a.example'), ts, id })

describe('two events that an ordering leaves level', () => {
  test.each([
    ['the earlier comes first', at(1, 'z'), at(2, 'a')],
    ['at the same time the lesser id comes first', at(1, 'a'), at(1, 'b')],
    ['capitals come before small letters', at(1, 'B'), at(1, 'a')],
    ['ids are compared by code point and not by UTF-16 unit', at(1, '\uff5e'), at(1, '\u{1f600}')],
  ])('%s', (_, first, second) => {
    expect(byTimeThenId(first, second)).toBeLessThan(0)
    expect(byTimeThenId(second, first)).toBeGreaterThan(0)
    expect(byTimeThenId(first, first)).toBe(0)
  })
})
