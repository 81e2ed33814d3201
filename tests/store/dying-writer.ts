/** A writer thread that opens and then dies of the first batch. */
declare const self: Worker
self.onmessage = ({ data }: MessageEvent<{ kind: string }>) => {
  if (data.kind === 'write') throw new Error('out of memory, say')
  postMessage({ kind: 'done' })
}
