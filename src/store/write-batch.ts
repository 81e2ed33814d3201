import type { Kinded } from '#actors/kernel/actor.ts'
import { pack } from 'msgpackr'
import { projections } from './projections.ts'
import { forgetAudiences } from './push-audience.ts'
import type { Store } from './store.ts'

/** A journal row as it crosses to the writer, within `rows`. */
type WireRow = Readonly<{ p: number; a: string; c: string; f: Kinded; n?: number }>
export type WireSnapshot = Readonly<{ actor: string; version: number; position: number; frozen: Uint8Array }>

/**
 * A batch as it crosses to the writer: rows as one JSON text, and the event texts of all rows one after the other,
 * because JSON within JSON would be escaped, copied and read again character by character. A row's `n` is the length
 * of its own, in UTF-16 units.
 */
export type WireBatch = Readonly<{ rows: string; texts: string; snapshots: readonly WireSnapshot[] }>

/** Replay finds these by the room's index of `events` and not by the journal's; no other kind is as frequent. */
const FOUND_IN_EVENTS = 'eventAppended'
const KEPT_ELSEWHERE = new Uint8Array()

export type RowToWrite = Readonly<{ position: number; actor: string; cause: string; fact: Kinded }>

/** Puts a batch in the form that crosses. */
export function wireBatch(rows: readonly RowToWrite[], snapshots: readonly WireSnapshot[]): WireBatch {
  let texts = ''
  const wire = rows.map(({ position, actor, cause, fact }): WireRow => {
    const slim: Kinded & { json?: unknown } = dehydrated(fact)
    const { json, ...rest } = slim
    if (typeof json !== 'string') return { p: position, a: actor, c: cause, f: slim }
    texts += json
    return { p: position, a: actor, c: cause, f: rest, n: json.length }
  })
  return { rows: JSON.stringify(wire), texts, snapshots }
}

function dehydrated(fact: Kinded): Kinded {
  const dehydrate = projections[fact.kind]?.dehydrate
  return dehydrate ? dehydrate(fact as never) : fact
}

/** Writes journal rows, their projections and snapshots in one transaction; all of it or nothing. */
export function writeBatch(store: Store, { rows, texts, snapshots }: WireBatch): void {
  const wire = JSON.parse(rows) as WireRow[]
  try {
    store.db.transaction(() => {
      let at = 0
      for (const { p, a, c, f, n } of wire) {
        const text = n === undefined ? {} : { json: texts.slice(at, at + n) }
        writeRow(store, { position: p, actor: a, cause: c, fact: { ...f, ...text } })
        at += n ?? 0
      }
      for (const snapshot of snapshots) writeSnapshot(store, snapshot)
    }).immediate()
  } catch (error) {
    store.names.forget()
    forgetAudiences(store.audiences)
    throw error
  }
}

function writeRow(store: Store, { position, actor, cause, fact }: RowToWrite): void {
  const { db, names } = store
  const projection = projections[fact.kind]
  if (!projection) throw new Error(`no projection for facts of kind ${fact.kind}`)
  db.query('INSERT INTO journal (position, actor, kind, cause, fact) VALUES (?, ?, ?, ?, ?)').run(
    position,
    names.numberOf(actor),
    names.numberOf(fact.kind),
    cause,
    projection.hydrate ? placeOf(fact) : pack(fact),
  )
  projection.project(store, fact as never, position, actor.slice(actor.indexOf('/') + 1))
}

const placeOf = ({ kind }: Kinded): Uint8Array | null => (kind === FOUND_IN_EVENTS ? null : KEPT_ELSEWHERE)

function writeSnapshot({ db, names }: Store, { actor, version, position, frozen }: WireSnapshot): void {
  db.query(`
    INSERT INTO snapshots (actor, version, position, frozen) VALUES (?, ?, ?, ?)
    ON CONFLICT (actor) DO UPDATE SET version = excluded.version, position = excluded.position, frozen = excluded.frozen
  `).run(names.numberOf(actor), version, position, frozen)
}
