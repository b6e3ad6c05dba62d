// How far each thread's CPU time may go before what runs in it has had its share (`cpu-limit`), and for which connection it runs. A
// thread writes its own words whenever other code begins to run in it, the master reads them all.
// Invariant: the time is one of the thread's own CPU clock, which stands still while the thread waits: nobody has to say that it does.

const wordsPerSeat = 2
const timeWord = 0
const connectionWord = 1

export class CpuShares {
  readonly handle: SharedArrayBuffer
  readonly #words: BigInt64Array

  private constructor(handle: SharedArrayBuffer) {
    this.handle = handle
    this.#words = new BigInt64Array(handle)
  }

  /** @param seats how many there are, the master's 0 included */
  static create(seats: number): CpuShares {
    return new CpuShares(new SharedArrayBuffer(seats * wordsPerSeat * 8))
  }

  static open(handle: SharedArrayBuffer): CpuShares {
    return new CpuShares(handle)
  }

  /**
   * @param endUs microseconds of CPU time that the thread will have taken then; 0: nothing runs that is limited
   * @param connection by which guests know the client of the request that runs; 0: none runs that is still to be answered
   */
  set(seat: number, endUs: number, connection: number): void {
    Atomics.store(this.#words, seat * wordsPerSeat + connectionWord, BigInt(connection))
    Atomics.store(this.#words, seat * wordsPerSeat + timeWord, BigInt(endUs))
  }

  /** Microseconds; 0 for none. */
  endOf(seat: number): number {
    return Number(Atomics.load(this.#words, seat * wordsPerSeat + timeWord))
  }

  /** 0 for none. */
  connectionOf(seat: number): number {
    return Number(Atomics.load(this.#words, seat * wordsPerSeat + connectionWord))
  }

  threadEnded(seat: number): void {
    this.set(seat, 0, 0)
  }
}
