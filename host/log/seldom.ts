// How often a line may be repeated that a flood of anything would repeat without end.
// Invariant: the first one is always said, and after it one in each period.

const periodMs = 1000

export class Seldom {
  readonly #now: () => number
  readonly #lastMs = new Map<string, number>()

  /** @param now milliseconds on a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Whether what concerns `subject` is to be said now; there must be few subjects. */
  isDue(subject: string): boolean {
    const now = this.#now()
    const lastMs = this.#lastMs.get(subject)
    if (lastMs !== undefined && now - lastMs < periodMs) return false
    this.#lastMs.set(subject, now)
    return true
  }
}
