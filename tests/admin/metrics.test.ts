import { afterAll, describe, expect, test } from 'bun:test'
import { printMetrics } from '#admin/metrics.ts'
import { type House, house } from '#harness/house.ts'
import { noteBrokenInvariant } from '#store/broken-invariants.ts'

const open: (() => Promise<void>)[] = []
afterAll(() => Promise.all(open.map((close) => close())))

const opened = async (options: Readonly<Record<string, unknown>> = { enable_metrics: true }): Promise<House> => {
  const here = await house(options)
  open.push(here.close)
  return here
}

/** What a scraper is told: the values by name and labels. */
async function scrape({ app }: House, path = '/_synapse/metrics') {
  const response = await app.handle(new Request(`http://a.example${path}`))
  const text = await response.text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const values = new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
  return { status: response.status, type: response.headers.get('content-type'), text, values }
}

const invariant = (name: string): string => `warren_broken_invariants_total{invariant="${name}"}`

describe('the metrics', () => {
  test.each(['/_synapse/metrics', '/metrics'])('are there at %s, in the text format of Prometheus', async (path) => {
    const { status, type, text } = await scrape(await opened(), path)
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    expect(text.split('\n').filter((line) => !/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="[^"]*"\})? [\d.]+)?$/.test(line))).toEqual([])
  })

  test('are not there without enable_metrics', async () => {
    expect((await scrape(await opened({}))).status).toBe(404)
  })

  test('name every invariant, also those that were never broken, and count the cases that readers meet', async () => {
    const [once, late] = ['one-time key handed out twice', 'to-device message delivered after its acknowledgement'] as const
    const here = await opened()
    const counts = async () => {
      const { values } = await scrape(here)
      return [values.get(invariant(once)), values.get(invariant(late))]
    }
    expect(await counts()).toEqual([0, 0])
    noteBrokenInvariant(here.server.store, late)
    noteBrokenInvariant(here.server.store, late)
    expect(await counts()).toEqual([0, 2])
  })

  test('say how much memory the process has, and since when it runs', async () => {
    const { values } = await scrape(await opened())
    const startedTs = (values.get('process_start_time_seconds') ?? 0) * 1000
    expect([startedTs > Date.now() - 3_600_000, startedTs <= Date.now() + 1_000]).toEqual([true, true])
    expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
  })
})

test('what would end a line or a label is written so that it does not', () => {
  expect(printMetrics([{ name: 'a', help: 'one\ntwo \\', type: 'gauge', samples: [{ labels: { b: 'x"y\n\\', c: '' }, value: 1.5 }, { value: 2 }] }]))
    .toBe('# HELP a one\\ntwo \\\\\n# TYPE a gauge\na{b="x\\"y\\n\\\\",c=""} 1.5\na 2\n')
})
