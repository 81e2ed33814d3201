/** What the store has to say to the admin; nobody waits for it. Times in milliseconds. */
export type StoreReport =
  | Readonly<{ kind: 'copied'; path: string; ms: number }>
  | Readonly<{ kind: 'migrated'; from: number; to: number; ms: number }>
  /** The whole database was read because the last stop was not clean; `problems` is empty when it is sound. */
  | Readonly<{ kind: 'checked'; problems: readonly string[]; ms: number }>
  /** A damaged place was met while writing. */
  | Readonly<{ kind: 'damaged'; problems: readonly string[] }>
  /** Writes are refused with 507 until `diskFreed`; reads go on. */
  | Readonly<{ kind: 'diskFull' }>
  | Readonly<{ kind: 'diskFreed' }>
  /** A thread of the store has died and was started again. */
  | Readonly<{ kind: 'threadFailed'; thread: string; why: string }>

/** What is wrong with the store now. */
export type StoreHealth = Readonly<{ isDiskFull: boolean; problems: readonly string[] }>
