import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  parseXMatrix,
  printXMatrix,
  requestToSign,
  X_MATRIX_LIMIT,
  X_MATRIX_SIGNATURES_LIMIT,
  type XMatrix,
} from '#core/x-matrix.ts'
import type { ServerName } from '#schema/identifiers.ts'

const [a, b] = ['a.example' as ServerName, 'b.example' as ServerName]
const usual: XMatrix = { origin: a, destination: b, key: 'ed25519:key1', sig: 'ABC/def+' }
const second: XMatrix = { ...usual, key: 'ed25519:key2', sig: 'DEF' }

test('the header of the specification is read and printed', () => {
  const header =
    'X-Matrix origin="origin.hs.example.com",destination="destination.hs.example.com",' +
    'key="ed25519:key1",sig="ABCDEF..."'
  const parsed = parseXMatrix(header)
  expect(parsed).toEqual([
    {
      origin: 'origin.hs.example.com' as ServerName,
      destination: 'destination.hs.example.com' as ServerName,
      key: 'ed25519:key1',
      sig: 'ABCDEF...',
    },
  ])
  expect('ok' in parsed ? parsed : parsed.map(printXMatrix)).toEqual([header])
})

describe('G-59: the header is read', () => {
  const rest = 'destination="b.example",key="ed25519:key1",sig="ABC/def+"'
  test.each<[string, string, readonly XMatrix[]]>([
    ['in its usual form', `X-Matrix origin="a.example",${rest}`, [usual]],
    [
      'with names in any case',
      `x-MATRIX ORIGIN="a.example",Destination="b.example",kEy="ed25519:key1",SIG="ABC/def+"`,
      [usual],
    ],
    ['with spaces and tabs around commas', `X-Matrix   origin="a.example" ,\t ${rest}`, [usual]],
    ['with spaces around equals signs', `X-Matrix origin = "a.example",${rest}`, [usual]],
    ['with escapes in quotes', `X-Matrix origin="a\\.ex\\ample",${rest}`, [usual]],
    [
      'without quotes, colons included',
      'X-Matrix origin=a.example,destination=b.example,key=ed25519:key1,sig=ABC/def+',
      [usual],
    ],
    [
      'with the signature by its other name',
      `X-Matrix origin="a.example",${rest.replace('sig=', 'signature=')}`,
      [usual],
    ],
    [
      'in any order',
      'X-Matrix sig="ABC/def+",key="ed25519:key1",destination="b.example",origin="a.example"',
      [usual],
    ],
    [
      'with parameters it does not know',
      `X-Matrix org.example.x="a,b\\"c",origin="a.example",${rest}`,
      [usual],
    ],
    ['with commas at the end', `X-Matrix origin="a.example",${rest}, ,`, [usual]],
    [
      'without a destination',
      'X-Matrix origin="a.example",key="ed25519:key1",sig="ABC/def+"',
      [{ origin: a, key: 'ed25519:key1', sig: 'ABC/def+' }],
    ],
    [
      'with a port in a name',
      `X-Matrix origin="a.example:8448",${rest}`,
      [{ ...usual, origin: 'a.example:8448' as ServerName }],
    ],
    ['twice, joined by a comma', `${printXMatrix(usual)}, ${printXMatrix(second)}`, [usual, second]],
    ['twice, without a space', `${printXMatrix(usual)},${printXMatrix(second)}`, [usual, second]],
  ])('%s', (_says, header, credentials) => {
    expect(parseXMatrix(header)).toEqual(credentials)
  })
})

describe('the header is refused', () => {
  const elsewhere = printXMatrix({ ...second, origin: b })
  test.each([
    ['when it is empty', '', 'xMatrix.syntax'],
    ['with another scheme', 'Bearer abc', 'xMatrix.syntax'],
    ['without parameters', 'X-Matrix ', 'xMatrix.syntax'],
    ['with an open quote', 'X-Matrix origin="a.example', 'xMatrix.syntax'],
    ['with words between parameters', 'X-Matrix origin="a.example" and key="x"', 'xMatrix.syntax'],
    ['with a parameter given twice', `${printXMatrix(usual)},origin="b.example"`, 'xMatrix.syntax'],
    [
      'with a parameter given twice in another case',
      `${printXMatrix(usual)},ORIGIN="b.example"`,
      'xMatrix.syntax',
    ],
    ['without an origin', 'X-Matrix key="x",sig="y"', 'xMatrix.missing'],
    ['without a key', 'X-Matrix origin="a.example",sig="y"', 'xMatrix.missing'],
    ['with an empty signature', 'X-Matrix origin="a.example",key="x",sig=""', 'xMatrix.missing'],
    [
      'with an origin that is no server name',
      'X-Matrix origin="a example",key="x",sig="y"',
      'xMatrix.origin',
    ],
    [
      'with a destination that is no server name',
      'X-Matrix origin="a.example",destination="",key="x",sig="y"',
      'xMatrix.destination',
    ],
    ['with signatures of different servers', `${printXMatrix(usual)}, ${elsewhere}`, 'xMatrix.origin'],
    [
      'with too many signatures',
      Array(X_MATRIX_SIGNATURES_LIMIT + 1)
        .fill(printXMatrix(usual))
        .join(),
      'xMatrix.signatures',
    ],
    ['when it is too long', `${printXMatrix(usual)},x="${'x'.repeat(X_MATRIX_LIMIT)}"`, 'xMatrix.length'],
  ])('%s', (_says, header, rule) => {
    expect(parseXMatrix(header)).toMatchObject({ ok: false, rule })
  })

  test('quickly, however it is made', () => {
    const hostile = [
      'X-Matrix ' + 'a=,'.repeat(2700),
      'X-Matrix a="' + '\\"'.repeat(4000),
      'X-Matrix ' + ' \t'.repeat(4000),
      `X-Matrix a=b${', '.repeat(4000)}!`,
    ]
    const started = performance.now()
    expect(hostile.map((header) => 'ok' in parseXMatrix(header))).toEqual([true, true, true, true])
    expect(performance.now() - started).toBeLessThan(200)
  })
})

test('signatures up to the limit are read', () => {
  const header = Array(X_MATRIX_SIGNATURES_LIMIT).fill(printXMatrix(usual)).join()
  expect(parseXMatrix(header)).toHaveLength(X_MATRIX_SIGNATURES_LIMIT)
})

test('what is printed is read back', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9+/:_]{1,60}$/)
  const names = fc.constantFrom(a, b, '[2001:db8::1]:8448' as ServerName)
  fc.assert(
    fc.property(names, names, token, token, (origin, destination, key, sig) => {
      const credentials = { origin, destination, key, sig }
      expect(parseXMatrix(printXMatrix(credentials))).toEqual([credentials])
    }),
  )
})

test.each([
  ['with a body', { content: { pdus: [] } }, { content: { pdus: [] } }],
  ['with an empty body', { content: {} }, { content: {} }],
  ['without a body', {}, {}],
])('a request is signed %s', (_says, body, signed) => {
  const request = { method: 'PUT', uri: '/_matrix/federation/v1/send/1?x=%2F', origin: a, destination: b }
  expect(requestToSign({ ...request, ...body })).toEqual({ ...request, ...signed })
})
