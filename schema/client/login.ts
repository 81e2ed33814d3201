import { Type } from '@sinclair/typebox'
import { OptionalText } from './optional.ts'

/** What a client sends for a stage. spec: client-server-api#user-interactive-authentication-api */
export const Auth = Type.Optional(Type.Union([
  Type.Object({ type: Type.Optional(Type.String()), session: OptionalText }),
  Type.Null(),
]))

/** spec: client-server-api#get_matrixclientv3login */
export const getLoginFlows = {}

/** spec: client-server-api#post_matrixclientv3login */
export const login = {
  body: Type.Object({
    type: Type.String(),
    identifier: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])),
    user: OptionalText,
    medium: OptionalText,
    address: OptionalText,
    password: OptionalText,
    token: OptionalText,
    device_id: Type.Optional(Type.Union([Type.String({ maxLength: 512 }), Type.Null()])),
    initial_device_display_name: OptionalText,
    refresh_token: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  }),
}

/** spec: client-server-api#post_matrixclientv3refresh */
export const refresh = { body: Type.Object({ refresh_token: Type.String() }) }

/** spec: client-server-api#post_matrixclientv3logout */
export const logout = { allowLocked: true, allowExpired: true, allowGuest: true } as const

/** spec: client-server-api#post_matrixclientv3logoutall */
export const logoutAll = { allowLocked: true, allowExpired: true, allowGuest: true } as const
