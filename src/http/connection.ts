/** What the listener knows about the connection that a request came over. */
export type Connection = Readonly<{
  /** The client's address; behind a trusted proxy the one that the proxy names. */
  address: string
  /** Came over TLS, or a trusted proxy says that its own part did. */
  isSecure: boolean
  /** Lifts the listener's idle timeout: for answers that wait, and for media. */
  keepOpen: () => void
}>

const connections = new WeakMap<Request, Connection>()

/** In-process requests (tests, the control socket) have no connection to speak of. */
const none: Connection = { address: '127.0.0.1', isSecure: false, keepOpen: () => {} }

export const attachConnection = (request: Request, connection: Connection): void => void connections.set(request, connection)

export const connectionOf = (request: Request): Connection => connections.get(request) ?? none
