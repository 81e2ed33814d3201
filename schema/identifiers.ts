import { Type } from '@sinclair/typebox'

/** Matrix marks every identifier with a sigil, so the sigil is the type: no casts, no confusion. */
export type UserId = `@${string}:${string}`
export type RoomId = `!${string}`
export type EventId = `$${string}`
export type RoomAlias = `#${string}:${string}`
export type MxcUri = `mxc://${string}/${string}`

// The length limits count bytes; `maxLength` counts UTF-16 units and so is only the first, cheap bound.
export const UserId = Type.Unsafe<UserId>(Type.String({ pattern: '^@[^:]*:.+$', maxLength: 255 }))
export const RoomId = Type.Unsafe<RoomId>(Type.String({ pattern: '^!.+$', maxLength: 255 }))
export const EventId = Type.Unsafe<EventId>(Type.String({ pattern: '^\\$.+$', maxLength: 255 }))
export const RoomAlias = Type.Unsafe<RoomAlias>(Type.String({ pattern: '^#[^:]*:.+$', maxLength: 255 }))

/** Names without a sigil carry a brand instead; only the parsers in this file may make one. */
declare const brand: unique symbol
export type ServerName = string & { readonly [brand]: 'ServerName' }
export type DeviceId = string & { readonly [brand]: 'DeviceId' }
/** Where a fact stands in the one journal of this server; the number inside every sync token. */
export type Position = number & { readonly [brand]: 'Position' }

export const DeviceId = Type.Unsafe<DeviceId>(Type.String({ minLength: 1, maxLength: 512 }))

/** spec: appendices#server-name */
const SERVER_NAME =
  /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,255})(?::\d{1,5})?$/

export const ServerName = Type.Unsafe<ServerName>(Type.String({ pattern: SERVER_NAME.source, maxLength: 255 }))

export const isServerName = (text: string): text is ServerName =>
  text.length <= 255 && SERVER_NAME.test(text)

/** The server part of any identifier that has one (`@user:server`, `#alias:server`, old `!room:server`). */
export const serverNameOf = (identifier: string): ServerName =>
  identifier.slice(identifier.indexOf(':') + 1) as ServerName

export const localpartOf = (identifier: string): string => identifier.slice(1, identifier.indexOf(':'))

const bytesOf = (text: string): number => Buffer.byteLength(text)

/** spec: appendices#user-identifiers (historical localparts: any code point but NUL and colon). */
export const isUserId = (text: unknown): text is UserId =>
  typeof text === 'string' && /^@[^:\0]*:/.test(text) && bytesOf(text) <= 255 && isServerName(serverNameOf(text))

/** spec: appendices#room-ids. Version 12 ids have no domain, so only the sigil and the length are certain. */
export const isRoomId = (text: unknown): text is RoomId =>
  typeof text === 'string' && text.length > 1 && text.startsWith('!') && !text.includes('\0') && bytesOf(text) <= 255

export const isEventId = (text: unknown): text is EventId =>
  typeof text === 'string' && text.length > 1 && text.startsWith('$') && !text.includes('\0') && bytesOf(text) <= 255

/** spec: appendices#room-aliases */
export const isRoomAlias = (text: unknown): text is RoomAlias =>
  typeof text === 'string' && /^#[^:\0]*:/.test(text) && bytesOf(text) <= 255 && isServerName(serverNameOf(text))

export const deviceIdOf = (text: string): DeviceId => text as DeviceId
export const positionOf = (value: number): Position => value as Position
