import { hash } from 'node:crypto'

/** SHA-256 of bytes, or of the UTF-8 form of a text: 32 bytes. */
export const sha256 = (data: string | Uint8Array): Uint8Array =>
  new Uint8Array(hash('sha256', data, 'buffer'))

/** SHA-256 in unpadded base64: 43 characters of the standard or the URL-safe alphabet. */
export const sha256Base64 = (text: string, urlSafe = false): string =>
  urlSafe ? hash('sha256', text, 'base64url') : hash('sha256', text, 'base64').slice(0, 43)

/** SHA-1 in lower-case hexadecimal, by which events are ordered. spec: rooms/v1#state-resolution */
export const sha1Hex = (text: string): string => hash('sha1', text, 'hex')
