import type { Account, Bench, Caller } from './target.ts'
import { call, connectionsOf, registerGuest, spread } from './target.ts'

const BUILDERS = 16
/** What a server needs in its settings so that guests may register. */
export const GUESTS_ALLOWED = { allow_guest_access: true }
const OPEN_TO_GUESTS = { type: 'm.room.guest_access', state_key: '', content: { guest_access: 'can_join' } }

/** Accounts without a password, since ten thousand of those would take a quarter of an hour to hash. */
export async function registerGuests(bench: Bench, count: number): Promise<readonly Account[]> {
  const connections = await connectionsOf(bench, BUILDERS)
  const guests: Account[] = []
  await spread(connections, count, async (index, connection) => {
    guests[index] = await registerGuest(bench, connection)
  })
  return guests
}

/** A public room with all of them in it, made by `owner`. */
export async function roomOfGuests(bench: Bench, owner: Caller, guests: readonly Account[]): Promise<string> {
  const body = { preset: 'public_chat', initial_state: [OPEN_TO_GUESTS] }
  const { room_id: roomId } = await call<{ room_id: string }>(owner, 'POST', '/createRoom', body)
  const connections = await connectionsOf(bench, BUILDERS)
  await spread(connections, guests.length, async (index, connection) => {
    const account = guests[index]
    if (account) await call({ bench, connection, account }, 'POST', `/rooms/${encodeURIComponent(roomId)}/join`, {})
  })
  return roomId
}
