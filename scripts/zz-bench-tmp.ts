import { Database } from 'bun:sqlite'
import { rmSync, statSync, mkdirSync } from 'node:fs'
import { migrate } from '#store/database.ts'
import { storeOn } from '#store/store.ts'
import { eventAppendedRow } from '#store/events.ts'
import { openSearcher } from '#store/searcher.ts'
import { parseSearchTerm } from '#core/search-words.ts'
const N = Number(process.argv[2] ?? 1_000_000), ROOMS = 60
const dir = '/tmp/rel-scratch/million'; rmSync(dir, { recursive: true, force: true }); mkdirSync(dir)
const f = dir + '/homeserver.db'
let seed = 7
const rnd = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff
const words: string[] = []
for (let i = 0; i < 20000; i++) { let w = ''; const n = 3 + Math.floor(rnd() * 7); for (let k = 0; k < n; k++) w += String.fromCharCode(97 + Math.floor(rnd() * 26)); words.push(w) }
const zipf = () => words[Math.min(19999, Math.floor(Math.pow(20000, rnd())) - 1)]!
const han = [...'的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长']
const db = new Database(f, { create: true, strict: true }); db.run('PRAGMA journal_mode=WAL'); db.run('PRAGMA synchronous=OFF'); migrate(db)
const store = storeOn(db)
const t0 = performance.now()
let textBytes = 0
for (let i = 0; i < N; i += 1000) db.transaction(() => {
  for (let k = i; k < Math.min(N, i + 1000); k++) {
    const body = k % 20 === 7 ? Array.from({ length: 8 + Math.floor(rnd() * 12) }, () => han[Math.floor(rnd() * han.length)]).join('') : Array.from({ length: 3 + Math.floor(rnd() * 10) }, zipf).join(' ')
    textBytes += Buffer.byteLength(body)
    const content = JSON.stringify({ body, msgtype: 'm.text' })
    const json = `{"content":${content},"depth":${k}}`
    eventAppendedRow.project(store, { kind: 'eventAppended', roomId: '!room' + (k % ROOMS), eventId: '$e' + k + ':x', pdu: { type: 'm.room.message', sender: '@u' + (k % 20) + ':a.example', depth: k, origin_server_ts: 1.7e12 + k * 1000 }, json, contentStart: 11, contentEnd: 11 + content.length } as never, k + 1, '')
  }
}).immediate()
db.query('INSERT INTO journal (position, actor, kind, cause) VALUES (?, 1, 1, ?)').run(N, 'x')
db.run('PRAGMA wal_checkpoint(TRUNCATE)')
console.log('made', ((performance.now() - t0) / 1000).toFixed(0), 's', (statSync(f).size / N).toFixed(0), 'bytes/event; text', (textBytes / N).toFixed(0))
const searcher = openSearcher(store, f)
const all = Array.from({ length: ROOMS }, (_, i) => store.names.find('!room' + i)!), type = store.names.find('m.room.message')!
const ask = (term: string, rooms: number[], order: 'rank' | 'recent') => searcher.find({ match: parseSearchTerm(term)!.match, rooms, types: [type], until: N, order })
const t1 = performance.now()
let c0 = process.cpuUsage().user
for (;;) { await ask('zzzzqq', [all[0]!], 'recent'); const d = new Database(dir + '/search.db', { readonly: true }); const { position } = d.query('select position from progress').get() as any; d.close(); if (position >= N) break; await Bun.sleep(200) }
console.log('indexed', ((performance.now() - t1) / 1000).toFixed(1), 's', ((performance.now() - t1) * 1000 / N).toFixed(1), 'µs/event cpu', ((process.cpuUsage().user - c0) / N).toFixed(1), 'index', ((statSync(dir + '/search.db').size) / N).toFixed(1), 'bytes/event')
const stats = (ts: number[]) => { ts.sort((a, b) => a - b); return `p50 ${ts[Math.floor(ts.length / 2)]!.toFixed(1)} p90 ${ts[Math.floor(ts.length * .9)]!.toFixed(1)} max ${ts.at(-1)!.toFixed(1)} ms` }
async function mix(label: string, rooms: number[], order: 'rank' | 'recent', term: () => string) {
  const ts = [], counts = []
  for (let i = 0; i < 60; i++) { const q = term(); const t = performance.now(); counts.push((await ask(q, rooms, order)).nums.length); ts.push(performance.now() - t) }
  counts.sort((a, b) => a - b); console.log(label.padEnd(52), stats(ts), 'matches p50', counts[30])
}
for (const order of ['recent', 'rank'] as const) {
  for (const [name, rooms] of [['all 60 rooms', all], ['20 rooms', all.slice(0, 20)], ['1 room', all.slice(3, 4)]] as const) {
    await mix(`${order}, ${name}, one word as it is said`, rooms as number[], order, zipf)
    await mix(`${order}, ${name}, two words`, rooms as number[], order, () => zipf() + ' ' + zipf())
    await mix(`${order}, ${name}, the ten commonest words`, rooms as number[], order, () => words[Math.floor(rnd() * 10)]!)
    await mix(`${order}, ${name}, two Chinese characters`, rooms as number[], order, () => han[Math.floor(rnd() * han.length)]! + han[Math.floor(rnd() * han.length)]!)
  }
}
await searcher.close()
process.exit(0)
