import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { canonicalJson, checkCanonical, noteFloatIn } from '#core/canonical-json.ts'
import type { Json } from '#schema/pdu.ts'
import vectors from '#fixtures/spec-vectors.json' with { type: 'json' }

const ruleOf = (value: Json): string => {
  const verdict = checkCanonical(value)
  return verdict.ok ? 'ok' : verdict.rule
}

describe('canonicalJson', () => {
  test.each([...vectors.canonicalJson.printed, ...vectors.canonicalJson.derived])(
    'G-02: the spec wants $canonical',
    ({ input_text, canonical }) => {
      expect(canonicalJson(JSON.parse(input_text))).toBe(canonical)
    },
  )

  test.each([
    ['G-02: keys sort by code point, not by UTF-16 unit', '{"😀":1,"ﬃ":2}', '{"ﬃ":2,"😀":1}'],
    ['G-02: a key goes before the longer one that it begins', '{"ab":1,"a":2}', '{"a":2,"ab":1}'],
    ['G-02: astral keys sort among themselves', '{"😁":1,"😀":2}', '{"😀":2,"😁":1}'],
    ['integer-like keys sort as text', '{"10":1,"9":2,"1":3,"a":4}', '{"1":3,"10":1,"9":2,"a":4}'],
    ['integer-like keys sort as text below an array', '[{"b":[{"10":1,"9":2}]}]', '[{"b":[{"10":1,"9":2}]}]'],
    ['a key named __proto__ stays', '{"b":1,"__proto__":{"x":[1]}}', '{"__proto__":{"x":[1]},"b":1}'],
    ['a sorted key named __proto__ stays', '{"__proto__":{"b":1,"a":2}}', '{"__proto__":{"a":2,"b":1}}'],
    ['a key named toJSON is a key', '{"toJSON":1,"a":2}', '{"a":2,"toJSON":1}'],
    ['nested objects sort too', '{"a":[{"d":1,"c":[]}],"b":{}}', '{"a":[{"c":[],"d":1}],"b":{}}'],
    ['a negative zero is a zero', '[-0,{"b":-0,"a":-0}]', '[0,{"a":0,"b":0}]'],
    ['a literal backslash before ud is no surrogate', '["\\\\ud800"]', '["\\\\ud800"]'],
    ['a lone scalar is JSON', '"\\/"', '"/"'],
  ])('%s', (_says, text, canonical) => {
    expect(canonicalJson(JSON.parse(text))).toBe(canonical)
  })

  // The right-hand column is what Python 3 writes.
  test.each([
    ['0.5', '0.5'],
    ['-51146.98', '-51146.98'],
    ['0.0001', '0.0001'],
    ['0.00001', '1e-05'],
    ['-2.5e-7', '-2.5e-07'],
    ['9007199254740992.0', '9007199254740992.0'],
    ['1e16', '1e+16'],
    ['1234567890123456789.0', '1.2345678901234568e+18'],
    ['1.5e300', '1.5e+300'],
    ['5e-324', '5e-324'],
    ['1e15', '1000000000000000'],
  ])('G-01: before room version 6 the float %s is hashed as %s', (text, written) => {
    expect(canonicalJson({ b: 1, a: JSON.parse(text) })).toBe(`{"a":${written},"b":1}`)
  })

  test.each([
    ['half a surrogate pair in a string', ['\ud83d']],
    ['half a surrogate pair in a key', { a: { '\ude00': 1 } }],
    ['half a surrogate pair beside a float', [0.5, '\ud83d']],
    ['infinity', [Infinity]],
    ['what is not a number', { a: Number.NaN }],
    ['what is no JSON', { a: undefined } as never],
  ])('G-02: %s is refused', (_says, value: Json) => {
    const refusal = expect.objectContaining({ status: 400, errcode: 'M_BAD_JSON' })
    expect(() => canonicalJson(value)).toThrow(refusal)
  })

  test('any value comes back, and its text is canonical already', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const text = canonicalJson(value)
        expect(JSON.parse(text)).toEqual(positiveZeros(value))
        expect(canonicalJson(JSON.parse(text))).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })

  test('the order in which keys were set makes no difference', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value))
      }),
      { numRuns: 1000 },
    )
  })

  test('whatever way a value is written, the plain definition writes it so', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(canonicalJson(value)).toBe(byDefinition(value))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('checkCanonical', () => {
  const { min, max } = vectors.canonicalJson.integerBounds

  test.each([
    ['G-01: the largest integer passes', max, 'ok'],
    ['G-01: the smallest integer passes', [min], 'ok'],
    ['G-01: the integer above is refused', max + 1, 'canonical-json'],
    ['G-01: the integer below is refused', { a: [min - 1] }, 'canonical-json'],
    ['G-01: a float is refused', { a: { b: 0.5 } }, 'canonical-json'],
    ['G-01: infinity is refused', [-Infinity], 'canonical-json'],
    ['a negative zero passes', [-0], 'ok'],
    ['half a surrogate pair is refused', 'a\ud800', 'canonical-json'],
    ['half a surrogate pair in a key is refused', { '\udc00': 1 }, 'canonical-json'],
    ['what is no JSON is refused', { a: undefined } as never, 'canonical-json'],
    ['everything else passes', { a: [null, true, 'x😀', { '10': {} }] }, 'ok'],
  ] as [string, Json, string][])('%s', (_says, value, rule) => {
    expect(ruleOf(value)).toBe(rule)
  })

  test('an object is refused once it is known to hold an integer that was sent as a float', () => {
    const content = { level: 1 }
    expect(ruleOf({ content })).toBe('ok')
    noteFloatIn(content)
    expect(ruleOf({ content })).toBe('canonical-json')
    expect(canonicalJson({ content })).toBe('{"content":{"level":1}}')
  })

  test('keys that are left out are left out at the top alone', () => {
    expect(checkCanonical({ unsigned: { age: 0.5 } }, ['unsigned'])).toEqual({ ok: true })
    expect(checkCanonical({ content: { unsigned: 0.5 } }, ['unsigned']).ok).toBe(false)
  })
})

const key = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom('__proto__', 'constructor', '0', '10', '9', '01', 'a', 'b', '😀', 'ﬃ', '\ue000', ''),
)
const scalar = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constantFrom(null, -0),
)
const { anyJson } = fc.letrec<{ anyJson: Json }>((tie) => ({
  anyJson: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('anyJson'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('anyJson')), { maxLength: 6 }).map((entries) => Object.fromEntries(entries)),
  ),
}))

const mapped = (value: Json, entries: (all: [string, Json][]) => [string, Json][]): Json => {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value
  if (Array.isArray(value)) return value.map((item) => mapped(item, entries))
  return Object.fromEntries(
    entries(Object.entries(value)).map(([name, inner]): [string, Json] => [name, mapped(inner, entries)]),
  )
}
const positiveZeros = (value: Json): Json => mapped(value, (entries) => entries)
const reversed = (value: Json): Json => mapped(value, (entries) => entries.toReversed())

/** Sorts by the bytes of UTF-8, which stand in code-point order, and writes each part on its own. */
function byDefinition(value: Json): string {
  if (typeof value === 'number') return canonicalJson(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(byDefinition).join(',')}]`
  const entries = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${byDefinition(inner)}`).join(',')}}`
}
