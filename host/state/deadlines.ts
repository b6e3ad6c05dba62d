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

  /** @param seats how many there are, the master's 0 included */
  static create(seats: number): Deadlines {
    return new Deadlines(new SharedArrayBuffer(seats * 8))
  }

  static open(handle: SharedArrayBuffer): Deadlines {
    return new Deadlines(handle)
  }

  /** @param end on the clock of `sharedNow`; 0 for none. The clock has whole milliseconds, options may have parts of them */
  set(seat: number, end: number): void {
    Atomics.store(this.#words, seat, BigInt(Math.ceil(end)))
  }

  /** On the clock of `sharedNow`; 0 for none. */
  of(seat: number): number {
    return Number(Atomics.load(this.#words, seat))
  }

  isOver(seat: number, now: number): boolean {
    const deadline = Atomics.load(this.#words, seat)
    return deadline !== 0n && BigInt(now) >= deadline
  }

  threadEnded(seat: number): void {
    Atomics.store(this.#words, seat, 0n)
  }
}
