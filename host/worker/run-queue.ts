// The cores of a thread that could go on and let others go first: each gets its turn after the event loop has had one.
// Invariant: they go on in the order in which they came, and one that comes again waits behind those that were there.

export class RunQueue {
  /** That of all who came since the last turn of the event loop: they go on in the order in which they wait for it. */
  #turn: Promise<void> | undefined

  /** Resolves when every core that is in the queue now has gone on. */
  turn(): Promise<void> {
    this.#turn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#turn = undefined
        resolve()
      })
    })
    return this.#turn
  }
}
