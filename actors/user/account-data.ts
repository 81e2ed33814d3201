import { ringUsers } from '#actors/effects.ts'
import type { Command, OfKind } from '#actors/kernel/actor.ts'
import { isJsonObject } from '#core/event-content.ts'
import type { JsonObject } from '#schema/pdu.ts'
import type { RoomId } from '#schema/identifiers.ts'
import type { UserFact } from '#schema/journal/user.ts'
import { invalidParam, limitExceeded, type MatrixError, tooLarge } from '#schema/matrix-error.ts'
import { whyNotActive } from './account.ts'
import { dataKeyOf, type User, type UserApply, type UserDecide } from './memory.ts'

/** The content of one type, as JSON. */
export const ACCOUNT_DATA_LIMIT_BYTES = 1_048_576
/** Types that an account may have, over all rooms. */
export const ACCOUNT_DATA_LIMIT = 50_000
/** spec: client-server-api#room-tagging */
export const TAG_LIMIT_BYTES = 255
const TYPE_LIMIT_BYTES = 255
const RETRY_AFTER_MS = 60_000

/** `roomId` null means the account's own data. */
export type AccountDataCommand =
  | Command<'setAccountData', { roomId: RoomId | null; type: string; content: JsonObject }>
  | Command<'deleteAccountData', { roomId: RoomId | null; type: string }>
  | Command<'setRoomTag', { roomId: RoomId; tag: string; content: JsonObject }>
  | Command<'deleteRoomTag', { roomId: RoomId; tag: string }>

type AccountDataFact = OfKind<UserFact, 'accountDataSet' | 'accountDataDeleted'>

export const decide = {
  setAccountData: (user, { roomId, type, content }) => setData(user, roomId, type, content),

  deleteAccountData(user, { roomId, type }) {
    if (!user.dataKeys.has(dataKeyOf(roomId, type))) return { reply: undefined }
    const { userId } = user
    return {
      facts: [{ kind: 'accountDataDeleted', userId, roomId, type }],
      effects: [ringUsers([userId], 'account-data')],
      reply: undefined,
    }
  },

  setRoomTag(user, { roomId, tag, content }) {
    if (Buffer.byteLength(tag) > TAG_LIMIT_BYTES)
      return { refuse: invalidParam(`A tag may have at most ${TAG_LIMIT_BYTES} bytes`) }
    return setData(user, roomId, 'm.tag', withTags(user, roomId, [...tagsOf(user, roomId), [tag, content]]))
  },

  deleteRoomTag(user, { roomId, tag }) {
    const tags = tagsOf(user, roomId)
    if (!tags.some(([name]) => name === tag)) return { reply: undefined }
    return setData(user, roomId, 'm.tag', withTags(user, roomId, tags.filter(([name]) => name !== tag)))
  },
} satisfies UserDecide<AccountDataCommand, AccountDataFact>

export const apply = {
  accountDataSet(user, { roomId, type, content }) {
    user.dataKeys.add(dataKeyOf(roomId, type))
    if (roomId !== null && type === 'm.tag') user.tags.set(roomId, content)
  },
  accountDataDeleted(user, { roomId, type }) {
    user.dataKeys.delete(dataKeyOf(roomId, type))
    if (roomId !== null && type === 'm.tag') user.tags.delete(roomId)
  },
} satisfies UserApply<AccountDataFact>

function setData(user: User, roomId: RoomId | null, type: string, content: JsonObject) {
  const why = whyNotActive(user) ?? whyTooMuch(user, roomId, type, content) ?? whySelfIgnored(user, roomId, type, content)
  if (why) return { refuse: why }
  const { userId } = user
  const set: AccountDataFact = { kind: 'accountDataSet', userId, roomId, type, content }
  return { facts: [set], effects: [ringUsers([userId], 'account-data')], reply: undefined }
}

function whyTooMuch(user: User, roomId: RoomId | null, type: string, content: JsonObject): MatrixError | undefined {
  if (Buffer.byteLength(type) > TYPE_LIMIT_BYTES) return invalidParam(`A type may have at most ${TYPE_LIMIT_BYTES} bytes`)
  if (Buffer.byteLength(JSON.stringify(content)) > ACCOUNT_DATA_LIMIT_BYTES)
    return tooLarge(`Account data may have at most ${ACCOUNT_DATA_LIMIT_BYTES} bytes`)
  const isNew = !user.dataKeys.has(dataKeyOf(roomId, type))
  if (isNew && user.dataKeys.size >= ACCOUNT_DATA_LIMIT)
    return limitExceeded(`An account has at most ${ACCOUNT_DATA_LIMIT} pieces of account data; delete some`, RETRY_AFTER_MS)
  return undefined
}

/** Their own messages would vanish, and with them every echo that clients wait for. */
function whySelfIgnored({ userId }: User, roomId: RoomId | null, type: string, { ignored_users: ignored }: JsonObject) {
  const isIgnored = roomId === null && type === 'm.ignored_user_list' && isJsonObject(ignored) && Object.hasOwn(ignored, userId)
  return isIgnored ? invalidParam('You cannot ignore yourself') : undefined
}

function tagsOf(user: User, roomId: RoomId): [string, JsonObject][] {
  const tags = user.tags.get(roomId)?.tags
  if (!isJsonObject(tags)) return []
  return Object.entries(tags).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1]))
}

const withTags = (user: User, roomId: RoomId, tags: [string, JsonObject][]): JsonObject =>
  ({ ...user.tags.get(roomId), tags: Object.fromEntries(tags) })
