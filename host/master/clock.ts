// Time as the master's parts take it, so that tests can hand them another. Two clocks: the wall's, which cron reads and
// which an operator may set; and one that only runs forward, by which periods are measured.

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds since some moment; never goes back. */
  elapsed(): number
  /** @returns what takes it back */
  after(milliseconds: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds)
    // Whoever embeds the server decides when the process ends.
    timer.unref()
    return () => clearTimeout(timer)
  },
}
