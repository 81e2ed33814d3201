import type { Turn } from '#actors/kernel/actor.ts'
import type { RoomEvent } from '#schema/pdu.ts'
import type { SigningKey } from '#core/signing.ts'
import type { EventId, ServerName } from '#schema/identifiers.ts'

/**
 * What a turn of ours knows besides the kernel's own fields. Everything here is fixed for the life of the process
 * or content-addressed, so that the same question has the same answer for ever.
 */
export type World = Readonly<{
  serverName: ServerName
  /** Ed25519 is deterministic, so signing is a pure function. */
  signingKey: SigningKey
  /** Whether messages end when their sender wants it: `enable_ephemeral_messages`. */
  messagesSelfDestruct: boolean
  /** The event of that id, if this server keeps it. Never used for anything that can change. */
  event: (eventId: EventId) => RoomEvent | undefined
}>

export type WorldTurn = Turn & World
