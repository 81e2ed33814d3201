import { expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { closeSync, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { house, type House } from '#harness/house.ts'
import { until } from '#harness/until.ts'
import { migrate } from '#store/database.ts'
import { inlineWriter, sqliteJournal } from '#store/journal.ts'
import { openStore } from '#store/open-store.ts'
import type { StoreReport } from '#store/report.ts'
import { reservePathOf } from '#store/reserve-file.ts'
import { storeOn } from '#store/store.ts'
import { chat, newFolder, rowsOf } from './fixture.ts'

const DISK_MB = 12
const FULL = {
  status: 507,
  body: { errcode: 'M_UNKNOWN', error: 'The disk is full: nothing was kept. Free some space; the server goes on by itself' },
}

const mount = (folder: string): boolean =>
  Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', folder], { stderr: 'ignore' }).exitCode === 0
const unmount = (folder: string): void => void Bun.spawnSync(['umount', '-l', folder], { stderr: 'ignore' })

const canMount = ((): boolean => {
  const folder = newFolder()
  const isMounted = mount(folder)
  if (isMounted) unmount(folder)
  return isMounted
})()

/** Runs `work` in a folder that is a small disk of its own. */
async function onSmallDisk(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = newFolder()
  if (!mount(folder)) throw new Error('no disk could be mounted')
  try {
    await work(folder)
  } finally {
    unmount(folder)
  }
}

/** Takes what is free, to the last byte. */
function fillDisk(path: string): void {
  const file = openSync(path, 'w')
  const chunk = Buffer.alloc(4_096, 7)
  try {
    while (writeSync(file, chunk) === chunk.length);
  } catch {
    // This is what was wanted.
  }
  closeSync(file)
}

const succeeds = (work: Promise<void>): Promise<boolean> => work.then(() => true, () => false)
const TEXT = 'x'.repeat(8_000)
const note = (house: House, name: string) =>
  house.alice.answer('PUT', `/v3/user/${house.alice.userId}/account_data/${name}`, { text: TEXT })
const read = (house: House, name: string) => house.alice.answer('GET', `/v3/user/${house.alice.userId}/account_data/${name}`)

function positionsOf(path: string): { count: number; last: number } {
  const db = new Database(path, { readonly: true })
  const row = db.query<{ count: number; last: number }, []>('SELECT count(*) AS count, max(position) AS last FROM journal').get()
  db.close()
  return row ?? { count: 0, last: 0 }
}

test.skipIf(!canMount)('on a full disk writes are refused, reads go on, and the server recovers by itself', async () => {
  await onSmallDisk(async (folder) => {
    const path = join(folder, 'warren.db')
    const overrides = { database: { name: 'sqlite3', args: { database: path } } }
    const first = await house(overrides)
    expect(await note(first, 'before')).toEqual({ status: 200, body: {} })
    await until('the reserve', () => existsSync(reservePathOf(path)))
    fillDisk(join(folder, 'junk'))

    const kept: string[] = ['before']
    const refused: string[] = []
    for (let index = 0; refused.length < 5; index++) {
      const answer = await note(first, `full${index}`)
      if (answer.status === 200) kept.push(`full${index}`)
      else refused.push(`full${index}`)
      if (answer.status !== 200) expect(answer).toEqual(FULL)
    }
    expect(existsSync(reservePathOf(path))).toBe(false)
    for (const name of kept) expect(await read(first, name)).toEqual({ status: 200, body: { text: TEXT } })
    for (const name of refused) expect((await read(first, name)).status).toBe(404)

    rmSync(join(folder, 'junk'))
    while ((await note(first, 'after')).status !== 200) await Bun.sleep(50)
    kept.push('after')
    expect(existsSync(reservePathOf(path))).toBe(true)
    const { count, last } = positionsOf(path)
    expect(count).toBe(last)
    await first.close()

    const second = await openAgain(overrides)
    for (const name of kept) expect(await second.read(name)).toBe(TEXT)
    for (const name of refused) expect(await second.read(name)).toBeUndefined()
    await second.close()
  })
}, 30_000)

/** The same data under a new process, so to say: every actor is replayed. */
async function openAgain(overrides: Record<string, unknown>) {
  const { args } = overrides.database as { args: { database: string } }
  const opened = await openStore(args.database, 'full')
  const journal = sqliteJournal(opened.reader, opened.writer)
  return {
    async read(type: string): Promise<unknown> {
      const facts = [...journal.factsOf('user/@alice:a.example', 0)].map(({ fact }) => fact as unknown as { type?: string; content?: { text: string } })
      return facts.findLast((fact) => fact.type === type)?.content?.text
    },
    close: () => opened.close(),
  }
}

test.skipIf(!canMount)('a server starts on a full disk: the reserve makes room to read', async () => {
  await onSmallDisk(async (folder) => {
    const path = join(folder, 'warren.db')
    const first = await openStore(path, 'full')
    await first.writer.write({ rows: '[]', texts: '', snapshots: [] })
    await until('the reserve', () => existsSync(reservePathOf(path)))
    await first.close()
    fillDisk(join(folder, 'junk'))
    const second = await openStore(path, 'full')
    expect(second.reader.db.query('SELECT count(*) AS count FROM journal').get()).toEqual({ count: 0 })
    await second.close()
  })
})

test('when the database may not grow the batch is refused, and nothing of it is kept', async () => {
  const db = new Database(':memory:', { strict: true })
  migrate(db)
  const store = storeOn(db)
  const pages = db.query<{ page_count: number }, []>('PRAGMA page_count').get()?.page_count ?? 0
  db.run(`PRAGMA max_page_count = ${pages + 4}`)
  const journal = sqliteJournal(store, inlineWriter(store))
  const room = chat()
  const rows = rowsOf([room.create, room.join, ...Array.from({ length: 50 }, () => room.message(TEXT))]).map((row) => ({ ...row, ts: 0 }))
  await expect(journal.append({ rows, snapshots: [] })).rejects.toMatchObject({ status: 507, errcode: 'M_UNKNOWN' })
  expect(journal.position).toBe(0)
  db.run(`PRAGMA max_page_count = ${pages + 1_000}`)
  await journal.append({ rows, snapshots: [] })
  expect(journal.position).toBe(rows.length)
})

test.skipIf(!canMount)('the admin is told when the disk is full, and when it no longer is', async () => {
  await onSmallDisk(async (folder) => {
    const path = join(folder, 'warren.db')
    const reports: StoreReport[] = []
    const opened = await openStore(path, 'full', { report: (report) => void reports.push(report) })
    const room = chat()
    const journal = sqliteJournal(opened.reader, opened.writer)
    const append = () => journal.append({ rows: rowsOf([journal.position === 0 ? room.create : room.message(TEXT)], journal.position + 1).map((row) => ({ ...row, ts: 0 })), snapshots: [] })
    await append()
    fillDisk(join(folder, 'junk'))
    while (await succeeds(append()));
    expect(opened.health()).toEqual({ isDiskFull: true, problems: [] })
    rmSync(join(folder, 'junk'))
    while (!(await succeeds(append()))) await Bun.sleep(50)
    expect(opened.health()).toEqual({ isDiskFull: false, problems: [] })
    expect(reports).toEqual([{ kind: 'diskFull' }, { kind: 'diskFreed' }])
    expect(statSync(reservePathOf(path)).size).toBeGreaterThan(0)
    await opened.close()
  })
})
