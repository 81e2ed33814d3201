import { Type } from '@sinclair/typebox'
import { Auth } from './login.ts'

/** spec: client-server-api#get_matrixclientv3accountwhoami */
export const getTokenOwner = { allowGuest: true } as const

/** spec: client-server-api#post_matrixclientv3accountpassword */
export const changePassword = {
  body: Type.Object({
    new_password: Type.String(),
    logout_devices: Type.Optional(Type.Boolean()),
    auth: Auth,
  }),
}

/** spec: client-server-api#post_matrixclientv3accountdeactivate */
export const deactivateAccount = {
  body: Type.Object({
    auth: Auth,
    id_server: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    erase: Type.Optional(Type.Boolean()),
  }),
}

/** MSC2000: what a password must have. */
export const getPasswordPolicy = {}
