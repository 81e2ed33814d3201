import type { ServerProcess } from '#harness/warren-process.ts'
import type { Address, Connection } from './wire.ts'
import { openConnection, requestBytes } from './wire.ts'

/** A homeserver under measurement: one we started, or one that runs already and whose process we may only watch. */
export type Target = {
  readonly name: string
  readonly address: Address
  readonly durability: string
  /** Absent where nobody told: then memory and processor time are not measured. */
  readonly pid: () => number | undefined
  readonly dataDirectory: string | undefined
  /** Present when this program started it, so that it can be started again. */
  readonly process: ServerProcess | undefined
}

export type Account = { readonly userId: string; readonly token: string }

/** An account at work over one connection. */
export type Caller = { readonly bench: Bench; readonly connection: Connection; readonly account: Account }

/** Accounts, rooms and connections that the workloads of one target share. */
export type Bench = {
  readonly target: Target
  readonly quick: boolean
  /** How many messages the disk is filled with. */
  readonly fillEvents: number
  /** At least this many connections, opened once. */
  readonly connections: (count: number) => Promise<readonly Connection[]>
  /** At least this many accounts, registered once. */
  readonly accounts: (count: number) => Promise<readonly Account[]>
  readonly account: () => Promise<Account>
  /** The first account over the first connection. */
  readonly caller: () => Promise<Caller>
  /** A new transaction id, never used against this server before. */
  readonly transactionId: () => string
}

export function openBench(target: Target, quick: boolean, fillEvents: number): Bench {
  const run = `${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`
  const opened: Connection[] = []
  const registered: Account[] = []
  let transactions = 0
  const connections = async (count: number): Promise<readonly Connection[]> => {
    while (opened.length < count) opened.push(await openConnection(target.address))
    return opened
  }
  const accounts = async (count: number): Promise<readonly Account[]> => {
    const connection = firstOf(await connections(1))
    while (registered.length < count) {
      registered.push(await registerAccount(target.address, connection, `bench-${run}-${registered.length}`))
    }
    return registered
  }
  const account = async (): Promise<Account> => firstOf(await accounts(1))
  const bench: Bench = {
    target,
    quick,
    fillEvents,
    connections,
    accounts,
    account,
    caller: async () => ({ bench, account: await account(), connection: firstOf(await connections(1)) }),
    transactionId: () => `${run}.${transactions++}`,
  }
  return bench
}

function firstOf<Item>(items: readonly Item[]): Item {
  const [first] = items
  if (first === undefined) throw new Error('There is none')
  return first
}

/** The first `count` connections. */
export async function connectionsOf(bench: Bench, count: number): Promise<readonly Connection[]> {
  return (await bench.connections(count)).slice(0, count)
}

/** An account without a password, where the server allows guests. */
export async function registerGuest(bench: Bench, connection: Connection): Promise<Account> {
  const path = '/_matrix/client/v3/register?kind=guest'
  const request = requestBytes(bench.target.address, 'POST', path, undefined, '{}')
  const answer = parseAnswer<{ user_id: string; access_token: string }>(await connection.request(request), path)
  return { userId: answer.user_id, token: answer.access_token }
}

async function registerAccount(address: Address, connection: Connection, username: string): Promise<Account> {
  const path = '/_matrix/client/v3/register'
  const body = { username, password: `password of ${username}`, auth: { type: 'm.login.dummy' } }
  const request = requestBytes(address, 'POST', path, undefined, JSON.stringify(body))
  const answer = parseAnswer<{ user_id: string; access_token: string }>(await connection.request(request), path)
  return { userId: answer.user_id, token: answer.access_token }
}

/** The bytes of a signed-in request below `/_matrix/client/v3`. */
export function requestOf(bench: Bench, account: Account, method: string, path: string, body?: unknown): Buffer {
  const text = body === undefined ? undefined : JSON.stringify(body)
  return requestBytes(bench.target.address, method, `/_matrix/client/v3${path}`, account.token, text)
}

/** Sends one signed-in request; throws unless it succeeds. The shape is the caller's claim. */
export async function call<Shape>(caller: Caller, method: string, path: string, body?: unknown): Promise<Shape> {
  const { bench, connection, account } = caller
  return parseAnswer<Shape>(await connection.request(requestOf(bench, account, method, path, body)), path)
}

function parseAnswer<Shape>(answer: { readonly status: number; readonly body: Buffer }, path: string): Shape {
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body.toString()}`)
  return JSON.parse(answer.body.toString()) as Shape
}

/** Creates a room; `more` lies over a private chat with a name. */
export async function createRoom(owner: Caller, more: object = {}): Promise<string> {
  const body = { preset: 'private_chat', name: 'bench', ...more }
  return (await call<{ room_id: string }>(owner, 'POST', '/createRoom', body)).room_id
}

/** The request that sends the numbered text into a room. */
export function textRequest(bench: Bench, sender: Account, roomId: string, number: number): Buffer {
  const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${bench.transactionId()}`
  return requestOf(bench, sender, 'PUT', path, { msgtype: 'm.text', body: `seq msg ${number}` })
}

/** Sends the numbered text; throws unless it is accepted. */
export async function sendText({ bench, connection, account }: Caller, roomId: string, number: number): Promise<void> {
  parseAnswer(await connection.request(textRequest(bench, account, roomId, number)), roomId)
}

/** Runs `work` on 0 … count - 1, as many at once as there are connections. */
export async function spread(
  connections: readonly Connection[],
  count: number,
  work: (index: number, connection: Connection) => Promise<void>,
): Promise<void> {
  let next = 0
  await Promise.all(connections.map(async (connection) => {
    for (let index = next++; index < count; index = next++) await work(index, connection)
  }))
}
