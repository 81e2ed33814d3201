import { isIP } from 'node:net'

/** The 4 or 16 bytes of an address; a v4 address that is written as v6 counts as v4. */
function bytesOf(address: string): readonly number[] | undefined {
  const bare = address.replace(/%.*$/, '')
  const family = isIP(bare)
  if (family === 4) return bare.split('.').map(Number)
  if (family !== 6) return undefined
  const bytes = bytesOfV6(bare)
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  return isMapped ? bytes.slice(12) : bytes
}

function bytesOfV6(address: string): number[] {
  const lastColon = address.lastIndexOf(':')
  const tail = address.slice(lastColon + 1)
  const dotted = tail.includes('.') ? tail.split('.').map(Number) : undefined
  const text = dotted === undefined ? address : `${address.slice(0, lastColon + 1)}${pair(dotted, 0)}:${pair(dotted, 2)}`
  const [head = '', rest] = text.split('::')
  const before = groups(head)
  const after = groups(rest ?? '')
  const zeros = Array.from({ length: rest === undefined ? 0 : 8 - before.length - after.length }, () => 0)
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 255])
}

const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))

const pair = (bytes: readonly number[], at: number): string => (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16)

/** The address in one form for one client: v4 in v6 is unwrapped, scope ids fall. Undefined if it is no address. */
export function plainAddress(address: string): string | undefined {
  const bare = address.trim().replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1').replace(/%.*$/, '')
  const bytes = bytesOf(bare)
  if (bytes === undefined) return undefined
  return bytes.length === 4 ? bytes.join('.') : bare.toLowerCase()
}

/** A test whether an address lies in one of the networks (`10.0.0.0/8`, `::1/128`, or single addresses). */
export function networkMatcher(networks: readonly string[]): (address: string) => boolean {
  const parsed = networks.flatMap((network) => {
    const [base = '', length] = network.split('/')
    const bytes = bytesOf(base)
    if (bytes === undefined) return []
    return [{ bytes, bits: length === undefined ? bytes.length * 8 : Number(length) }]
  })
  return (address) => {
    const bytes = bytesOf(address)
    return bytes !== undefined && parsed.some((network) => lies(bytes, network))
  }
}

function lies(address: readonly number[], { bytes, bits }: { bytes: readonly number[]; bits: number }): boolean {
  if (address.length !== bytes.length) return false
  return bytes.every((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - index * 8))
    const mask = (0xff << (8 - kept)) & 0xff
    return ((address[index] ?? 0) & mask) === (byte & mask)
  })
}

/**
 * Where a request comes from. `forwarded` is X-Forwarded-For; it is read from its end, as far as trusted proxies
 * wrote it, and counts not at all when the peer is no trusted proxy. `peer` is null on a Unix socket, which is trusted.
 */
export function clientAddress(
  peer: string | null,
  forwarded: string | null,
  isTrusted: (address: string) => boolean,
): string {
  let client = peer === null ? '127.0.0.1' : (plainAddress(peer) ?? peer)
  if (forwarded === null || (peer !== null && !isTrusted(client))) return client
  for (const hop of forwarded.split(',').reverse()) {
    const address = plainAddress(hop)
    if (address === undefined) return client
    client = address
    if (!isTrusted(address)) return client
  }
  return client
}
