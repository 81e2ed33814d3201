import { bytesOnDisk, residentMegabytes } from './machine.ts'
import { prepareFill } from './sends.ts'
import { median } from './statistics.ts'
import type { Bench, Target } from './target.ts'
import type { Figure, Unmeasured, Workload } from './workload.ts'

const SETTLE_MS = 1000

/** What one message adds to the data directory, over many messages in fifty rooms. */
export const disk: Workload = {
  name: 'disk',
  figures: ['disk'],
  run: async (bench) => {
    const directory = bench.target.dataDirectory
    if (directory === undefined) return [{ name: 'disk', why: 'no data directory' }]
    const fill = await prepareFill(bench, await bench.account(), bench.fillEvents)
    await Bun.sleep(SETTLE_MS)
    const before = bytesOnDisk(directory)
    const run = await fill()
    await Bun.sleep(SETTLE_MS)
    const after = bytesOnDisk(directory)
    const count = run.timesMs.length
    const megabytes = ((after - before) / 1e6).toFixed(1)
    const rate = Math.round(count / run.elapsedMs * 1000)
    const detail = `${count} messages, ${megabytes} MB, sent at ${rate} msg/s`
    return [{ name: 'disk', value: (after - before) / count, detail }]
  },
}

/** Resident memory now. */
export function memory(name: 'memory-idle' | 'memory-after', target: Target): Figure | Unmeasured {
  const pid = target.pid()
  if (pid === undefined) return { name, why: 'no process id' }
  return { name, value: residentMegabytes(pid), detail: '' }
}

/** Stops the server and starts it again on its data, a few times. */
export async function startTimes(name: 'start-empty' | 'start-filled', bench: Bench): Promise<Figure | Unmeasured> {
  const server = bench.target.process
  if (server === undefined) return { name, why: 'this program did not start the server' }
  const times: number[] = []
  for (let round = 0; round < (bench.quick ? 3 : 7); round++) {
    await server.stop()
    times.push(await server.start())
  }
  return { name, value: median(times), detail: `starts ${times.map((time) => time.toFixed(0)).join(' ')}` }
}
