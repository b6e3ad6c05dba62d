// Which seats are free. Invariant: a seat has one living thread at most; it is given back when the thread has ended and nothing of
// its is left. The one that has been free for longest is taken first.

export class SeatPool {
  readonly #free: number[]

  /** @param capacity the highest seat */
  constructor(capacity: number) {
    this.#free = Array.from({ length: capacity }, (_, index) => index + 1)
  }

  /** @throws RangeError when none is free */
  take(): number {
    const seat = this.#free.shift()
    if (seat === undefined) throw new RangeError('every seat has a thread')
    return seat
  }

  giveBack(seat: number): void {
    this.#free.push(seat)
  }
}
