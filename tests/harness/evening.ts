import { call, type Json, login, register, type Session, UnexpectedAnswer } from './http-client.ts'

/**
 * One evening of five people in twenty rooms: what they do goes over HTTP from a device that nobody looks at, in an order
 * that a seed decides. Clients that follow it elsewhere can then be compared with the server.
 */

const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin'] as const
const PASSWORD = 'correct horse battery staple'
const ROOMS = 20
/** Between the tries of a request that met a server that was down. */
const RETRY_MS = 25
const RETRIES = 400

export type Membership = 'join' | 'invite' | 'knock' | 'leave' | 'ban'

export type Person = {
  readonly name: string
  readonly session: Session
  /** How they send messages: as a request, unless somebody gives them a client. */
  send: (roomId: string, type: string, content: Json) => Promise<string>
}

type Said = { readonly eventId: string; readonly sender: Person; readonly root: string | undefined; isGone: boolean }

export type Place = {
  readonly roomId: string
  readonly owner: Person
  readonly rule: 'public' | 'invite' | 'knock'
  /** Whoever comes in may see what was said before. */
  readonly isOpen: boolean
  readonly members: Map<Person, Membership>
  readonly said: Said[]
  /** How much had been said when somebody came in. */
  readonly since: Map<Person, number>
}

export type Evening = {
  readonly url: string
  readonly people: readonly Person[]
  readonly places: Place[]
  readonly random: () => number
  /** What was done, newest last; for the message of a failure. */
  readonly diary: string[]
  count: number
}

/** Numbers from 0 to 1, the same ones for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export async function beginEvening(url: string, seed: number): Promise<Evening> {
  const people: Person[] = []
  const evening: Evening = { url, people, places: [], random: seeded(seed), diary: [], count: 0 }
  for (const name of NAMES) {
    const session = await register(url, name, PASSWORD)
    people.push({ name, session, send: (roomId, type, content) => sendPlain(evening, session, roomId, { type, content }) })
  }
  return evening
}

/** Another device of someone. */
export const anotherDevice = ({ url }: Evening, { name }: Person): Promise<Session> => login(url, name, PASSWORD)

export async function makeRooms(evening: Evening): Promise<void> {
  for (let index = 0; index < ROOMS; index++) await makeRoom(evening, index)
}

const RULES = ['public', 'invite', 'knock', 'public'] as const
const VISIBILITY = ['shared', 'joined', 'invited', 'world_readable'] as const

async function makeRoom(evening: Evening, index: number): Promise<void> {
  const owner = evening.people[index % evening.people.length] ?? anyOf(evening, evening.people)
  const rule = RULES[index % RULES.length] ?? 'public'
  const visibility = index % 3 === 0 ? 'shared' : VISIBILITY[index % VISIBILITY.length]
  const { room_id: roomId } = await call<{ room_id: string }>(owner.session, 'POST', '/createRoom', {
    // Rooms without a name are shown by who is in them.
    ...(index % 5 === 4 ? {} : { name: `Room ${index}` }),
    initial_state: [
      { type: 'm.room.join_rules', content: { join_rule: rule } },
      { type: 'm.room.history_visibility', content: { history_visibility: visibility } },
    ],
  })
  const members = new Map<Person, Membership>([[owner, 'join']])
  const place: Place = { roomId, owner, rule, isOpen: visibility === 'shared' || visibility === 'world_readable', members, said: [], since: new Map([[owner, 0]]) }
  evening.places.push(place)
  for (const guest of evening.people) if (guest !== owner && evening.random() < 0.6) await bringIn(place, guest)
}

async function bringIn(place: Place, guest: Person): Promise<void> {
  if (place.rule !== 'public') await invite(place, guest)
  await join(place, guest)
}

type Act = (evening: Evening, person: Person, place: Place) => Promise<unknown> | undefined

