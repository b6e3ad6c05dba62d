// A clock that stands still until a test moves it: callbacks run in the order of their times, each at its own.
import type { Clock } from '../../../host/master/clock.ts'

export class FakeClock implements Clock {
  #now: number
  #elapsed = 0
  readonly #callbacks = new Set<{ readonly at: number; readonly callback: () => void }>()

  /** @param now as the wall's clock: milliseconds since 1970 */
  constructor(now = 0) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  elapsed(): number {
    return this.#elapsed
  }

  after(milliseconds: number, callback: () => void): () => void {
    const entry = { at: this.#elapsed + milliseconds, callback }
    this.#callbacks.add(entry)
    return () => void this.#callbacks.delete(entry)
  }

  /** Callbacks that wait. */
  get waiting(): number {
    return this.#callbacks.size
  }

  advance(milliseconds: number): void {
    const end = this.#elapsed + milliseconds
    for (;;) {
      let next: { readonly at: number; readonly callback: () => void } | undefined
      for (const entry of this.#callbacks) if (entry.at <= end && (next === undefined || entry.at < next.at)) next = entry
      if (next === undefined) break
      this.#callbacks.delete(next)
      this.#pass(Math.max(0, next.at - this.#elapsed))
      next.callback()
    }
    this.#pass(end - this.#elapsed)
  }

  /** Time passes while nothing gets to run: a machine that sleeps, a thread that is held up. */
  stall(milliseconds: number): void {
    this.#pass(milliseconds)
  }

  /** The wall's clock is set. */
  setNow(now: number): void {
    this.#now = now
  }

  #pass(milliseconds: number): void {
    this.#elapsed += milliseconds
    this.#now += milliseconds
  }
}
