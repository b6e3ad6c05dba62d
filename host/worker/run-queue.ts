// The cores of a thread that could go on and let others go first: each gets its turn when those that were there have had theirs.
// A turn of the event loop costs more than most stretches between two waits, so a moment's worth of them share one.
// Invariant: they go on in the order in which they came, one that comes again waits behind those that were there, and the event
// loop is kept waiting no longer than the moment and one turn of each of them.

/** How long cores may go on before the event loop has a turn: what others wait for may come that much later. */
const momentMs = 0.25

const done = Promise.resolve()

export class RunQueue {
  /** That of all who came since the last turn: they go on in the order in which they wait for it. */
  #turn: Promise<void> | undefined
  /** When the event loop last had a turn for a core's sake, on the clock of `performance.now()`. */
  #loopTurnedAt = Number.NEGATIVE_INFINITY

  /** Resolves when every core that is in the queue now has gone on. */
  turn(): Promise<void> {
    this.#turn ??= performance.now() - this.#loopTurnedAt < momentMs ? done.then(this.#begin) : this.#afterLoop()
    return this.#turn
  }

  readonly #begin = (): void => {
    this.#turn = undefined
  }

  #afterLoop(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#loopTurnedAt = performance.now()
        this.#begin()
        resolve()
      })
    })
  }
}
