import { type TSchema, Type } from '@sinclair/typebox'

/** A key that may be left out. Clients whose language fills in what has no value write null, which says the same. */
export const OptionalOrNull = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]))

export const OptionalText = OptionalOrNull(Type.String())
