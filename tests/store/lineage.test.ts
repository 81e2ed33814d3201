import { describe, expect, test } from 'bun:test'
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { openWriting } from '#store/database.ts'
import { inlineWriter, sqliteJournal, type Writer } from '#store/journal.ts'
import { type Lineage, markPathOf, openLineage, POSITIONS_SKIPPED } from '#store/lineage.ts'
import { prepareDatabase } from '#store/prepare-database.ts'
import { type Store, storeOn } from '#store/store.ts'
import { chat, newDatabasePath, rowsOf } from './fixture.ts'

type Opened = Readonly<{ lineage: Lineage; reader: Store; writer: Writer }>

/** Opens as `openStore` does, but without its threads. */
async function open<Answer>(path: string, work: (opened: Opened) => Answer | Promise<Answer>): Promise<Answer> {
  const db = prepareDatabase({ path, serverName: 'a.example', report: () => {} })
  const lineage = openLineage(db, path)
  const writing = openWriting(path, 'full')
  try {
    return await work({ lineage, reader: storeOn(db), writer: inlineWriter(storeOn(writing)) })
  } finally {
    db.close()
    writing.close()
  }
}

/** Opens, does something, and notes how far clients may have seen, which is the answer. */
const serve = (path: string, work: (opened: Opened) => unknown = () => {}): Promise<number> =>
  open(path, async (opened) => {
    await work(opened)
    const { position } = sqliteJournal(opened.reader, opened.writer)
    opened.lineage.note(position)
    return position
  })

const isRestored = (path: string): Promise<boolean> => open(path, ({ lineage }) => lineage.isRestored)

let rooms = 1_700_000_000_000
/** A room of its own with so many events. */
const write = (count: number) => async ({ reader, writer }: Opened): Promise<void> => {
  const room = chat(++rooms)
  const facts = [room.create, room.join, ...Array.from({ length: count - 2 }, () => room.message('x'))]
  const journal = sqliteJournal(reader, writer)
  await journal.append({ rows: rowsOf(facts, journal.position + 1).map((row) => ({ ...row, ts: 0 })), snapshots: [] })
}

/** Whatever stands at `path` becomes what is in the copy, as another file of that name. */
function replace(path: string, copy: string): void {
  rmSync(path)
  copyFileSync(copy, path)
}

describe('a database', () => {
  test('that is new, or was served last from here, is the one it was', async () => {
    const path = newDatabasePath()
    expect(await isRestored(path)).toBe(false)
    await serve(path, write(3))
    expect(await isRestored(path)).toBe(false)
  })

  test('that was killed before it could note how far it came is the one it was', async () => {
    const path = newDatabasePath()
    await open(path, write(5))
    expect([existsSync(markPathOf(path)), await isRestored(path)]).toEqual([false, false])
  })

  test('in a folder that was renamed is the one it was', async () => {
    const path = newDatabasePath()
    await serve(path, write(3))
    const moved = newDatabasePath()
    renameSync(path, moved)
    renameSync(markPathOf(path), markPathOf(moved))
    expect(await isRestored(moved)).toBe(false)
  })

  test('that was written over with a backup of it is another', async () => {
    const path = newDatabasePath()
    await serve(path, write(3))
    copyFileSync(path, `${path}.backup`)
    await serve(path, write(4))
    const before = statSync(path).ino
    writeFileSync(path, readFileSync(`${path}.backup`))
    expect([statSync(path).ino === before, await isRestored(path)]).toEqual([true, true])
  })

  test('that was put back together with its whole folder is another', async () => {
    const path = newDatabasePath()
    await serve(path, write(3))
    for (const file of [path, markPathOf(path)]) {
      copyFileSync(file, `${file}.backup`)
      replace(file, `${file}.backup`)
    }
    expect(await isRestored(path)).toBe(true)
  })
})

describe('after a restore', () => {
  test('positions go on far behind all that clients may have seen, also when nothing is written for long', async () => {
    const path = newDatabasePath()
    await serve(path, write(3))
    copyFileSync(path, `${path}.backup`)
    await serve(path, write(4))
    replace(path, `${path}.backup`)
    const expected = 7 + POSITIONS_SKIPPED
    expect(await serve(path, ({ lineage }) => lineage.confirm())).toBe(expected)
    expect(await serve(path)).toBe(expected)
    expect(await serve(path, write(2))).toBe(expected + 2)
    expect(await isRestored(path)).toBe(false)
  })

  test('it stays one until what follows from it is done', async () => {
    const path = newDatabasePath()
    await serve(path, write(3))
    copyFileSync(path, `${path}.backup`)
    replace(path, `${path}.backup`)
    expect([await isRestored(path), await isRestored(path)]).toEqual([true, true])
    await serve(path, ({ lineage }) => lineage.confirm())
    expect(await isRestored(path)).toBe(false)
  })
})

test('a mark that cannot be read says nothing', async () => {
  const path = newDatabasePath()
  await serve(path, write(3))
  for (const text of ['', 'soon', '99999999999999999999']) {
    writeFileSync(markPathOf(path), text)
    expect(await isRestored(path)).toBe(false)
  }
})
