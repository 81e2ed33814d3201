import { expect, test } from 'bun:test'
import { sha1Hex, sha256, sha256Base64 } from '#core/digest.ts'

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

test('SHA-256 takes text as UTF-8 and bytes as they are', () => {
  expect(sha256('').toHex()).toBe(EMPTY)
  expect(sha256('日')).toEqual(sha256(new Uint8Array([0xe6, 0x97, 0xa5])))
  expect(sha256('日')).toBeInstanceOf(Uint8Array)
})

test('SHA-256 in base64 has 43 characters of either alphabet and no padding', () => {
  expect(sha256Base64('')).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU')
  expect(sha256Base64('', true)).toBe('47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')
})

test('SHA-1 is written in lower-case hexadecimal', () => {
  expect(sha1Hex('abc')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d')
})
