import { Type } from '@sinclair/typebox'

/** spec: client-server-api#post_matrixclientv3user_directorysearch */
export const searchUserDirectory = {
  body: Type.Object({ search_term: Type.String(), limit: Type.Optional(Type.Integer()) }),
} as const