/** What people do and how often; undefined: not here, not now. */
const ACTS: Readonly<Record<string, readonly [often: number, act: Act]>> = {
  say: [30, (evening, person, place) => whenIn(place, person, () => say(evening, person, place, {}))],
  mention: [4, (evening, person, place) => whenIn(place, person, () => {
    const users = [anyOf(evening, evening.people).session.userId]
    return say(evening, person, place, evening.random() < 0.3 ? { 'm.mentions': { room: true } } : { 'm.mentions': { user_ids: users } })
  })],
  // Clients ask for the root of every thread, so threads are begun where whoever comes later may see it.
  reply: [10, (evening, person, place) => (place.isOpen ? about(evening, person, place, ({ eventId, root }) =>
    say(evening, person, place, { 'm.relates_to': { rel_type: 'm.thread', event_id: root ?? eventId } }, root ?? eventId)) : undefined)],
  edit: [6, (evening, person, place) => about(evening, person, place, ({ eventId, root }) => {
    const text = `edited ${++evening.count}`
    const content = { msgtype: 'm.text', body: `* ${text}`, 'm.new_content': { msgtype: 'm.text', body: text }, 'm.relates_to': { rel_type: 'm.replace', event_id: eventId } }
    return send(person, place, { type: 'm.room.message', content, root, isMessage: false })
  }, ({ sender }) => sender === person)],
  react: [8, (evening, person, place) => about(evening, person, place, ({ eventId, root }) => {
    const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: eventId, key: `${++evening.count}` } }
    return send(person, place, { type: 'm.reaction', content, root, isMessage: false })
  })],
  redact: [5, (evening, person, place) => about(evening, person, place, async (said) => {
    await request(person, 'PUT', `${inRoom(place)}/redact/${said.eventId}/r${++evening.count}`, {})
    said.isGone = true
  }, ({ sender }) => sender === person || place.owner === person)],
  read: [14, (evening, person, place) => about(evening, person, place, ({ eventId, root }) => {
    const type = evening.random() < 0.4 ? 'm.read.private' : 'm.read'
    const body = evening.random() < 0.4 ? {} : { thread_id: root ?? 'main' }
    return request(person, 'POST', `${inRoom(place)}/receipt/${type}/${eventId}`, body)
  })],
  mark: [4, (evening, person, place) => about(evening, person, place, ({ eventId }) =>
    request(person, 'POST', `${inRoom(place)}/read_markers`, { 'm.fully_read': eventId, 'm.read': eventId }))],
  type: [6, (evening, person, place) => whenIn(place, person, () => {
    const body = evening.random() < 0.5 ? { typing: true, timeout: 30_000 } : { typing: false }
    return request(person, 'PUT', `${inRoom(place)}/typing/${person.session.userId}`, body)
  })],
  tag: [3, (evening, person, place) => whenIn(place, person, () => {
    const path = `${ofUser(person)}${inRoom(place)}/tags/m.favourite`
    return evening.random() < 0.7 ? request(person, 'PUT', path, { order: 0.5 }) : request(person, 'DELETE', path)
  })],
  note: [3, (evening, person, place) => whenIn(place, person, () =>
    request(person, 'PUT', `${ofUser(person)}${inRoom(place)}/account_data/org.example.note`, { count: ++evening.count }))],
  remember: [3, (evening, person) =>
    request(person, 'PUT', `${ofUser(person)}/account_data/org.example.global`, { count: ++evening.count })],
  topic: [3, (evening, _person, place) =>
    request(place.owner, 'PUT', `${inRoom(place)}/state/m.room.topic/`, { topic: `topic ${++evening.count}` })],
  title: [2, (evening, _person, place) =>
    request(place.owner, 'PUT', `${inRoom(place)}/state/m.room.name/`, { name: evening.random() < 0.2 ? '' : `name ${++evening.count}` })],
  rename: [1, (evening, person) =>
    request(person, 'PUT', `/profile/${person.session.userId}/displayname`, { displayname: `${person.name} ${++evening.count}` })],
  mute: [1, (evening, person, place) => {
    const path = `/pushrules/global/room/${encodeURIComponent(place.roomId)}`
    return evening.random() < 0.5
      ? request(person, 'PUT', path, { actions: [] })
      : request(person, 'DELETE', path).catch(passOver(404))
  }],
  join: [6, (evening, person, place) => {
    const before = place.members.get(person) ?? 'leave'
    const mayCome = before === 'invite' || (place.rule === 'public' && before === 'leave')
    return mayCome ? join(place, person) : undefined
  }],
  leave: [4, (evening, person, place) => {
    const before = place.members.get(person) ?? 'leave'
    if (person === place.owner || before === 'leave' || before === 'ban') return undefined
    return leave(place, person)
  }],
  forget: [1, (evening, person, place) =>
    place.members.get(person) === 'leave' ? request(person, 'POST', `${inRoom(place)}/forget`, {}) : undefined],
  invite: [6, (evening, person, place) => {
    const before = place.members.get(person) ?? 'leave'
    return before === 'leave' || before === 'knock' ? invite(place, person) : undefined
  }],
  knock: [4, (evening, person, place) => {
    const mayAsk = place.rule === 'knock' && (place.members.get(person) ?? 'leave') === 'leave'
    return mayAsk ? become(place, person, 'knock', () => request(person, 'POST', `/knock/${encodeURIComponent(place.roomId)}`, {})) : undefined
  }],
  kick: [3, (evening, person, place) => {
    const isThere = ['join', 'invite', 'knock'].includes(place.members.get(person) ?? 'leave')
    return isThere && person !== place.owner ? byOwner(place, person, 'kick', 'leave') : undefined
  }],
  ban: [2, (evening, person, place) =>
    person !== place.owner && place.members.get(person) !== 'ban' ? byOwner(place, person, 'ban', 'ban') : undefined],
  unban: [3, (evening, person, place) => (place.members.get(person) === 'ban' ? byOwner(place, person, 'unban', 'leave') : undefined)],
}

const CHOICES = Object.entries(ACTS).flatMap(([name, [often, act]]) => Array.from({ length: often }, () => ({ name, act })))

