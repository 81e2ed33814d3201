import { Type } from '@sinclair/typebox'
import { UserId } from '#schema/identifiers.ts'

const ofField = Type.Object({ userId: UserId, keyName: Type.String({ minLength: 1 }) })

/** spec: client-server-api#get_matrixclientv3profileuserid */
export const getUserProfile = { params: Type.Object({ userId: UserId }), allowGuest: true } as const

/** spec: client-server-api#get_matrixclientv3profileuseridkeyname */
export const getProfileField = { params: ofField, allowGuest: true } as const

/** The key of the body is the name of the field. spec: client-server-api#put_matrixclientv3profileuseridkeyname */
export const setProfileField = {
  params: ofField,
  body: Type.Record(Type.String(), Type.Unknown()),
  allowGuest: true,
} as const

/** spec: client-server-api#delete_matrixclientv3profileuseridkeyname */
export const deleteProfileField = { params: ofField, allowGuest: true } as const
