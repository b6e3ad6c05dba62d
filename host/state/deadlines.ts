// When each thread is to be ended for overrunning, as the thread itself has set it (uWSGI: user harakiri). A thread writes
// its own word, the master reads them all.

/** Milliseconds on the clock that all threads of a process share, and that no change of the date moves. */
export const sharedNow = (): number => Number(process.hrtime.bigint() / 1_000_000n)

export class Deadlines {
  readonly handle: SharedArrayBuffer
  readonly #words: BigInt64Array

  private constructor(handle: SharedArrayBuffer) {
    this.handle = handle
    this.#words = new BigInt64Array(handle)
  }

  /** @param threads how many numbers there are, the master's 0 included */
  static create(threads: number): Deadlines {
    return new Deadlines(new SharedArrayBuffer(threads * 8))
  }

  static open(handle: SharedArrayBuffer): Deadlines {
    return new Deadlines(handle)
  }

  /** @param end on the clock of `sharedNow`; 0 for none */
  set(thread: number, end: number): void {
    Atomics.store(this.#words, thread, BigInt(end))
  }

  /** On the clock of `sharedNow`; 0 for none. */
  of(thread: number): number {
    return Number(Atomics.load(this.#words, thread))
  }

  isOver(thread: number, now: number): boolean {
    const deadline = Atomics.load(this.#words, thread)
    return deadline !== 0n && BigInt(now) >= deadline
  }

  threadEnded(thread: number): void {
    Atomics.store(this.#words, thread, 0n)
  }
}
