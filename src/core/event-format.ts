import { isEventId, isServerName, serverNameOf } from '#schema/identifiers.ts'
import { checkCanonical } from './canonical-json.ts'
import { isJsonObject } from './event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import type { RoomVersionRules } from './room-version.ts'
import { allow, deny, type Verdict } from './verdict.ts'

/** Bytes of an event's canonical JSON, signatures included and unsigned data left out. */
export const MAX_EVENT_BYTES = 65_536
/** Bytes of `type`, `state_key`, `sender`, `room_id` and `event_id`. */
export const MAX_FIELD_BYTES = 255
export const MAX_PREV_EVENTS = 20
export const MAX_AUTH_EVENTS = 10

const SIZED_FIELDS = ['type', 'state_key', 'sender', 'room_id', 'event_id'] as const
const UNCHECKED = ['unsigned']

/**
 * Whether a value is an event as its room version wants it: fields, types, numbers, lengths. The size of the
 * whole is `checkEventSize`'s.
 *
 * The rule of a denial is `format.` and a field, `canonical-json`, or `size.` and a field; such an event
 * cannot be stored. Only `bytes.` and a field means less: the field is over 255 bytes but not over 255 code
 * points, which rooms before version 11 have always stored, so a received event is to be kept as a rejected
 * one.
 * spec: server-server-api#pdus, client-server-api#size-limits and rooms/v1#event-format to
 * rooms/v12#event-format
 */
export function checkEventFormat(rules: RoomVersionRules, value: Json): Verdict {
  if (!isJsonObject(value)) return deny('format.event', 'An event is a JSON object')
  for (const check of CHECKS) {
    const verdict = check(rules, value)
    if (!verdict.ok) return verdict
  }
  return allow
}

type Check = (rules: RoomVersionRules, event: JsonObject) => Verdict

// The lengths stand last: what they say of old rooms must not hide a worse fault.
const CHECKS: readonly Check[] = [
  checkIdentity,
  checkRoomId,
  checkNumbers,
  (rules, event) => checkReferences(rules, event, 'prev_events', MAX_PREV_EVENTS),
  (rules, event) => checkReferences(rules, event, 'auth_events', MAX_AUTH_EVENTS),
  checkSeals,
  (rules, event) => (rules.strictCanonicalJson ? checkCanonical(event, UNCHECKED) : allow),
  checkCodePoints,
  checkBytes,
]

/** Whether an event's canonical JSON is within the limit. spec: client-server-api#size-limits */
export const checkEventSize = (json: string): Verdict =>
  isHeavierThan(json, MAX_EVENT_BYTES)
    ? deny('size.event', `An event is over ${MAX_EVENT_BYTES} bytes`)
    : allow

function checkIdentity(rules: RoomVersionRules, event: JsonObject): Verdict {
  const { type, sender, state_key: stateKey, content, event_id: eventId, redacts } = event
  if (typeof type !== 'string') return deny('format.type', 'The type of an event is a string')
  if (!hasUserIdForm(sender)) return deny('format.sender', 'The sender of an event is a user id')
  if (!isOptionalString(stateKey)) return deny('format.state_key', 'A state key is a string')
  if (!isJsonObject(content)) return deny('format.content', 'The content of an event is an object')
  if (rules.eventIdFormat === 'domain' && !hasEventIdForm(eventId)) {
    return deny('format.event_id', 'In this room version an event carries its id')
  }
  if (type === 'm.room.redaction' && !rules.redactsInContent && !isOptionalString(redacts)) {
    return deny('format.redacts', 'The event that is to be redacted is named by a string')
  }
  return allow
}

function checkRoomId(rules: RoomVersionRules, event: JsonObject): Verdict {
  const roomId = event['room_id']
  if (event['type'] === 'm.room.create' && rules.roomIdFormat === 'create-event-hash') {
    return roomId === undefined ? allow : deny('format.room_id', 'A create event cannot hold its own hash')
  }
  return typeof roomId === 'string' && /^![^\0]+$/.test(roomId)
    ? allow
    : deny('format.room_id', 'The room of an event is a room id')
}

