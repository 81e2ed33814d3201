import type { RoomId, UserId } from '#schema/identifiers.ts'
import type {
  DelayedEventEnded, DelayedEventFact, DelayedEventRestarted, DelayedEventScheduled,
} from '#schema/journal/delayed-event.ts'
import type { Project, ProjectionsOf } from './projectors.ts'
import type { Store } from './store.ts'

/** Table `delayed_events`: what waits to be sent (MSC4140). */

const projectScheduled: Project<DelayedEventScheduled> = ({ db, names }, fact, position) => {
  db.query(`
    INSERT INTO delayed_events (delay_id, user, room, type, state_key, content, delay_ms, running_ts, position)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  `).run(
    fact.delayId,
    names.numberOf(fact.userId),
    names.numberOf(fact.roomId),
    fact.type,
    fact.stateKey,
    JSON.stringify(fact.content),
    fact.delayMs,
    fact.ts,
    position,
  )
}

const projectRestarted: Project<DelayedEventRestarted> = ({ db }, { delayId, ts }) => {
  db.query('UPDATE delayed_events SET running_ts = ? WHERE delay_id = ?').run(ts, delayId)
}

const projectEnded: Project<DelayedEventEnded> = ({ db }, { delayId }) => {
  db.query('DELETE FROM delayed_events WHERE delay_id = ?').run(delayId)
}

export const delayedEventProjections: ProjectionsOf<DelayedEventFact> = {
  delayedEventScheduled: { project: projectScheduled },
  delayedEventRestarted: { project: projectRestarted },
  delayedEventEnded: { project: projectEnded },
}

export type DelayedEventRow = Readonly<{
  delayId: string
  roomId: RoomId
  type: string
  stateKey: string | null
  /** JSON text. */
  content: string
  delayMs: number
  runningTs: number
}>

/** What a user has scheduled and what was not sent yet, oldest first. */
export function listDelayedEvents({ db, names }: Store, userId: UserId): DelayedEventRow[] {
  return db
    .query<DelayedEventRow, [number]>(`
      SELECT d.delay_id AS delayId, n.name AS roomId, d.type, d.state_key AS stateKey, d.content,
             d.delay_ms AS delayMs, d.running_ts AS runningTs
        FROM delayed_events d JOIN names n ON n.num = d.room WHERE d.user = ? ORDER BY d.position
    `)
    .all(names.find(userId) ?? -1)
}

export const countDelayedEvents = ({ db, names }: Store, userId: UserId): number =>
  db
    .query<{ total: number }, [number]>('SELECT count(*) AS total FROM delayed_events WHERE user = ?')
    .get(names.find(userId) ?? -1)?.total ?? 0

/** The room in which a delayed event waits. */
export function findDelayedEventRoom({ db, names }: Store, delayId: string): RoomId | undefined {
  const row = db.query<{ room: number }, [string]>('SELECT room FROM delayed_events WHERE delay_id = ?').get(delayId)
  return row ? (names.textOf(row.room) as RoomId) : undefined
}

/** The rooms whose timers are to be set when the server starts. */
export const listRoomsWithDelayedEvents = ({ db, names }: Store): RoomId[] =>
  db
    .query<{ room: number }, []>('SELECT DISTINCT room FROM delayed_events')
    .all()
    .map(({ room }) => names.textOf(room) as RoomId)
