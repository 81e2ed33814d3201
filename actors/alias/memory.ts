import type { RoomAlias, RoomId, UserId } from '#schema/identifiers.ts'

/** Which room an alias of this server names, if any. */
export type Alias = {
  alias: RoomAlias
  target: Readonly<{ roomId: RoomId; creator: UserId }> | undefined
}

export const emptyAlias = (id: string): Alias => ({ alias: id as RoomAlias, target: undefined })
