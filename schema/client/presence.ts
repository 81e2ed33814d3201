import { Type } from '@sinclair/typebox'
import { UserId } from '#schema/identifiers.ts'

const ofUser = { params: Type.Object({ userId: UserId }) } as const

/** spec: client-server-api#get_matrixclientv3presenceuseridstatus */
export const getPresence = ofUser

/** spec: client-server-api#put_matrixclientv3presenceuseridstatus */
export const setPresence = {
  ...ofUser,
  body: Type.Object({
    presence: Type.String(),
    status_msg: Type.Optional(Type.Union([Type.String({ maxLength: 2_048 }), Type.Null()])),
  }),
} as const
