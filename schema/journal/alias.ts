import type { RoomAlias, RoomId, UserId } from '#schema/identifiers.ts'

/** What a room alias of this server stands for. Rows of the journal: add kinds, never change one. */

export type RoomAliasSet = Readonly<{ kind: 'roomAliasSet'; alias: RoomAlias; roomId: RoomId; creator: UserId }>

export type RoomAliasDeleted = Readonly<{ kind: 'roomAliasDeleted'; alias: RoomAlias }>

export type AliasFact = RoomAliasSet | RoomAliasDeleted
