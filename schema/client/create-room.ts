import { Type } from '@sinclair/typebox'
import { OptionalOrNull } from './optional.ts'
import { EventContent } from './room-send.ts'

const Invite3pid = Type.Object({
  id_server: Type.String(),
  id_access_token: Type.String(),
  medium: Type.String(),
  address: Type.String(),
})

const StateEvent = Type.Object({
  type: Type.String({ minLength: 1 }),
  state_key: Type.Optional(Type.String()),
  content: EventContent,
})

/** spec: client-server-api#post_matrixclientv3createroom */
export const createRoom = {
  body: Type.Object({
    visibility: OptionalOrNull(Type.Union([Type.Literal('public'), Type.Literal('private')])),
    room_alias_name: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    topic: Type.Optional(Type.String()),
    invite: Type.Optional(Type.Array(Type.String())),
    invite_3pid: Type.Optional(Type.Array(Invite3pid)),
    room_version: Type.Optional(Type.String()),
    creation_content: Type.Optional(EventContent),
    initial_state: Type.Optional(Type.Array(StateEvent)),
    preset: Type.Optional(Type.Union([
      Type.Literal('private_chat'),
      Type.Literal('public_chat'),
      Type.Literal('trusted_private_chat'),
    ])),
    is_direct: OptionalOrNull(Type.Boolean()),
    power_level_content_override: OptionalOrNull(EventContent),
  }),
} as const
