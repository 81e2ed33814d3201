import { join } from 'node:path'
import { median } from './statistics.ts'
import { openConnection, requestBytes } from './wire.ts'
import { runWorkers } from './workers.ts'

const REQUESTS = 4000
const WORKERS = 10

export type GeneratorCost = {
  /** Requests a second of ten workers against a server that does nothing: the ceiling of every rate here. */
  readonly ceiling: number
  /** Processor microseconds the generator spends on one request. */
  readonly processorUs: number
  /** Median round trip in milliseconds of one worker: what every latency here contains of loopback and generator. */
  readonly roundTripMs: number
}

/** Measures what the load generator itself costs, against a process that answers at once. */
export async function measureGenerator(): Promise<GeneratorCost> {
  const trivial = Bun.spawn([process.execPath, join(import.meta.dir, 'trivial-server.ts')], { stdout: 'pipe' })
  try {
    const address = { hostname: '127.0.0.1', port: await announcedPort(trivial.stdout) }
    const connections = await Promise.all(Array.from({ length: WORKERS }, () => openConnection(address)))
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent('!den:a.example')}/send/m.room.message/one`
    const body = JSON.stringify({ msgtype: 'm.text', body: 'seq msg 1' })
    const request = requestBytes(address, 'PUT', path, 'token', body)
    const perWorker = Array.from({ length: WORKERS }, () => Array<Buffer>(REQUESTS / WORKERS).fill(request))
    await runWorkers(connections, perWorker)
    const before = process.cpuUsage()
    const run = await runWorkers(connections, perWorker)
    const used = process.cpuUsage(before)
    const alone = await runWorkers(connections.slice(0, 1), [Array<Buffer>(1000).fill(request)])
    for (const connection of connections) connection.close()
    return {
      ceiling: REQUESTS / run.elapsedMs * 1000,
      processorUs: (used.user + used.system) / REQUESTS,
      roundTripMs: median(alone.timesMs),
    }
  } finally {
    trivial.kill()
    await trivial.exited
  }
}

async function announcedPort(stream: ReadableStream<Uint8Array>): Promise<number> {
  for await (const chunk of stream) return Number(new TextDecoder().decode(chunk))
  throw new Error('The trivial server said nothing')
}
