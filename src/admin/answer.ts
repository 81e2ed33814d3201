import type { Static, TSchema } from '@sinclair/typebox'

import { parseStrictJson } from '#core/strict-json.ts'
import { checkSchema } from '#http/check-schema.ts'
import { JSON_HEADERS } from '#http/cors.ts'
import { errorResponse } from '#http/errors.ts'

export type Bug = (error: unknown) => void

/** Runs an endpoint that asks for no access token: its value, or its refusal, as JSON. */
export async function answer(work: () => Promise<unknown>, bug: Bug): Promise<Response> {
  try {
    return new Response(JSON.stringify((await work()) ?? {}), { headers: JSON_HEADERS })
  } catch (error) {
    return errorResponse(error, bug)
  }
}

/** The body of a request, checked; an absent one counts as `{}`. */
export async function bodyOf<S extends TSchema>(request: Request, schema: S): Promise<Static<S>> {
  const bytes = await request.bytes()
  const body: unknown = bytes.byteLength === 0 ? {} : parseStrictJson(bytes)
  checkSchema(schema, body, 'body')
  return body as Static<S>
}
