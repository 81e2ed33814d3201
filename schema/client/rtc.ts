/** MSC4143: servers that carry the calls of many. */
export const getRtcTransports = {} as const
