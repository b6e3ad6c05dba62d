// Those who wait for something of a socket: each with what it waits for, and how long the other side may be silent meanwhile.

interface Waiter {
  readonly isMet: () => boolean
  readonly timer: NodeJS.Timeout
  readonly settle: (isMet: boolean) => void
}

export class SocketWaiters {
  readonly #waiting = new Set<Waiter>()

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Resolves to false when nothing has happened for so long. */
  wait(isMet: () => boolean, milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isTrue: boolean): void => {
        clearTimeout(waiter.timer)
        this.#waiting.delete(waiter)
        resolve(isTrue)
      }
      const waiter: Waiter = { isMet, settle, timer: setTimeout(() => settle(false), milliseconds) }
      this.#waiting.add(waiter)
    })
  }

  /** Something has come: those who have what they want go on, the others' time begins anew. */
  progress(): void {
    for (const waiter of this.#waiting) {
      if (waiter.isMet()) waiter.settle(true)
      else waiter.timer.refresh()
    }
  }

  /** Nothing more will come. */
  releaseAll(): void {
    for (const waiter of this.#waiting) waiter.settle(true)
  }
}
