// When a worker that ended is started again: pure policy, no clock, no threads.

export interface RespawnHistory {
  /** How many times in a row the worker ended before it became ready. */
  readonly failedStarts: number
}

const firstDelayMs = 1000
const longestDelayMs = 30_000

/**
 * Milliseconds to wait before the next start: none for a worker that had been serving, a doubling pause for one that
 * dies while it starts, so that a broken app does not burn a core.
 */
export const respawnDelayMs = (history: RespawnHistory): number =>
  history.failedStarts === 0 ? 0 : Math.min(firstDelayMs * 2 ** (history.failedStarts - 1), longestDelayMs)