function checkNumbers(rules: RoomVersionRules, event: JsonObject): Verdict {
  const { depth, origin_server_ts: originServerTs } = event
  if (typeof depth !== 'number' || !Number.isInteger(depth) || depth < 0 || depth > rules.maxDepth) {
    return deny('format.depth', `The depth of an event is an integer from 0 to ${rules.maxDepth}`)
  }
  return Number.isInteger(originServerTs)
    ? allow
    : deny('format.origin_server_ts', 'The time of an event is an integer of milliseconds')
}

function checkReferences(
  rules: RoomVersionRules,
  event: JsonObject,
  field: 'prev_events' | 'auth_events',
  limit: number,
): Verdict {
  const references = event[field]
  if (!Array.isArray(references)) return deny(`format.${field}`, `${field} is a list`)
  if (references.length > limit) return deny(`format.${field}`, `${field} has more than ${limit} entries`)
  const isReference = rules.references === 'ids' ? isEventId : isReferencePair
  return references.every(isReference) ? allow : deny(`format.${field}`, `${field} names what is no event`)
}

const isReferencePair = (pair: Json): boolean =>
  Array.isArray(pair) && pair.length === 2 && isEventId(pair[0]) && isJsonObject(pair[1])

function checkSeals(_rules: RoomVersionRules, { hashes, signatures, unsigned }: JsonObject): Verdict {
  if (!isJsonObject(hashes) || typeof hashes['sha256'] !== 'string') {
    return deny('format.hashes', 'An event holds its SHA-256 content hash')
  }
  if (!isJsonObject(signatures) || !Object.values(signatures).every(isMapOfStrings)) {
    return deny('format.signatures', 'Signatures are strings by server and key')
  }
  if (unsigned === undefined || isJsonObject(unsigned)) return allow
  return deny('format.unsigned', 'Unsigned data is an object')
}

const isOptionalString = (value: Json | undefined): boolean =>
  value === undefined || typeof value === 'string'

const isMapOfStrings = (value: Json): boolean =>
  isJsonObject(value) && Object.values(value).every((inner) => typeof inner === 'string')

function checkCodePoints(_rules: RoomVersionRules, event: JsonObject): Verdict {
  const field = fieldWhere(event, (text) => isLongerThan(text, MAX_FIELD_BYTES))
  return field === undefined ? allow : deny(`size.${field}`, `${field} is over ${MAX_FIELD_BYTES} characters`)
}

function checkBytes(rules: RoomVersionRules, event: JsonObject): Verdict {
  const field = fieldWhere(event, (text) => isHeavierThan(text, MAX_FIELD_BYTES))
  if (field === undefined) return allow
  const rule = rules.strictByteLimits ? 'size' : 'bytes'
  return deny(`${rule}.${field}`, `${field} is over ${MAX_FIELD_BYTES} bytes`)
}

const fieldWhere = (event: JsonObject, isOver: (text: string) => boolean): string | undefined =>
  SIZED_FIELDS.find((field) => {
    const text = event[field]
    return typeof text === 'string' && isOver(text)
  })

/** Counts code points, and only where UTF-16 units leave a doubt. */
const isLongerThan = (text: string, limit: number): boolean => text.length > limit && [...text].length > limit

/** Counts UTF-8 bytes, and only where UTF-16 units, of at most three bytes each, leave a doubt. */
const isHeavierThan = (text: string, limit: number): boolean =>
  text.length * 3 > limit && Buffer.byteLength(text) > limit

/** As `isUserId`, with the length left to the limits. */
const hasUserIdForm = (value: Json | undefined): boolean =>
  typeof value === 'string' && /^@[^:\0]*:/.test(value) && isServerName(serverNameOf(value))

const hasEventIdForm = (value: Json | undefined): boolean =>
  typeof value === 'string' && /^\$[^:\0]*:/.test(value) && isServerName(serverNameOf(value))
