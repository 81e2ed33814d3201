import { describe, expect, test } from 'bun:test'
import { decodeBase64, encodeBase64, encodeBase64Url } from '#core/base64.ts'
import vectors from '#fixtures/spec-vectors.json' with { type: 'json' }

const utf8 = (text: string) => new TextEncoder().encode(text)

describe('unpadded base64', () => {
  test.each(vectors.unpaddedBase64)('the spec writes $utf8 as $base64', ({ utf8: text, base64 }) => {
    expect(encodeBase64(utf8(text))).toBe(base64)
    expect(decodeBase64(base64)).toEqual(utf8(text))
  })

  test.each([
    ['both alphabets name the same bytes', '-_-_', '+/+/'],
    ['padding may be there', 'Zg==', 'Zg'],
    ['padding may be cut short', 'Zg=', 'Zg'],
    ['stray bits in the last character are ignored', 'Zh', 'Zg'],
  ])('%s', (_says, given, plain) => {
    expect(decodeBase64(given)).toEqual(decodeBase64(plain))
    expect(decodeBase64(given)?.length).toBeGreaterThan(0)
  })

  test('the two alphabets differ in their last two characters', () => {
    const bytes = new Uint8Array([0xfb, 0xff, 0xbf])
    expect(encodeBase64(bytes)).toBe('+/+/')
    expect(encodeBase64Url(bytes)).toBe('-_-_')
    expect(encodeBase64Url(new Uint8Array([0xfb]))).toBe('-w')
  })

  test('the seed that the spec prints has stray bits and is read all the same', () => {
    const seed = decodeBase64(vectors.signingKey.seed)
    expect(seed?.toHex()).toBe(vectors.signingKey.seedHex)
  })

  test.each([
    ['a single character left over', 'Zm9vY'],
    ['a character of neither alphabet', 'Zm9*'],
    ['a mixture of both alphabets', '-/-/'],
    ['padding in the middle', 'Zg==Zg=='],
  ])('%s is no base64', (_says, text) => {
    expect(decodeBase64(text)).toBeUndefined()
  })
})
