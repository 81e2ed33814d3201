import type { Connection } from './wire.ts'

export type Run = { readonly elapsedMs: number; readonly timesMs: readonly number[] }

/** Sends each worker's prepared requests one after another, all workers at once; throws at an answer that is no success. */
export async function runWorkers(
  connections: readonly Connection[],
  requests: readonly (readonly Uint8Array[])[],
): Promise<Run> {
  const timesMs: number[] = []
  const began = performance.now()
  await Promise.all(requests.map((list, worker) => runOne(connectionAt(connections, worker), list, timesMs)))
  return { elapsedMs: performance.now() - began, timesMs }
}

async function runOne(connection: Connection, requests: readonly Uint8Array[], timesMs: number[]): Promise<void> {
  for (const bytes of requests) {
    const began = performance.now()
    const answer = await connection.request(bytes)
    timesMs.push(performance.now() - began)
    if (answer.status !== 200) throw new Error(`Answered ${answer.status}: ${answer.body.toString()}`)
  }
}

/** The connection of a worker; throws when too few were opened. */
export function connectionAt(connections: readonly Connection[], index: number): Connection {
  const connection = connections[index]
  if (connection === undefined) throw new Error(`No connection ${index}`)
  return connection
}
