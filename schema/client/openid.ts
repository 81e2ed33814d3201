import { Type } from '@sinclair/typebox'
import { UserId } from '#schema/identifiers.ts'

/** spec: client-server-api#post_matrixclientv3useruseridopenidrequest_token */
export const requestOpenIdToken = { params: Type.Object({ userId: UserId }), body: Type.Object({}) } as const
