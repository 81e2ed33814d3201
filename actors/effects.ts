import type { Address, AnyCommand } from '#actors/kernel/actor.ts'
import type { RoomId, UserId } from '#schema/identifiers.ts'

/** What changed, in the words of a sync answer. `membership` of a room is anyone's, of a user their own. */
export type Ring =
  | 'timeline'
  | 'membership'
  | 'receipts'
  | 'typing'
  | 'presence'
  | 'account-data'
  | 'to-device'
  | 'device-lists'
  | 'profile'
  | 'threads'

/** Everything an actor can do to the world. The list is closed: six kinds, each performed in one place. */
export type Effect = Readonly<
  /** Mail to another actor. */
  | { kind: 'tell'; to: Address<never>; command: AnyCommand }
  /**
   * Wakes waiting syncs: of everyone in `room`, of `users`, or of both. `volatile` is what no table holds (who is typing);
   * the notifier keeps it on its board.
   */
  | { kind: 'ring'; about: Ring; room?: RoomId; users?: readonly UserId[]; volatile?: unknown }
  /** A timer to oneself. */
  | { kind: 'after'; ms: number; command: AnyCommand }
  /** Goes outside and comes back as one command. */
  | { kind: 'errand'; errand: string; input: unknown }
  /** The reply to a turn that had put it off. */
  | { kind: 'answer'; to: string; reply: unknown }
  /** Leaves memory now. */
  | { kind: 'rest' }
>

export const tell = <C extends AnyCommand>(to: Address<C>, command: C): Effect =>
  ({ kind: 'tell', to: to as Address<never>, command })

export const ringRoom = (room: RoomId, about: Ring, volatile?: unknown): Effect =>
  volatile === undefined ? { kind: 'ring', about, room } : { kind: 'ring', about, room, volatile }

export const ringUsers = (users: readonly UserId[], about: Ring): Effect => ({ kind: 'ring', about, users })

export const after = (ms: number, command: AnyCommand): Effect => ({ kind: 'after', ms, command })
