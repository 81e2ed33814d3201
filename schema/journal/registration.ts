/** Registration tokens: who may make an account. Rows of the journal: add kinds, never change one. */

export type TokenTerms = Readonly<{
  /** How many accounts it makes; null: any number. */
  usesAllowed: number | null
  /** Milliseconds since 1970; null: never. */
  expiresTs: number | null
}>

/** A token was made, or its terms were changed. */
export type RegistrationTokenSet = Readonly<{ kind: 'registrationTokenSet'; token: string } & TokenTerms>

export type RegistrationTokenDeleted = Readonly<{ kind: 'registrationTokenDeleted'; token: string }>

/** An account was made with it. */
export type RegistrationTokenSpent = Readonly<{ kind: 'registrationTokenSpent'; token: string }>

export type RegistrationFact = RegistrationTokenSet | RegistrationTokenDeleted | RegistrationTokenSpent
