// A lock over one structure in shared memory, held for microseconds. Two words: who holds it, and how many wait.
// Invariant: a thread that ends while it holds the lock is found by its number, and only then may the structure be anything
// but consistent; who releases in its name must mend the structure first.

/** 0 free, else the number of the thread that holds it + 1. */
const holderWord = 0
const waitersWord = 1
export const mutexWords = 2

/** A holder is preempted for this long at most before waiting pays more than looking again. */
const spins = 100
/** A waiter that is ended right after it was woken takes the wake-up with it: the others look again by themselves. */
const lookAgainMs = 50

export class Mutex {
  readonly #words: Int32Array

  /** @param words two words that nothing else uses */
  constructor(words: Int32Array) {
    this.#words = words
  }

  tryLock(thread: number): boolean {
    return Atomics.compareExchange(this.#words, holderWord, 0, thread + 1) === 0
  }

  /**
   * @param timeoutMs the master gives one: it alone could release the lock of a thread that has ended, and would wait for
   *   itself for ever
   * @returns false when the time ran out
   */
  lock(thread: number, timeoutMs = Number.POSITIVE_INFINITY): boolean {
    const words = this.#words
    for (let spin = 0; spin < spins; spin += 1) if (this.tryLock(thread)) return true
    const deadline = performance.now() + timeoutMs
    Atomics.add(words, waitersWord, 1)
    try {
      for (;;) {
        const holder = Atomics.compareExchange(words, holderWord, 0, thread + 1)
        if (holder === 0) return true
        const left = deadline - performance.now()
        if (left <= 0) return false
        Atomics.wait(words, holderWord, holder, Math.min(left, lookAgainMs))
      }
    } finally {
      Atomics.sub(words, waitersWord, 1)
    }
  }

  /** Does `work` while `thread` holds the lock. For threads that may wait as long as it takes. */
  locked<Result>(thread: number, work: () => Result): Result {
    this.lock(thread)
    try {
      return work()
    } finally {
      this.unlock()
    }
  }

  unlock(): void {
    Atomics.store(this.#words, holderWord, 0)
    // A waiter that has not counted itself yet looks at the word again before it sleeps.
    if (Atomics.load(this.#words, waitersWord) > 0) Atomics.notify(this.#words, holderWord, 1)
  }

  isHeldBy(thread: number): boolean {
    return Atomics.load(this.#words, holderWord) === thread + 1
  }
}
