/** How long one request may hold the event loop before the others have their turn. */
const SLICE_MS = 4

/** Takes a step for each item, and lets others have their turn in between: for what one client may ask thousands of. */
export async function unhurried<T>(items: Iterable<T>, step: (item: T) => void): Promise<void> {
  let until = performance.now() + SLICE_MS
  for (const item of items) {
    step(item)
    if (performance.now() < until) continue
    await new Promise((resolve) => setImmediate(resolve))
    until = performance.now() + SLICE_MS
  }
}

/** The same for steps that take time themselves: starts all of them and waits for the last. */
export async function unhurriedAll<T, R>(items: Iterable<T>, start: (item: T) => Promise<R>): Promise<R[]> {
  const started: Promise<R>[] = []
  await unhurried(items, (item) => {
    const step = start(item)
    // One that fails before all have begun is heard below.
    step.catch(() => {})
    started.push(step)
  })
  return Promise.all(started)
}
