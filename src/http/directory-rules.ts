import type { Config } from '#config'
import { compileGlob } from '#core/glob.ts'
import type { RoomAlias, RoomId, UserId } from '#schema/identifiers.ts'

type Rule = NonNullable<Config['aliasCreationRules']>[number]
type Case = Readonly<{ userId: UserId; roomId: RoomId; aliases: readonly RoomAlias[] }>

/** The first rule that fits decides; when none does the answer is no. A room without alias fits only `*`. */
function isAllowed(rules: readonly Rule[], { userId, roomId, aliases }: Case): boolean {
  const rule = rules.find((each) =>
    compileGlob(each.userId)(userId) &&
    compileGlob(each.roomId)(roomId) &&
    (each.alias === '*' || aliases.some((alias) => compileGlob(each.alias)(alias))))
  return rule?.action === 'allow'
}

/** `alias_creation_rules`: without any, everyone may create any alias. */
export const mayCreateAlias = ({ aliasCreationRules }: Config, userId: UserId, roomId: RoomId, alias: RoomAlias): boolean =>
  aliasCreationRules === null || isAllowed(aliasCreationRules, { userId, roomId, aliases: [alias] })

/** `room_list_publication_rules`: without any, only admins may publish rooms; admins always may. */
export const mayPublishRoom = ({ roomListPublicationRules }: Config, isAdmin: boolean, room: Case): boolean =>
  isAdmin || (roomListPublicationRules !== null && isAllowed(roomListPublicationRules, room))
