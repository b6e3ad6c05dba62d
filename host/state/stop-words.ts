// The words by which the master tells a thread that something in it overran: one for each seat. The master sets a thread's word,
// the thread takes it back; running guest code looks at it by the means of its interpreter.
// Invariant: a word is a request to look, and says nothing of what overran: that is the thread's to know.

/**
 * What a word is while it is set: the number of SIGUSR1, so that an interpreter that takes the number of a signal from a word of
 * this kind (Pyodide's interrupt buffer) can be given it as it is.
 */
export const stopValue = 10

export class StopWords {
  readonly handle: SharedArrayBuffer
  readonly #words: Int32Array

  private constructor(handle: SharedArrayBuffer) {
    this.handle = handle
    this.#words = new Int32Array(handle)
  }

  /** @param seats how many there are, the master's 0 included */
  static create(seats: number): StopWords {
    return new StopWords(new SharedArrayBuffer(seats * 4))
  }

  static open(handle: SharedArrayBuffer): StopWords {
    return new StopWords(handle)
  }

  /** For the master. */
  set(seat: number): void {
    Atomics.store(this.#words, seat, stopValue)
  }

  /** A thread's own word, to be looked at. */
  of(seat: number): Int32Array {
    return new Int32Array(this.handle, seat * 4, 1)
  }

  threadEnded(seat: number): void {
    Atomics.store(this.#words, seat, 0)
  }
}
