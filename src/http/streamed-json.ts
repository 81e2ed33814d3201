import { JSON_HEADERS } from './cors.ts'

/**
 * An answer that is put together while it is sent, piece by piece as the client takes it: for what may be too large to be
 * held in memory, or to be printed in one go while the others wait.
 */
export function streamedJson(pieces: Generator<string>): Response {
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = pieces.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    cancel: () => void pieces.return(undefined),
  })
  return new Response(body, { headers: JSON_HEADERS })
}
