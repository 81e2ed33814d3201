import type { UserId } from '#schema/identifiers.ts'
import type { TokenHash } from './device.ts'

/** Tokens that a user hands to others. Rows of the journal: add kinds, never change one. */

type Issued = Readonly<{ userId: UserId; tokenHash: TokenHash; expiresTs: number; ts: number }>

/** spec: client-server-api#openid */
export type OpenIdTokenIssued = Readonly<{ kind: 'openIdTokenIssued' }> & Issued

/** spec: client-server-api#post_matrixclientv1loginget_token */
export type LoginTokenIssued = Readonly<{ kind: 'loginTokenIssued' }> & Issued

/** Someone has logged in with it, so that nobody else will. */
export type LoginTokenSpent = Readonly<{ kind: 'loginTokenSpent'; userId: UserId; tokenHash: TokenHash }>

export type IssuedTokenFact = OpenIdTokenIssued | LoginTokenIssued | LoginTokenSpent
