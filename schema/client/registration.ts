import { Type } from '@sinclair/typebox'
import { Auth } from './login.ts'
import { OptionalText } from './optional.ts'

/** spec: client-server-api#post_matrixclientv3register */
export const register = {
  query: Type.Object({ kind: Type.Optional(Type.Union([Type.Literal('user'), Type.Literal('guest')])) }),
  body: Type.Object({
    auth: Auth,
    /** `m.login.application_service` from application services; absent otherwise. */
    type: Type.Optional(Type.String()),
    username: OptionalText,
    password: OptionalText,
    device_id: Type.Optional(Type.Union([Type.String({ maxLength: 512 }), Type.Null()])),
    initial_device_display_name: OptionalText,
    inhibit_login: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    refresh_token: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    /** A guest becomes a user. spec: client-server-api#guest-access */
    guest_access_token: OptionalText,
  }),
}

/** spec: client-server-api#get_matrixclientv3registeravailable */
export const checkUsernameAvailability = { query: Type.Object({ username: Type.String() }) }

/** spec: client-server-api#get_matrixclientv1registermloginregistration_tokenvalidity */
export const registrationTokenValidity = { query: Type.Object({ token: Type.String() }) }
