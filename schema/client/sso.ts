import { Type } from '@sinclair/typebox'

const redirect = { redirectUrl: Type.Optional(Type.String()) }

/** spec: client-server-api#get_matrixclientv3loginssoredirect */
export const redirectToSSO = { query: Type.Object(redirect) } as const

/** spec: client-server-api#get_matrixclientv3loginssoredirectidpid */
export const redirectToIdP = { params: Type.Object({ idpId: Type.String() }), query: Type.Object(redirect) } as const

/** spec: client-server-api#get_matrixclientv1auth_metadata */
export const getAuthMetadata = {} as const
