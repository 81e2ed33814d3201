/** spec: appendices#unpadded-base64 */
export const encodeBase64 = (bytes: Uint8Array): string => bytes.toBase64({ omitPadding: true })

/** spec: appendices#url-safe-unpadded-base64 */
export const encodeBase64Url = (bytes: Uint8Array): string =>
  bytes.toBase64({ alphabet: 'base64url', omitPadding: true })

/**
 * The bytes of a base64 text in either alphabet, or undefined when it is none. Padding may be there, cut
 * short or missing, and stray bits in the last character are ignored: the seed that the spec prints has
 * such bits.
 * spec: appendices#unpadded-base64
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const alphabet = /[-_]/.test(text) ? 'base64url' : 'base64'
  try {
    return Uint8Array.fromBase64(withoutPadding(text), { alphabet, lastChunkHandling: 'loose' })
  } catch {
    return undefined
  }
}

// An expression that ends in `=+$` would start anew at each of a thousand equals signs.
function withoutPadding(text: string): string {
  let end = text.length
  while (text.charCodeAt(end - 1) === 0x3d) end--
  return end === text.length ? text : text.slice(0, end)
}
