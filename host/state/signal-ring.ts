// A queue of signals in shared memory, one byte each: one thread appends, one or more take. Bounded; what does not fit is
// refused, never written over something that waits.
// Invariant: an entry is written before the tail passes it, and claimed by moving the head past it. So a producer that ends
// half-way has appended nothing, a consumer that ends has taken the signal it claimed and no other, and nothing needs mending.

const cacheLine = 64
/** The producer's word and the consumers' lie on lines of their own. */
const headWord = 0
const tailWord = cacheLine / 4
const entriesByte = 2 * cacheLine

/** Counters run over 2^32, which a mask follows only when the capacity is a power of two. */
export const ringCapacity = (bufferSize: number): number => 2 ** Math.ceil(Math.log2(bufferSize))

export const signalRingBytes = (capacity: number): number => entriesByte + Math.ceil(capacity / cacheLine) * cacheLine

export class SignalRing {
  readonly #words: Int32Array
  readonly #entries: Uint8Array
  readonly #mask: number

  /** @param capacity from `ringCapacity` */
  constructor(buffer: SharedArrayBuffer, offset: number, capacity: number) {
    this.#words = new Int32Array(buffer, offset, entriesByte / 4)
    this.#entries = new Uint8Array(buffer, offset + entriesByte, capacity)
    this.#mask = capacity - 1
  }

  get capacity(): number {
    return this.#mask + 1
  }

  /** Signals that wait; a moment old when others take. */
  get length(): number {
    return (Atomics.load(this.#words, tailWord) - Atomics.load(this.#words, headWord)) | 0
  }

  /** For the one producer. @returns false when the ring is full, and nothing was changed */
  push(signum: number): boolean {
    const tail = Atomics.load(this.#words, tailWord)
    if (((tail - Atomics.load(this.#words, headWord)) | 0) > this.#mask) return false
    Atomics.store(this.#entries, tail & this.#mask, signum)
    Atomics.store(this.#words, tailWord, (tail + 1) | 0)
    return true
  }

  /** Claims the oldest. @returns -1 when none waits */
  take(): number {
    const words = this.#words
    for (;;) {
      const head = Atomics.load(words, headWord)
      if (head === Atomics.load(words, tailWord)) return -1
      // Read before the claim: afterwards the producer may write over it. When another was faster, what was read is dropped.
      const signum = Atomics.load(this.#entries, head & this.#mask)
      if (Atomics.compareExchange(words, headWord, head, (head + 1) | 0) === head) return signum
    }
  }
}
