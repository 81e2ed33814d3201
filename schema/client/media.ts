/** spec: client-server-api#content-repository. Nothing of a request is looked at while no media are kept. */
export const anyMedia = {} as const
export const guestMedia = { allowGuest: true } as const
