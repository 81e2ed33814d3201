import { expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { migrate } from '#store/database.ts'
import { migrations } from '#store/migrations.ts'

/**
 * Nothing is stored without an end (D25). What cuts a table stands above it in the schema, after `Cut:`, or here for
 * those that cannot grow past what people make on purpose.
 */
const CUTS: Readonly<Record<string, string>> = {
  meta: 'a fixed set of keys',
  names: 'grows with users, rooms, devices and event types; a name is never given a second number',
  journal: 'what lies behind a snapshot that was compared with a replay',
  snapshots: 'one per actor, the newest',
  events: 'retention, purging and the leaving of the last local user',
  rooms: 'goes with its events',
  room_state: 'one per key of the state',
  state_changes: 'goes with its events',
  memberships: 'one per user and room; a forgotten room is purged with its last local user',
  receipts: 'the furthest per user, room, type and thread',
  users: 'one per account',
  devices: 'deleted by their user, or stale ones by the limit of devices',
  access_tokens: 'expiry, logout and the refresh after the next',
  refresh_tokens: 'expiry, logout and the refresh after the next',
  profiles: 'limit of the size of a profile',
  account_data: 'one per user, room and type',
  filters: 'the oldest of too many',
  aliases: 'one per alias',
  registration_tokens: 'made and deleted by the admin',
  device_keys: 'one per device',
  fallback_keys: 'one per device and algorithm',
  device_inboxes: 'one per device',
  cross_signing_keys: 'one per user and usage',
  key_backups: 'limit of versions per account',
  dehydrated_devices: 'one per user',
  broken_invariants: 'one per invariant',
  user_directory: 'one per user',
  user_directory_words: 'goes with user_directory',
  open_rooms: 'one per room that anyone may find',
}

/** `-- Cut:` and what follows it in the comment right above a table. */
function cutInSchema(table: string): string | undefined {
  for (const sql of migrations) {
    const above = new RegExp(`((?:^--.*\\n)+)CREATE (?:VIRTUAL )?TABLE ${table}\\b`, 'm').exec(sql)?.[1]
    const cut = above && /Cut: ([^]*)/.exec(above)?.[1]?.replace(/\n-- /g, ' ').trim()
    if (cut) return cut
  }
  return undefined
}

const tables = ((): string[] => {
  const db = new Database(':memory:', { strict: true })
  migrate(db)
  // A full-text table keeps its own tables, named after it.
  const rows = db.query<{ name: string; sql: string }, []>(`SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).all()
  const virtual = rows.filter(({ sql }) => sql.startsWith('CREATE VIRTUAL')).map(({ name }) => name)
  return rows.map(({ name }) => name).filter((name) => !virtual.some((table) => name.startsWith(`${table}_`)))
})()

test.each(tables)('%s names what cuts it', (table) => {
  expect(cutInSchema(table) ?? CUTS[table]).toBeString()
})

test('no cut is named for a table that is not there', () => {
  expect(Object.keys(CUTS).filter((table) => !tables.includes(table))).toEqual([])
})
