const LIMIT_MS = 10_000
const POLL_MS = 10

/** Waits until `look` finds something and gives it back; throws after ten seconds, naming what was awaited. */
export async function until<Found>(what: string, look: () => Found | undefined | null | false): Promise<Found> {
  const deadline = performance.now() + LIMIT_MS
  for (;;) {
    const found = look()
    if (found !== undefined && found !== null && found !== false) return found
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${what}`)
    await Bun.sleep(POLL_MS)
  }
}
