/** MSC1763, as its reference implementation serves it. */
export const getRetentionConfiguration = {} as const
