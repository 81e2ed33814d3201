import { ringUsers } from '#actors/effects.ts'
import type { Command, OfKind } from '#actors/kernel/actor.ts'
import { isLongerThan } from '#core/characters.ts'
import type { Json } from '#schema/pdu.ts'
import type { UserFact } from '#schema/journal/user.ts'
import { invalidParam, MatrixError } from '#schema/matrix-error.ts'
import { whyNotActive } from './account.ts'
import type { User, UserApply, UserDecide } from './memory.ts'

/** The whole profile as JSON, in bytes. spec: client-server-api#profiles */
export const PROFILE_LIMIT_BYTES = 65_536
/** The name of a field, in bytes. */
export const FIELD_NAME_LIMIT_BYTES = 255
/** In characters, as the reference server has it: names stand in every member event. */
export const DISPLAYNAME_LIMIT = 256
export const AVATAR_URL_LIMIT = 1_000

/**
 * The rooms are told by the caller, who knows which they are.
 * spec: client-server-api#put_matrixclientv3profileuseridkeyname
 */
export type ProfileCommand =
  | Command<'setProfileField', { field: string; value: Json; byAdmin?: boolean }>
  | Command<'deleteProfileField', { field: string; byAdmin?: boolean }>

type ProfileFact = OfKind<UserFact, 'profileFieldSet' | 'profileFieldDeleted'>

export const decide = {
  setProfileField(user, { field, value, byAdmin }) {
    const why = whyNotEditable(user, byAdmin) ?? whyNotField(field) ?? whyNotValue(user, field, value)
    if (why) return { refuse: why }
    const { userId } = user
    const set: ProfileFact = { kind: 'profileFieldSet', userId, field, value }
    return { facts: [set], effects: [ringUsers([userId], 'profile')], reply: undefined }
  },

  deleteProfileField(user, { field, byAdmin }) {
    const why = whyNotEditable(user, byAdmin) ?? whyNotField(field)
    if (why) return { refuse: why }
    if (!user.profile.has(field)) return { reply: undefined }
    const { userId } = user
    const deleted: ProfileFact = { kind: 'profileFieldDeleted', userId, field }
    return { facts: [deleted], effects: [ringUsers([userId], 'profile')], reply: undefined }
  },
} satisfies UserDecide<ProfileCommand, ProfileFact>

export const apply = {
  profileFieldSet(user, { field, value }) {
    user.profile.set(field, value)
  },
  profileFieldDeleted(user, { field }) {
    user.profile.delete(field)
  },
} satisfies UserApply<ProfileFact>

function whyNotEditable(user: User, byAdmin = false): MatrixError | undefined {
  const why = whyNotActive(user)
  if (why) return why
  // spec: client-server-api#account-suspension
  if (!user.account?.isSuspended || byAdmin) return undefined
  return new MatrixError(403, 'M_USER_SUSPENDED', 'This account is suspended; its profile cannot be changed')
}

/** spec: appendices#common-namespaced-identifier-grammar */
const CUSTOM_FIELD = /^[a-z][a-z0-9_.-]*$/

function whyNotField(field: string): MatrixError | undefined {
  if (Buffer.byteLength(field) > FIELD_NAME_LIMIT_BYTES)
    return new MatrixError(400, 'M_KEY_TOO_LARGE', `A field's name may have at most ${FIELD_NAME_LIMIT_BYTES} bytes`)
  if (CUSTOM_FIELD.test(field)) return undefined
  return invalidParam('The name of a profile field is lower-case letters, digits, -, _ and dots')
}

/** Custom fields hold any JSON, those of the spec text. */
function whyNotValue(user: User, field: string, value: Json): MatrixError | undefined {
  const isCustom = field !== 'displayname' && field !== 'avatar_url' && field !== 'm.tz'
  return (isCustom ? undefined : whyNotText(field, value)) ?? whyTooLarge(user, field, value)
}

function whyNotText(field: string, value: Json): MatrixError | undefined {
  if (typeof value !== 'string') return invalidParam(`${field} must be a string`)
  if (field === 'displayname' && isLongerThan(value, DISPLAYNAME_LIMIT))
    return invalidParam(`A display name may have at most ${DISPLAYNAME_LIMIT} characters`)
  if (field === 'avatar_url' && value.length > AVATAR_URL_LIMIT)
    return invalidParam(`An avatar's address may have at most ${AVATAR_URL_LIMIT} characters`)
  return undefined
}

function whyTooLarge({ profile }: User, field: string, value: Json): MatrixError | undefined {
  const whole = Object.fromEntries([...profile, [field, value]])
  if (Buffer.byteLength(JSON.stringify(whole)) <= PROFILE_LIMIT_BYTES) return undefined
  return new MatrixError(400, 'M_PROFILE_TOO_LARGE', `A profile may have at most ${PROFILE_LIMIT_BYTES} bytes`)
}
