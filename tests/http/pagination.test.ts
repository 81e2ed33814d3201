import { expect, test } from 'bun:test'
import { earlier, readEventFilter, readLimit, readPlace } from '#http/pagination.ts'
import { MatrixError } from '#schema/matrix-error.ts'

const errcodeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (refusal) {
    return refusal instanceof MatrixError ? refusal.errcode : String(refusal)
  }
}

test('a place is read from tokens of /messages and of /sync', () => {
  expect(readPlace('t57-4711', 'from')).toEqual({ token: { depth: 57, num: 4711 }, position: 4711 })
  expect(readPlace('s4711_boot_3', 'from')).toEqual({ token: undefined, position: 4711 })
  expect(errcodeOf(() => readPlace('x', 'from'))).toBe('M_INVALID_PARAM')
})

test('places are compared by depth, then by number', () => {
  const [low, high, deep] = [{ depth: 1, num: 5 }, { depth: 1, num: 9 }, { depth: 2, num: 1 }]
  expect([earlier(low, high), earlier(deep, high), earlier(low, low)]).toEqual([low, high, low])
})

test('a limit is capped, has a fallback and is never negative', () => {
  expect([readLimit(undefined, 10, 100), readLimit(0, 10, 100), readLimit(100, 10, 100), readLimit(101, 10, 100)]).toEqual([10, 0, 100, 100])
  expect(errcodeOf(() => readLimit(-1, 10, 100))).toBe('M_INVALID_PARAM')
})

test.each([['{', 'M_NOT_JSON'], ['[]', 'M_BAD_JSON'], ['{"senders":["bob"]}', 'M_INVALID_PARAM']])('the filter %s is %s', (text, errcode) => {
  expect(errcodeOf(() => readEventFilter(text))).toBe(errcode)
})
