import { byCodePoint, canonicalJson } from './canonical-json.ts'
import type { Pdu } from '#schema/pdu.ts'

/**
 * Where the value of `content` stands in the canonical text of a PDU: [start, end) in UTF-16 units.
 * Answers are spliced from it, so that stored text is not parsed and printed again.
 */
export function contentSpan(pdu: Pdu, json: string): readonly [start: number, end: number] {
  const before = Object.entries(pdu).filter(([key, value]) => value !== undefined && byCodePoint(key, 'content') < 0)
  const prefix = canonicalJson(Object.fromEntries(before)).length - 1
  const start = prefix + (before.length > 0 ? 1 : 0) + '"content":'.length
  const end = start + canonicalJson(pdu.content).length
  if (json.charCodeAt(start) !== 0x7b || json.charCodeAt(end - 1) !== 0x7d) throw new Error('content is not where it must be')
  return [start, end]
}
