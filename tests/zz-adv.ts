import { TARGETS } from '#harness/fuzz-targets.ts'
import { tryInput } from '#harness/fuzz.ts'
import { printed } from '#harness/mutation.ts'
import { ed25519 } from '@noble/curves/ed25519.js'
import { encodeBase64 } from '#core/base64.ts'
import { signingKeyFromSeed } from '#core/signing.ts'
const T = (name: string) => { const t = TARGETS.find((x) => x.name === name); if (!t) throw new Error(name); return t }
function time(name: string, label: string, input: any) {
  const text = printed(input)
  let best = 1e9; let r: any
  for (let a = 0; a < 6; a++) { r = tryInput(T(name), text, a); best = Math.min(best, r.ms) }
  console.log(label.padEnd(40), String(text.length).padStart(7), best.toFixed(1), 'ms', r.accepted, r.problem ?? '')
}
const s = 12345n
const R = ed25519.Point.BASE.multiply(s).toBytes()
const S = new Uint8Array(32); let n = s; for (let i = 0; i < 32; i++) { S[i] = Number(n & 255n); n >>= 8n }
const forged = encodeBase64(new Uint8Array([...R, ...S]))
const identity = encodeBase64(new Uint8Array([1, ...new Array(31).fill(0)]))
const state = (keys: any[]) => {
  const t: any = T('event-auth').seeds.find((x: any) => x.version === '11' && x.event.content.third_party_invite)
  const c = structuredClone(t)
  for (const e of c.state) if (e.type === 'm.room.third_party_invite') e.content = { public_keys: keys.map((public_key: string) => ({ public_key })) }
  return c
}
const c1 = state(Array(300).fill(identity)); c1.event.content.third_party_invite.signed.signatures = { x: { 'ed25519:1': forged } }
time('event-auth', 'tpi small order keys', c1)
const wrong = encodeBase64(new Uint8Array(64).fill(3))
const other = Array.from({ length: 300 }, (_, i) => signingKeyFromSeed('ed25519:1', new Uint8Array(32).fill(i % 250)).publicKey)
const c2 = state(other); c2.event.content.third_party_invite.signed.signatures = { x: { 'ed25519:1': wrong } }
time('event-auth', 'tpi 256 wrong', c2)
for (const unit of ['?a', '*?*', 'a*b', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?*a'])
  time('server-acl', 'acl ' + unit, { acl: { deny: Array.from({ length: Math.floor(60000 / (unit.length + 10)) }, (_, i) => unit + i), allow: ['*'] }, server: 'a'.repeat(250) })
for (const p of ['a'.repeat(1000), 'a'.repeat(1000) + '?', 'a'.repeat(500) + '*' + 'a'.repeat(499), '*a'.repeat(500), 'a?'.repeat(15000), 'ab'.repeat(200) + 'c', '?'.repeat(30000)])
  for (const wholeWord of [false, true]) time('glob', `glob ${p.slice(0, 6)}${p.length} ${wholeWord}`, { pattern: p, text: 'a'.repeat(60000 - p.length), wholeWord, ignoreCase: true })
time('glob', 'glob abab', { pattern: 'ab'.repeat(200) + 'c', text: 'ab'.repeat(29000), wholeWord: true })
time('glob', 'glob word', { pattern: 'a '.repeat(10000) + 'c', text: 'a '.repeat(20000), wholeWord: true })
const dk: any = structuredClone((T('device-keys').seeds[0] as any))
dk.device_keys.keys = { ...dk.device_keys.keys, ...Object.fromEntries(other.map((k, i) => [`ed25519:x${i}`, k])) }
time('device-keys', 'device keys 300 ed25519', dk)
const otk: any = structuredClone((T('device-keys').seeds[0] as any))
otk.one_time_keys = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`signed_curve25519:A${i}`, otk.one_time_keys['signed_curve25519:AAAAAQ']]))
time('device-keys', 'otk 300', otk)
const many = Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`k${i}`, i]))
time('filter', 'event_fields', { filter: { event_fields: Array.from({ length: 1000 }, (_, i) => `content.k${i}`) }, event: { type: 'm', sender: '@a:b', content: many } })
time('filter', 'globs', { filter: { types: Array.from({ length: 1000 }, (_, i) => `*a*b*${i}`), not_types: Array.from({ length: 1000 }, (_, i) => `*a*b*${i}?`) }, event: { type: 'ab'.repeat(15000), sender: '@a:b', content: {} } })
time('x-matrix', 'x quotes', 'X-Matrix ' + 'a="\\'.repeat(2000))
time('x-matrix', 'x tabs', 'X-Matrix ' + '\t'.repeat(8000) + 'x')
time('x-matrix', 'x params', 'X-Matrix ' + Array.from({ length: 1000 }, (_, i) => `a${i}=1`).join(','))
time('strict-json', 'floats', '[' + '1.5,'.repeat(14000) + '1]')
time('strict-json', 'escapes', '"' + '\\"'.repeat(29000) + '"')
time('strict-json', 'backslashes', '"' + '\\\\'.repeat(29000) + '"')
time('strict-json', 'surrogates', '["' + '\\ud83d\\ude00'.repeat(4500) + '"]')
time('strict-json', 'objs', '[' + '{"a":[]},'.repeat(6000) + '1]')
time('canonical-json', 'keys', Object.fromEntries(Array.from({ length: 6000 }, (_, i) => [`${'z'.repeat(3)}${9999 - i}`, i])))
time('canonical-json', 'int keys', Object.fromEntries(Array.from({ length: 7000 }, (_, i) => [`${9999 - i}`, i])))
time('power-levels', 'users', { version: '9', content: { users: Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`@u${i}:a`, ' '.repeat(5) + i])) } })
time('power-levels', 'blank level', { version: '9', content: { ban: ' '.repeat(60000) + 'x' } })
time('dot-path', 'dots', { value: {}, path: '.'.repeat(60000) })
time('dot-path', 'slashes', { value: {}, path: '\\a'.repeat(20000) })
time('cross-signing', 'many', { upload: {}, signatures: Object.fromEntries([['@alice:a.example', Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`D${i}`, (T('cross-signing').seeds[0] as any).signatures['@alice:a.example'].DEVICE]))]]) })
time('push-rules', 'names', { kind: 'content', ruleId: 'x', body: { actions: ['notify'], pattern: 'a'.repeat(1000) }, event: { type: 'm.room.message', sender: '@b:c', content: { body: 'a'.repeat(60000) } }, name: 'a'.repeat(3000) })
time('push-rules', 'conds', { kind: 'override', ruleId: 'x', body: { actions: ['notify'], conditions: Array.from({ length: 100 }, (_, i) => ({ kind: 'event_match', key: 'content.body', pattern: '*' + 'a'.repeat(200) + i + '*' })) }, event: { type: 'm.room.message', sender: '@b:c', content: { body: 'a'.repeat(30000) } } })
time('push-rules', 'conds2', { kind: 'override', ruleId: 'x', body: { actions: ['notify'], conditions: Array.from({ length: 100 }, (_, i) => ({ kind: 'event_match', key: 'content.body', pattern: '*?' + 'a'.repeat(100) + '*' })) }, event: { type: 'm.room.message', sender: '@b:c', content: { body: 'a'.repeat(40000) } } })
