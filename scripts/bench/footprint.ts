import { bytesOnDisk, residentMegabytes } from './machine.ts'
import { prepareFill } from './sends.ts'
import { median } from './statistics.ts'
import type { Bench, Target } from './target.ts'
import type { Figure, Unmeasured, Workload } from './workload.ts'

const LOOK_EVERY_MS = 1_000
/** Servers index and tidy up some time later: what is measured has not grown for so long. */
const CALM_LOOKS = 12
const MOST_LOOKS = 60

/** What one message adds to the data directory, over many messages in fifty rooms. */
export const disk: Workload = {
  name: 'disk',
  figures: ['disk'],
  run: async (bench) => {
    const directory = bench.target.dataDirectory
    if (directory === undefined) return [{ name: 'disk', why: 'no data directory' }]
    const fill = await prepareFill(bench, await bench.account(), bench.fillEvents)
    const before = await settledBytes(directory)
    const run = await fill()
    const after = await settledBytes(directory)
    const count = run.timesMs.length
    const megabytes = ((after - before) / 1e6).toFixed(1)
    const rate = Math.round(count / run.elapsedMs * 1000)
    const detail = `${count} messages, ${megabytes} MB, sent at ${rate} msg/s`
    return [{ name: 'disk', value: (after - before) / count, detail }]
  },
}

async function settledBytes(directory: string): Promise<number> {
  let bytes = bytesOnDisk(directory)
  for (let looks = 0, calm = 0; looks < MOST_LOOKS && calm < CALM_LOOKS; looks++) {
    await Bun.sleep(LOOK_EVERY_MS)
    const now = bytesOnDisk(directory)
    calm = now === bytes ? calm + 1 : 0
    bytes = now
  }
  return bytes
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
