import { decodeBase64, encodeBase64, encodeBase64Url } from '#core/base64.ts'
import { byCodePoint, canonicalJson, checkCanonical } from '#core/canonical-json.ts'
import { getByPath, splitPath } from '#core/dot-path.ts'
import { compileGlob } from '#core/glob.ts'
import { claimOnAlias, claimOnRoom, claimOnUser, isInterested, parseNamespaces } from '#core/namespaces.ts'
import type { Json } from '#schema/pdu.ts'
import { checkServerAcl } from '#core/server-acl.ts'
import { checkCurve25519Key, checkPublicKey, checkSignedBy, signedText, signJson, signingKeyFromSeed, verifyJson, verifyText } from '#core/signing.ts'
import { parseStrictJson, parseStrictText } from '#core/strict-json.ts'
import { parseSyncToken, parseTimelineToken, printSyncToken, printTimelineToken } from '#core/sync/token.ts'
import { parseXMatrix, printXMatrix, requestToSign } from '#core/x-matrix.ts'
import { isEventId, isRoomAlias, isRoomId, isServerName, isUserId, localpartOf, type RoomAlias, type RoomId, type ServerName, serverNameOf, type UserId } from '#schema/identifiers.ts'
import type { Target } from './fuzz.ts'
import { ensure, isText, listOf, objectOf, textOf } from './fuzz-input.ts'

/** Bytes, texts and headers. */

const server = serverNameOf('@alice:a.example')
const key = signingKeyFromSeed('ed25519:1', new Uint8Array(32).fill(9))

const JSON_TEXTS = [
  '{"a":[1,-0,1.5,1e3,true,false,null,"\\u00e9\\ud83d\\ude00"],"b":{"10":1,"9":2,"__proto__":{}}}',
  '[]', '"x"', '-1', '{"a":"\\\\","":[[[{}]]]}', ' { "a" : "\\n" } ', '9007199254740991', '{"type":"m.room.message","content":{"body":"é😀"}}',
]
const JSON_WORDS = ['{', '}', '[', ']', ',', ':', '"', '\\"', '\\u', '\\ud800', '\\uDC00', 'e5', '1.0', '-', 'true', '{"a":', '[[', '{"":1', '"a":1,']

const strictText: Target = {
  name: 'strict-json',
  seeds: JSON_TEXTS,
  words: JSON_WORDS,
  run(input) {
    const text = textOf(input)
    const value = parseStrictText(text)
    const printed = canonicalJson(value)
    ensure(canonicalJson(JSON.parse(text) as Json) === printed, 'it reads another value than JSON.parse')
    ensure(canonicalJson(parseStrictText(printed)) === printed, 'the canonical text is not its own')
    ensure(canonicalJson(parseStrictJson(Buffer.from(text))) === printed, 'bytes read otherwise than text')
    // A number that stands alone has nothing around it to be remembered by.
    const isCanonical = checkCanonical(value).ok
    ensure(typeof value === 'number' || isCanonical === !refuses(() => parseStrictText(text, { integersOnly: true })), 'the two checks of floats differ')
    return true
  },
}

function refuses(work: () => unknown): boolean {
  try {
    work()
    return false
  } catch {
    return true
  }
}

