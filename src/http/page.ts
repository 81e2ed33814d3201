/** What an endpoint is handed by the router. */
export type Matched = { request: Request; params: Record<string, string> }
export type Endpoint = (matched: Matched) => Response | Promise<Response>
export type Route = Readonly<{ method: string; path: string; handler: Endpoint }>

/** The endpoints of one page of the specification, in the order in which they were added. */
export type Page = Readonly<{
  routes: readonly Route[]
  get: (path: string, handler: Endpoint) => Page
  post: (path: string, handler: Endpoint) => Page
  put: (path: string, handler: Endpoint) => Page
  delete: (path: string, handler: Endpoint) => Page
}>

/**
 * A list of routes and nothing more: one router is made of all pages together, because a router for each costs a
 * start more than the rest of it.
 */
export function page(routes: readonly Route[] = []): Page {
  const adding = (method: string) => (path: string, handler: Endpoint): Page => page([...routes, { method, path, handler }])
  return { routes, get: adding('GET'), post: adding('POST'), put: adding('PUT'), delete: adding('DELETE') }
}