/** So many things happen, one after the other; `but` names what does not. */
export async function spend(evening: Evening, acts: number, { who = evening.people, but = [] as readonly string[] } = {}): Promise<void> {
  for (let done = 0; done < acts;) {
    const { name, act } = anyOf(evening, CHOICES)
    const [person, place] = [anyOf(evening, who), anyOf(evening, evening.places)]
    const doing = but.includes(name) ? undefined : act(evening, person, place)
    if (!doing) continue
    done++
    evening.diary.push(`${person.name} ${name} ${evening.places.indexOf(place)}`)
    await doing
  }
}

/** Everyone talks at once, as often as told, and says it again until the server has it. */
export async function talkAtOnce(evening: Evening, times: number): Promise<string[]> {
  const words = await Promise.all(evening.people.map(async (person) => {
    const said: string[] = []
    for (let time = 0; time < times; time++) {
      const place = anyOf(evening, evening.places.filter(({ members }) => members.get(person) === 'join'))
      const text = `at once ${++evening.count}`
      const content = { msgtype: 'm.text', body: text }
      const eventId = await sendPlain(evening, person.session, place.roomId, { type: 'm.room.message', content })
      place.said.push({ eventId, sender: person, root: undefined, isGone: false })
      said.push(text)
    }
    return said
  }))
  return words.flat()
}

const inRoom = ({ roomId }: Place): string => `/rooms/${encodeURIComponent(roomId)}`
const ofUser = ({ session }: Person): string => `/user/${encodeURIComponent(session.userId)}`

function anyOf<T>({ random }: Evening, list: readonly T[]): T {
  const chosen = list[Math.floor(random() * list.length)]
  if (chosen === undefined) throw new Error('There is nothing to choose from')
  return chosen
}

const whenIn = ({ members }: Place, person: Person, act: () => Promise<unknown>): Promise<unknown> | undefined =>
  members.get(person) === 'join' ? act() : undefined

/** Something about a message that the person has seen. */
function about(evening: Evening, person: Person, place: Place, act: (said: Said) => Promise<unknown>, fits: (said: Said) => boolean = () => true): Promise<unknown> | undefined {
  if (place.members.get(person) !== 'join') return undefined
  const seen = place.said.slice(place.since.get(person) ?? 0).filter((said) => !said.isGone && fits(said)).slice(-12)
  return seen.length === 0 ? undefined : act(anyOf(evening, seen))
}

const say = (evening: Evening, person: Person, place: Place, more: Json, root?: string): Promise<void> =>
  send(person, place, { type: 'm.room.message', content: { msgtype: 'm.text', body: `words ${++evening.count}`, ...more }, root, isMessage: true })

type Sent = Readonly<{ type: string; content: Json; root: string | undefined; isMessage: boolean }>

async function send(person: Person, { roomId, said }: Place, { type, content, root, isMessage }: Sent): Promise<void> {
  const eventId = await person.send(roomId, type, content)
  if (isMessage) said.push({ eventId, sender: person, root, isGone: false })
}

async function sendPlain(evening: Evening, session: Session, roomId: string, { type, content }: Readonly<{ type: string; content: Json }>): Promise<string> {
  const path = `/rooms/${encodeURIComponent(roomId)}/send/${type}/e${++evening.count}`
  return (await insist<{ event_id: string }>(session, 'PUT', path, content)).event_id
}

const request = ({ session }: Person, method: string, path: string, body?: Json): Promise<unknown> => insist(session, method, path, body)

/** Tries again while nobody answers: the server is being started. */
async function insist<Shape>(session: Session, method: string, path: string, body?: Json): Promise<Shape> {
  for (let tries = 1; ; tries++) {
    try {
      return await call<Shape>(session, method, path, body)
    } catch (failure) {
      // What was not answered may have been done all the same, and cannot be done twice.
      if (failure instanceof UnexpectedAnswer && failure.status === 403 && tries > 1) return {} as Shape
      if (failure instanceof UnexpectedAnswer || tries === RETRIES) throw failure
      await Bun.sleep(RETRY_MS)
    }
  }
}

const passOver = (status: number) => (failure: unknown): undefined => {
  if (failure instanceof UnexpectedAnswer && failure.status === status) return undefined
  throw failure
}

async function become({ members, said, since }: Place, person: Person, membership: Membership, act: () => Promise<unknown>): Promise<void> {
  await act()
  members.set(person, membership)
  if (membership === 'join') since.set(person, said.length)
}

const join = (place: Place, person: Person): Promise<void> =>
  become(place, person, 'join', () => request(person, 'POST', `${inRoom(place)}/join`, {}))
const leave = (place: Place, person: Person): Promise<void> =>
  become(place, person, 'leave', () => request(person, 'POST', `${inRoom(place)}/leave`, {}))
const invite = (place: Place, person: Person): Promise<void> => byOwner(place, person, 'invite', 'invite')
const byOwner = (place: Place, person: Person, how: string, membership: Membership): Promise<void> =>
  become(place, person, membership, () => request(place.owner, 'POST', `${inRoom(place)}/${how}`, { user_id: person.session.userId }))