/** Each character of the input is one byte. */
const strictBytes: Target = {
  name: 'strict-json-bytes',
  seeds: JSON_TEXTS.map((text) => Buffer.from(text).toString('latin1')),
  words: [...JSON_WORDS, '\xc0\x80', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xff', '\xe2\x82', '\xef\xbb\xbf', '\xc3'],
  run(input) {
    const value = parseStrictJson(Buffer.from(textOf(input), 'latin1'))
    canonicalJson(value)
    return true
  },
}

const canonical: Target = {
  name: 'canonical-json',
  seeds: [...JSON_TEXTS.map((text) => JSON.parse(text) as Json), { '\ue000': 1, '😀': 2, '\ud800': 3, 'Z': [0.1, 1e-7, 1e21, 123456789012345680] }],
  run(input) {
    const verdict = checkCanonical(input)
    const text = canonicalJson(input)
    ensure(canonicalJson(JSON.parse(text) as Json) === text, 'the text does not read back')
    ensure(verdict.ok || verdict.why !== '', 'a denial says nothing')
    const keys = Object.keys(objectOf(input)).sort(byCodePoint)
    const expected = keys.map((each) => [...each].map((character) => character.codePointAt(0) ?? 0))
    ensure(expected.every((points, at) => at === 0 || compare(expected[at - 1] ?? [], points) <= 0), 'keys are out of order')
    return true
  },
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((point, index) => point !== other[index])
  return at < 0 ? one.length - other.length : (one[at] ?? 0) - (other[at] ?? -1)
}

const xMatrix: Target = {
  name: 'x-matrix',
  seeds: [
    'X-Matrix origin="a.example",destination="b.example",key="ed25519:1",sig="abc/+"',
    'X-Matrix origin=a.example,key="ed25519:1",sig=abc',
    'x-matrix  Origin = "a.example" , key="ed\\2 :1", signature="\\"",, X-Matrix origin=a.example,key=ed25519:2,sig=x',
    'X-Matrix origin="[::1]:8448",destination="1.2.3.4:80",key="ed25519:1",sig="x",extra=""',
  ],
  words: ['X-Matrix ', 'origin=', ',', '="', '"', '\\', '\t', '=', 'sig=', '; '],
  run(input) {
    const parsed = parseXMatrix(textOf(input))
    if ('ok' in parsed) return false
    for (const each of parsed) {
      const body = requestToSign({ method: 'PUT', uri: textOf(input), ...each, content: {} })
      canonicalJson(body)
      if (/["\\]/.test(each.key + each.sig)) continue
      const again = parseXMatrix(printXMatrix(each))
      ensure(!('ok' in again) && Bun.deepEquals(again, [each]), 'the printed header reads otherwise')
    }
    return true
  },
}

const identifiers: Target = {
  name: 'identifiers',
  seeds: ['@alice:a.example', '!room:a.example', '#den:[::1]:8448', '$event', '1.2.3.4:80', '@Ünï/=.:b.example:443', '!abcdef'],
  words: [':', '@', '[::]', '\0', '.example', ':65536'],
  run(input) {
    const text = textOf(input)
    const named = [isUserId(text), isRoomAlias(text)].includes(true)
    if (named) ensure(isServerName(serverNameOf(text)) && !localpartOf(text).includes(':'), 'an id without a server')
    if (isServerName(text)) checkServerAcl({ allow: ['*'], allow_ip_literals: false }, text)
    return named || isRoomId(text) || isEventId(text) || isServerName(text)
  },
}

const tokens: Target = {
  name: 'sync-tokens',
  seeds: ['s4711_mc2k9_12', 's1', 's4711_mc2k9_12_d4600', 't57-4711', 's0__0'],
  words: ['_d', '_', '-', 's', 't', '000', '999999999999999'],
  run(input) {
    const text = textOf(input)
    const [sync, place] = [parseSyncToken(text), parseTimelineToken(text)]
    if (sync) ensure(sync.boot === '' || Bun.deepEquals(parseSyncToken(printSyncToken(sync)), sync), 'the printed token reads otherwise')
    if (place) ensure(Bun.deepEquals(parseTimelineToken(printTimelineToken(place)), place), 'the printed place reads otherwise')
    return sync !== undefined || place !== undefined
  },
}

const base64: Target = {
  name: 'base64',
  seeds: ['', 'Zg', 'Zm9vYmE=', 'Zm9vYmFy', '_-8', '+/8=', 'YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1'],
  words: ['=', '==', '-', '_', '+', '/', '\n', ' '],
  run(input) {
    const bytes = decodeBase64(textOf(input))
    if (!bytes) return false
    ensure(Buffer.compare(decodeBase64(encodeBase64(bytes)) ?? Buffer.of(), bytes) === 0, 'base64 reads back otherwise')
    ensure(Buffer.compare(decodeBase64(encodeBase64Url(bytes)) ?? Buffer.of(), bytes) === 0, 'URL-safe base64 reads back otherwise')
    return true
  },
}

const signed = signJson({ a: [1, 2], b: { c: 'é' } }, server, key)

const signatures: Target = {
  name: 'signatures',
  seeds: [{ object: signed, server, keyId: 'ed25519:1', publicKey: key.publicKey }, { object: signed, server, keyId: 'ed25519:1', publicKey: 'AQ' }],
  words: ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '7P///////////////////////////////////////38'],
  run(input) {
    const { object, server: name, keyId, publicKey } = objectOf(input)
    const given = objectOf(object)
    const text = signedText(given)
    const isSigned = verifyJson(given, textOf(name) as ServerName, textOf(keyId), textOf(publicKey))
    checkSignedBy(text, given.signatures, textOf(name) as ServerName, () => textOf(publicKey))
    verifyText(textOf(publicKey), text, textOf(keyId))
    checkPublicKey(textOf(publicKey))
    checkCurve25519Key(textOf(publicKey))
    const own = signJson(given, server, key)
    ensure(verifyJson(own, server, key.keyId, key.publicKey), 'a signature does not fit what it was made for')
    return isSigned
  },
}

const glob: Target = {
  name: 'glob',
  seeds: [
    { pattern: '*.example.*', text: 'matrix.example.org', ignoreCase: true },
    { pattern: 'al?ce*', text: 'say alice, or bob', ignoreCase: true, wholeWord: true },
    { pattern: 'm.room.*', text: 'm.room.message', wildcards: 'star' },
    { pattern: 'a*b*c?d*', text: 'axxbxxcydzz', wildcards: 'none' },
  ],
  words: ['*', '?', '**', '*a', '?*', 'aaaa', ' a '],
  run(input, attempt) {
    const { pattern, text, ignoreCase, wholeWord, wildcards } = objectOf(input)
    // What was compiled once is remembered; to be slow again, it has to be another pattern.
    const asked = textOf(pattern) + ' '.repeat(attempt)
    const how = wildcards === 'star' || wildcards === 'none' ? wildcards : 'all'
    return compileGlob(asked, { ignoreCase: ignoreCase === true, wholeWord: wholeWord === true, wildcards: how })(textOf(text))
  },
}

const serverAcl: Target = {
  name: 'server-acl',
  seeds: [
    { acl: { allow: ['*'], deny: ['*.evil.example', '?.b.example'], allow_ip_literals: false }, server: 'a.example:8448' },
    { acl: { allow: ['[::1]', '1.2.*'], deny: [] }, server: '[::1]:80' },
    { acl: null, server: '1.2.3.4' },
  ],
  run(input) {
    const { acl, server: name } = objectOf(input)
    return checkServerAcl(acl === null ? undefined : objectOf(acl), textOf(name) as ServerName).ok
  },
}

const dotPath: Target = {
  name: 'dot-path',
  seeds: [{ value: { content: { 'm.relates_to': { event_id: '$e' } } }, path: 'content.m\\.relates_to.event_id' }, { value: { 'a\\': [{ b: 1 }] }, path: 'a\\\\.0.b' }],
  words: ['.', '\\', '\\.', '\\\\', '..'],
  run(input) {
    const { value, path } = objectOf(input)
    const names = splitPath(textOf(path))
    const rejoined = names.map((name) => name.replaceAll('\\', '\\\\').replaceAll('.', '\\.')).join('.')
    ensure(Bun.deepEquals(splitPath(rejoined), names), 'the names do not read back')
    return getByPath(value ?? null, textOf(path)) !== undefined
  },
}

/**
 * The expressions of a registration are the administrator's own, and so are only read here; what is matched against
 * them comes from strangers.
 */
const namespaces: Target = {
  name: 'namespaces',
  seeds: [
    { namespaces: { users: [{ exclusive: true, regex: '@_irc_.*:a\\.example' }], aliases: [{ exclusive: false, regex: '#irc_.*' }], rooms: [] }, id: '@_irc_x:a.example' },
    { namespaces: { users: [{ exclusive: false, regex: '(?i)@.*' }] }, id: '!room:a.example' },
  ],
  words: ['\\A', '\\Z', '[', '(?:', ')', '|', '\\', '(?<a>', '^', '$'],
  run(input) {
    const { namespaces: given, id } = objectOf(input)
    const read = parseNamespaces(given, '@_irc_bot:a.example')
    if ('ok' in read) return false
    const own = parseNamespaces({ users: [{ exclusive: true, regex: '@_irc_.*:a\\.example' }], aliases: [{ exclusive: true, regex: '#irc_[a-z]+' }] }, '@_irc_bot:a.example')
    if ('ok' in own) throw new Error('the expressions of the test are no expressions')
    const userId = textOf(id) as UserId
    claimOnUser(own, userId, server)
    claimOnAlias(own, textOf(id) as RoomAlias)
    claimOnRoom(own, textOf(id) as RoomId)
    const members = listOf(id).filter(isText) as UserId[]
    isInterested(own, { roomId: textOf(id) as RoomId, sender: userId, aliases: [textOf(id) as RoomAlias], members }, server)
    return true
  },
}

export const wireTargets: readonly Target[] = [
  strictText, strictBytes, canonical, xMatrix, identifiers, tokens, base64, signatures, glob, serverAcl, dotPath, namespaces,
]
