import { Type } from '@sinclair/typebox'
import { Auth } from './login.ts'

/** spec: client-server-api#post_matrixclientv1loginget_token */
export const generateLoginToken = { body: Type.Object({ auth: Auth }) } as const
