/**
 * How the threads of the store are started: none keeps the process alive, and each collects its garbage early, as what it
 * holds is small and what it throws away is not.
 */
export const THREAD = { ref: false, smol: true } as WorkerOptions
