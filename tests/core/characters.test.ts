import { expect, test } from 'bun:test'
import { firstCharacters, isLongerThan } from '#core/characters.ts'

const FOX = '\u{1f98a}'

test.each([
  ['text within the limit', 'abc', false, 'abc'],
  ['text beyond it', 'abcd', true, 'abc'],
  ['emoji within it', FOX.repeat(3), false, FOX.repeat(3)],
  ['emoji beyond it', FOX.repeat(4), true, FOX.repeat(3)],
  ['a mixture beyond it', `ab${FOX}${FOX}`, true, `ab${FOX}`],
  ['much beyond it', 'a'.repeat(1_000), true, 'aaa'],
  ['nothing', '', false, ''],
])('%s', (_says, text, isLonger, first) => {
  expect([isLongerThan(text, 3), firstCharacters(text, 3)]).toEqual([isLonger, first])
})
