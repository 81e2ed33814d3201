import { expect, test } from 'bun:test'
import { isBetterKey } from '#core/key-backup.ts'

const known = { isVerified: false, firstMessageIndex: 5, forwardedCount: 3 }

test.each([
  ['any key is better than none', known, undefined, true],
  ['the same key is no better', known, known, false],
  ['a verified key is better, however little it decrypts', { isVerified: true, firstMessageIndex: 9, forwardedCount: 9 }, known, true],
  ['an unverified key never replaces a verified one', { isVerified: false, firstMessageIndex: 0, forwardedCount: 0 }, { ...known, isVerified: true }, false],
  ['a key that decrypts more messages is better, however often forwarded', { ...known, firstMessageIndex: 4, forwardedCount: 9 }, known, true],
  ['a key that decrypts fewer messages is not', { ...known, firstMessageIndex: 6, forwardedCount: 0 }, known, false],
  ['of two equals the one that was forwarded less often is better', { ...known, forwardedCount: 2 }, known, true],
  ['of two equals the one that was forwarded more often is not', { ...known, forwardedCount: 4 }, known, false],
])('%s', (_says, offered, before, expected) => {
  expect(isBetterKey(offered, before)).toBe(expected)
})
