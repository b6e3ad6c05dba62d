// The cores of a thread that could go on and let others go first: each gets its turn when those that were there have had theirs.
// A turn of the event loop costs more than most stretches between two waits, so a moment's worth of them share one.
// Invariant: they go on in the order in which they came, one that comes again waits behind those that were there, and the event
// loop is kept waiting no longer than the moment and one turn of each of them.

/** How long cores may go on before the event loop has a turn: what others wait for may come that much later. */
const momentMs = 0.25

/**
 * How many promises lie between two turns that share one of the event loop. A core goes on some promises after its turn has come (one
 * in Lua, three in JavaScript), and all of them are to be in the queue again before the next turn: none has two while another has one.
 */
const patience = 10

const done = Promise.resolve()

export class RunQueue {
  /** That of all who came since the last turn: they go on in the order in which they wait for it. */
  #turn: Promise<void> | undefined
  /** When the event loop last had a turn for a core's sake, on the clock of `performance.now()`. */
  #loopTurnedAt = Number.NEGATIVE_INFINITY

  /** Resolves when every core that is in the queue now has gone on. */
  turn(): Promise<void> {
    this.#turn ??= performance.now() - this.#loopTurnedAt < momentMs ? this.#afterOthers() : this.#afterLoop()
    return this.#turn
  }

  async #afterOthers(): Promise<void> {
    for (let left = patience; left > 0; left -= 1) await done
    this.#begin()
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
