import { isJsonObject, ownValue } from '#core/event-content.ts'
import type { Json, JsonObject } from '#schema/pdu.ts'
import { DEFAULTS, levelEntries, parseLevel, roomCreators } from '#core/power-levels.ts'
import type { RoomVersionRules } from '#core/room-version.ts'
import { type Verdict, allow, deny } from '#core/verdict.ts'
import type { AuthContext } from './context.ts'

const SCALARS = [
  'users_default',
  'events_default',
  'state_default',
  'ban',
  'redact',
  'kick',
  'invite',
] as const

/**
 * The rule for `m.room.power_levels`: number 10 in versions 1 to 5 and 12, number 9 in between. The numbers
 * below are those of version 12, which prints 10.10 twice; versions 1 to 9 lack 1 and 2, versions before 12
 * lack 4, and their later points stand lower by as much.
 * spec: rooms/v12#authorisation-rules
 */
export function checkPowerLevels(context: AuthContext): Verdict {
  const { rules, pdu, state, create } = context
  const form = checkForm(rules, pdu.content)
  if (!form.ok) return form

  // 4. From version 12 on: `users` lists a creator: reject.
  const users = levelEntries(pdu.content, 'users')
  const creator = rules.privilegedCreators && roomCreators(rules, create).find(
    (user) => ownValue(users, user) !== undefined,
  )
  if (creator) return deny('auth.power_levels.4', `${creator} created the room and cannot be given a level`)

  // 5. The room has no power levels yet: allow.
  const previous = state('m.room.power_levels', '')
  if (previous === undefined) return allow

  return checkAlterations(context, previous.pdu.content)
}

/** Points 1 to 3: is this a power levels content at all? */
function checkForm(rules: RoomVersionRules, content: JsonObject): Verdict {
  const isLevel = (value: Json | undefined) => parseLevel(rules, value) !== undefined
  const strict = rules.powerLevelValues === 'integer'

  // 1. From version 10 on: one of the scalars is there and is no integer: reject.
  const scalar = SCALARS.find((key) => isUnreadable(rules, strict, ownValue(content, key)))
  if (scalar) return deny('auth.power_levels.1', `${scalar} has to be an integer`)

  // 2. From version 10 on: `events` or `notifications` is there and is no object of integers: reject.
  for (const key of ['events', 'notifications']) {
    const entries = ownValue(content, key)
    if (strict && entries !== undefined && !isJsonObject(entries))
      return deny('auth.power_levels.2', `${key} has to be an object`)
    const values = isJsonObject(entries) ? Object.values(entries) : []
    if (values.some((value) => isUnreadable(rules, strict, value)))
      return deny('auth.power_levels.2', `${key} has to hold integers only`)
  }

  // 3. `users` is not an object whose keys are user ids and whose values are integers: reject.
  const users = ownValue(content, 'users')
  if (users === undefined) return allow
  if (!isJsonObject(users)) return deny('auth.power_levels.3', 'users has to be an object')
  const wrong = Object.entries(users).find(([user, level]) => !looksLikeUserId(user) || !isLevel(level))
  if (wrong === undefined) return allow
  return deny('auth.power_levels.3', `${JSON.stringify(wrong[0])} in users is no user with a level`)
}

// Numbers that no binary64 holds reject the event in every version (JSON.parse makes infinities of them).
// Whatever else is no level counts as absent before version 10. spec:
// rooms/v1#mroompower_levels-events-accept-values-as-floats
const isUnreadable = (rules: RoomVersionRules, strict: boolean, value: Json | undefined): boolean => {
  if (value === undefined) return false
  return strict ? parseLevel(rules, value) === undefined : typeof value === 'number' && !Number.isFinite(
    value,
  )
}

// Only the shape: old rooms list users on servers whose names the grammar no longer allows, and rejecting an
// event that every other server accepted would split the room.
const looksLikeUserId = (text: string): boolean => /^@[^:]*:./s.test(text)

type Alteration = Readonly<{
  key: string
  from: number | undefined
  to: number | undefined
  unreadable: boolean
}>

/** Points 6 to 10: nobody changes or grants what is above them. */
function checkAlterations({ rules, pdu, levels }: AuthContext, previous: JsonObject): Verdict {
  const { sender, content } = pdu
  const level = levels.user(sender)
  const isAbove = (value: number | undefined) => value !== undefined && value > level
  const blame = (point: string, { key }: Alteration) =>
    deny(
      `auth.power_levels.${point}`,
      `${sender} has level ${level}, too little to alter ${JSON.stringify(key)} so`,
    )

  // 6. Scalars that were added, changed or removed. 6.1 The current value is above the sender's: reject. 6.2
  // The new value is: reject. A value that is not given is the default: the rules infer levels from those.
  const defaults: Readonly<Record<string, number>> = DEFAULTS
  const scalars = alterations(rules, pick(previous, SCALARS), pick(content, SCALARS))
  const entries = (rules.notificationsGuarded ? ['events', 'notifications'] : ['events']).flatMap((key) =>
    alterations(rules, levelEntries(previous, key), levelEntries(content, key)),
  )
  const users = alterations(rules, levelEntries(previous, 'users'), levelEntries(content, 'users'))
  for (const scalar of scalars) {
    if (isAbove(scalar.from ?? defaults[scalar.key])) return blame('6.1', scalar)
    if (isAbove(scalar.to ?? defaults[scalar.key]) || scalar.unreadable) return blame('6.2', scalar)
  }

  // 7. Entries of `events`, and from version 6 on of `notifications`, that were changed or removed: 7.1 the
  // current value is above the sender's: reject. 8. The same for values added or changed: 8.1 the new one is:
  // reject.
  for (const entry of entries) {
    if (isAbove(entry.from)) return blame('7.1', entry)
    if (isAbove(entry.to) || entry.unreadable) return blame('8.1', entry)
  }

  // 9. Entries of `users` but the sender's own that were changed or removed: 9.1 the current value is at or
  // above the sender's: reject. 10. Entries added or changed: 10.1 the new value is above the sender's:
  // reject.
  for (const user of users) {
    if (user.key !== sender && user.from !== undefined && user.from >= level) return blame('9.1', user)
    if (isAbove(user.to)) return blame('10.1', user)
  }
  // 10. (the second) Otherwise, allow.
  return allow
}

const pick = (content: JsonObject, keys: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(content).filter(([key]) => keys.includes(key)))

/**
 * The entries whose level is not what it was: `"50"` in place of `50` is no alteration. A new value that
 * cannot be read cannot be compared either, so it is listed as unreadable.
 */
function alterations(
  rules: RoomVersionRules,
  before: JsonObject | undefined = {},
  after: JsonObject | undefined = {},
): readonly Alteration[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  const found: Alteration[] = []
  for (const key of keys) {
    const [from, to] = [parseLevel(rules, ownValue(before, key)), parseLevel(rules, ownValue(after, key))]
    const unreadable = to === undefined && ownValue(after, key) !== undefined
    if (from !== to || unreadable) found.push({ key, from, to, unreadable })
  }
  return found
}
