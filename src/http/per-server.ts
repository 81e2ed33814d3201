import type { Homeserver } from '#homeserver'

/**
 * One of something for each homeserver of the process, made when it is first asked for and gone with the server: for
 * what several pages share and no actor needs to know. Its owner bounds what it holds.
 */
export function perServer<T>(make: (server: Homeserver) => T): (server: Homeserver) => T {
  const made = new WeakMap<Homeserver, T>()
  return (server) => {
    const known = made.get(server)
    if (known !== undefined) return known
    const fresh = make(server)
    made.set(server, fresh)
    return fresh
  }
}
