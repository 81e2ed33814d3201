/** The figures Warren is held to on two shared cores, by name; `diskMs` is the measured append + fdatasync. */
export type FigureName = keyof typeof labels

export type Synchronous = 'full' | 'normal'

/** A figure must be at most, or at least, this many of its unit. */
export type Budget = { readonly direction: 'at most' | 'at least'; readonly value: number }

const labels = {
  'send-one-by-one': ['500 sends one by one, p50', 'ms'],
  'send-ten-workers': ['500 sends by 10 workers into one room', 'msg/s'],
  'send-fifty-rooms': ['50 workers over 50 rooms', 'msg/s'],
  'delivery': ['send to a waiting /sync, p50', 'ms'],
  'delivery-processor': ['100 members waiting, processor time per delivery', 'ms'],
  'initial-sync': ['initial /sync of 200 rooms × 20 messages, p50', 'ms'],
  'empty-sync': ['empty /sync of an account in 200 rooms, p50', 'ms'],
  'messages': ['/messages of 50, p50', 'ms'],
  'state': ['/state of a room of 100 members, p50', 'ms'],
  'create-room': ['createRoom, p50', 'ms'],
  'memory-idle': ['memory after start', 'MB'],
  'memory-after': ['memory three seconds after everything above', 'MB'],
  'disk': ['disk per message', 'bytes'],
  'start-empty': ['start to first answer, empty', 'ms'],
  'start-filled': ['start to first answer, with those messages', 'ms'],
  'messages-1k': ['/messages of 50 in a room of 1,000, p50', 'ms'],
  'messages-10k': ['/messages of 50 in a room of 10,000, p50', 'ms'],
  'messages-100k': ['/messages of 50 in a room of 100,000, p50', 'ms'],
  'messages-1m': ['/messages of 50 in a room of 1,000,000, p50', 'ms'],
  'state-1k': ['/state of a room of 1,000 members, p50', 'ms'],
  'search': ['/search of all those messages, p50', 'ms'],
  'search-quiet': ['/search by someone in 100 quiet rooms among them, p50', 'ms'],
  'search-bystander': ['/whoami while others search, p50', 'ms'],
  'hierarchy': ['/hierarchy of a space of 200 rooms, p50', 'ms'],
} as const

/** What a figure measures. */
export const labelOf = (name: FigureName): string => labels[name][0]

export const unitOf = (name: FigureName): string => labels[name][1]

export const figureNames: readonly FigureName[] = Object.keys(labels).filter((name) => isFigureName(name))

function isFigureName(name: string): name is FigureName {
  return name in labels
}

const atMost = (value: number): Budget => ({ direction: 'at most', value })
const atLeast = (value: number): Budget => ({ direction: 'at least', value })

/** The budget of each figure in a durability mode. */
export function budgetOf(name: FigureName, mode: Synchronous, diskMs: number): Budget {
  const synced = (ms: number): Budget => atMost(mode === 'full' ? diskMs + ms : ms)
  switch (name) {
    case 'send-one-by-one': return synced(0.8)
    case 'send-ten-workers': return atLeast(mode === 'full' ? Math.min(3000, 6 * 1000 / diskMs) : 3500)
    case 'send-fifty-rooms': return atLeast(mode === 'full' ? 4500 : 5000)
    case 'delivery': return synced(1.5)
    case 'delivery-processor': return atMost(0.2)
    case 'initial-sync': return atMost(80)
    case 'empty-sync': return atMost(1.5)
    case 'messages': return atMost(2)
    case 'state': return atMost(1.2)
    case 'create-room': return synced(3)
    case 'memory-idle': return atMost(80)
    case 'memory-after': return atMost(180)
    case 'disk': return atMost(900)
    case 'start-empty': return atMost(80)
    case 'start-filled': return atMost(130)
    case 'messages-1k':
    case 'messages-10k':
    case 'messages-100k':
    case 'messages-1m': return atMost(2)
    case 'state-1k': return atMost(10)
    case 'search':
    case 'search-quiet': return atMost(50)
    case 'search-bystander': return atMost(2)
    case 'hierarchy': return atMost(50)
  }
}

/** Whether a figure keeps its budget. */
export function keeps(budget: Budget, value: number): boolean {
  return budget.direction === 'at most' ? value <= budget.value : value >= budget.value
}
