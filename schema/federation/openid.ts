import { Type } from '@sinclair/typebox'

/** spec: server-server-api#get_matrixfederationv1openiduserinfo */
export const exchangeOpenIdToken = { query: Type.Object({ access_token: Type.Optional(Type.String()) }) }
