import type { Socket } from 'bun'

/**
 * A keep-alive HTTP/1.1 client on a bare socket, one request at a time, made to cost next to nothing: the load
 * generator shares its processor cores with the server that it measures.
 */
export type Connection = {
  /** Sends a request made by `requestBytes` and resolves with the whole answer; rejects when the socket breaks. */
  readonly request: (bytes: Uint8Array) => Promise<Answer>
  readonly close: () => void
}

export type Answer = { readonly status: number; readonly body: Buffer }

/** Where a server listens, and the value of the Host header. */
export type Address = { readonly hostname: string; readonly port: number }

/** The bytes of one request; `body` is sent as JSON. */
export function requestBytes(
  { hostname, port }: Address,
  method: string,
  path: string,
  token?: string,
  body?: string,
): Buffer {
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`
  const size = Buffer.byteLength(body ?? '')
  const length = body === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${size}\r\n`
  const head = `${method} ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${authorization}${length}\r\n`
  return Buffer.from(head + (body ?? ''))
}

type Waiting = { readonly resolve: (answer: Answer) => void; readonly reject: (reason: Error) => void }

/** Opens a connection; a request on one that the server closed while it was idle opens it anew. */
export async function openConnection(address: Address): Promise<Connection> {
  let socket: Socket | undefined
  let waiting: Waiting | undefined
  let unsent: Uint8Array | undefined
  let reader = answerReader()

  const write = (bytes: Uint8Array): void => {
    const written = Math.max(socket?.write(bytes) ?? 0, 0)
    unsent = written < bytes.length ? bytes.subarray(written) : undefined
  }
  const broken = (why: string): void => {
    socket = undefined
    reader = answerReader()
    const { reject } = waiting ?? {}
    waiting = undefined
    reject?.(new Error(`The connection to ${address.hostname}:${address.port} broke: ${why}`))
  }
  const connect = async (): Promise<void> => {
    socket = await Bun.connect({
      ...address,
      socket: {
        data: (_socket, chunk) => {
          const answer = reader(chunk)
          if (answer === undefined) return
          const { resolve } = waiting ?? {}
          waiting = undefined
          resolve?.(answer)
        },
        drain: () => {
          if (unsent !== undefined) write(unsent)
        },
        close: () => broken('closed'),
        error: (_socket, failure) => broken(failure.message),
      },
    })
  }
  const send = (bytes: Uint8Array): Promise<Answer> =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject }
      write(bytes)
    })
  await connect()
  return {
    request: (bytes) => socket === undefined ? connect().then(() => send(bytes)) : send(bytes),
    close: () => void socket?.end(),
  }
}

const HEAD_END = '\r\n\r\n'
const LAST_CHUNK = '0\r\n\r\n'
const NO_CONTENT = 204

type Framing = { readonly status: number; readonly start: number; readonly length: number | 'chunked' }

/** A function that is fed chunks and gives an answer back with the one that completes it. */
export function answerReader(): (chunk: Buffer) => Answer | undefined {
  let chunks: Buffer[] = []
  let held = 0
  let framing: Framing | undefined
  const complete = (): boolean => {
    if (framing === undefined) return false
    if (framing.length !== 'chunked') return held >= framing.start + framing.length
    const last = chunks.at(-1) ?? Buffer.alloc(0)
    const tail = last.length >= LAST_CHUNK.length ? last : Buffer.concat(chunks)
    return tail.toString('latin1', tail.length - LAST_CHUNK.length) === LAST_CHUNK
  }
  return (chunk) => {
    chunks.push(chunk)
    held += chunk.length
    framing ??= readHead(chunks.length === 1 ? chunk : Buffer.concat(chunks))
    if (framing === undefined || !complete()) return undefined
    const whole = chunks.length === 1 ? chunk : Buffer.concat(chunks)
    const { status, start, length } = framing
    chunks = []
    held = 0
    framing = undefined
    const body = whole.subarray(start)
    return { status, body: length === 'chunked' ? joinChunks(body) : body }
  }
}

function readHead(bytes: Buffer): Framing | undefined {
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const status = Number(head.slice(9, 12))
  const start = end + HEAD_END.length
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) return { status, start, length: Number(length) }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return { status, start, length: 'chunked' }
  if (status === NO_CONTENT) return { status, start, length: 0 }
  throw new Error(`An answer ${status} without a length`)
}

function joinChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (size === 0) return Buffer.concat(parts)
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}
