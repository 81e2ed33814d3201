import type { Effect } from '#actors/effects.ts'
import type { Behaviour, Command } from '#actors/kernel/actor.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'
import type { AliasFact } from '#schema/journal/alias.ts'
import { forbidden, MatrixError, notFound } from '#schema/matrix-error.ts'
import { type Alias, emptyAlias } from './memory.ts'

export type AliasCommand =
  /** A mailbox per alias is its uniqueness. spec: client-server-api#put_matrixclientv3directoryroomroomalias */
  | Command<'setRoomAlias', { roomId: RoomId; creator: UserId }>
  /**
   * `mayDeleteAny` says that the caller found the user entitled by something other than having made the alias: by power in
   * the room, or as an admin. spec: client-server-api#delete_matrixclientv3directoryroomroomalias
   */
  | Command<'deleteRoomAlias', { userId: UserId; mayDeleteAny: boolean }, { roomId: RoomId }>
  /** An upgraded room hands its alias on. Refused when it names another room than `from` by now. */
  | Command<'moveRoomAlias', { from: RoomId; to: RoomId; creator: UserId }>

/** One name for one room. */
export const alias: Behaviour<Alias, AliasCommand, AliasFact, never, Effect> = {
  kind: 'alias',
  empty: emptyAlias,
  decide: {
    setRoomAlias({ alias: name, target }, { roomId, creator }) {
      if (target) return { refuse: new MatrixError(409, 'M_UNKNOWN', `${name} already names a room`) }
      return { facts: [{ kind: 'roomAliasSet', alias: name, roomId, creator }], reply: undefined }
    },
    deleteRoomAlias({ alias: name, target }, { userId, mayDeleteAny }) {
      if (!target) return { refuse: notFound(`${name} names no room`) }
      if (target.creator !== userId && !mayDeleteAny) return { refuse: forbidden('You may not delete this alias') }
      return { facts: [{ kind: 'roomAliasDeleted', alias: name }], reply: { roomId: target.roomId } }
    },
    moveRoomAlias({ alias: name, target }, { from, to, creator }) {
      if (target?.roomId !== from) return { refuse: notFound(`${name} does not name ${from}`) }
      return { facts: [{ kind: 'roomAliasSet', alias: name, roomId: to, creator }], reply: undefined }
    },
  },
  apply: {
    roomAliasSet(memory, { roomId, creator }) {
      memory.target = { roomId, creator }
    },
    roomAliasDeleted(memory) {
      memory.target = undefined
    },
  },
  snapshot: {
    version: 1,
    every: () => 50,
    freeze: ({ target }) => ({ target }),
    thaw: ({ target }: Pick<Alias, 'target'>, id) => ({ ...emptyAlias(id), target }),
  },
}
