import { Type } from '@sinclair/typebox'

const ofUser = Type.Object({ userId: Type.String() })

/** spec: client-server-api#get_matrixclientv3adminwhoisuserid */
export const getWhoIs = { params: ofUser } as const

/** spec: client-server-api#get_matrixclientv1adminsuspenduserid */
export const getAdminSuspendUser = { params: ofUser } as const

/** spec: client-server-api#put_matrixclientv1adminsuspenduserid */
export const setAdminSuspendUser = { params: ofUser, body: Type.Object({ suspended: Type.Boolean() }) } as const

/** spec: client-server-api#get_matrixclientv1adminlockuserid */
export const getAdminLockUser = { params: ofUser } as const

/** spec: client-server-api#put_matrixclientv1adminlockuserid */
export const setAdminLockUser = { params: ofUser, body: Type.Object({ locked: Type.Boolean() }) } as const
