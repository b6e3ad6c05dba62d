// The cores of a thread that could go on and let others go first: each gets its turn after the event loop has had one.
// Invariant: they go on in the order in which they came, and one that comes again waits behind those that were there.

export class RunQueue {
  #waiting: (() => void)[] = []

  /** Resolves when every core that is in the queue now has gone on. */
  turn(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (this.#waiting.push(resolve) === 1) setImmediate(this.#run)
    return promise
  }

  readonly #run = (): void => {
    const waiting = this.#waiting
    this.#waiting = []
    for (const goOn of waiting) goOn()
  }
}
