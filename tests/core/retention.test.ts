import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '#schema/pdu.ts'
import { isRetentionPolicy, lifetimeOf, type RetentionRules } from '#core/retention.ts'

const NOTHING: RetentionRules = { defaultMaxMs: null, allowedMinMs: null, allowedMaxMs: null }

describe('how long messages are kept', () => {
  test.each<[string, Partial<RetentionRules>, JsonObject | undefined, number | null]>([
    ['for ever, where nobody says anything', {}, undefined, null],
    ['for ever, where the room says only how long at least', {}, { min_lifetime: 5 }, null],
    ['as long as the room says', {}, { max_lifetime: 10 }, 10],
    ['as long as the server says, where the room says nothing', { defaultMaxMs: 20 }, undefined, 20],
    ['as the room says before the server', { defaultMaxMs: 20 }, { max_lifetime: 10 }, 10],
    ['as the server says, where the room makes no sense', { defaultMaxMs: 20 }, { max_lifetime: '10' }, 20],
    ['as the server says, where the room is negative', { defaultMaxMs: 20 }, { max_lifetime: -1 }, 20],
    ['no shorter than is allowed', { allowedMinMs: 30 }, { max_lifetime: 10 }, 30],
    ['no longer than is allowed', { allowedMaxMs: 5 }, { max_lifetime: 10 }, 5],
    ['for ever, though some time is the longest allowed, where nobody says anything', { allowedMaxMs: 5 }, undefined, null],
  ])('%s', (_says, rules, content, lifetime) => {
    expect(lifetimeOf({ ...NOTHING, ...rules }, content)).toBe(lifetime)
  })
})

test.each<[string, JsonObject, boolean]>([
  ['nothing', {}, true],
  ['one number', { max_lifetime: 1 }, true],
  ['two numbers', { min_lifetime: 1, max_lifetime: 1 }, true],
  ['null', { min_lifetime: null, max_lifetime: 1 }, true],
  ['text', { max_lifetime: '1' }, false],
  ['half a millisecond', { min_lifetime: 0.5 }, false],
  ['less than nothing', { max_lifetime: -1 }, false],
  ['the least over the most', { min_lifetime: 2, max_lifetime: 1 }, false],
])('a room may say or not: %s', (_says, content, isFine) => {
  expect(isRetentionPolicy(content)).toBe(isFine)
})
