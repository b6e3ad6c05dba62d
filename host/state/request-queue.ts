// The queue of requests that wait for a worker: the master appends, any worker takes the oldest. It holds slot numbers only.
// Invariant: the queue is a hint of order, the slot's state word is the truth. An entry whose slot is not `queued` any more
// was taken (or withdrawn); whoever meets it moves the head past it. So a worker that dies between taking a request and
// moving the head leaves nothing behind that the next one would not put right.

import { cacheLine, queueHeaderBytes, type StateLayout } from './layout.ts'
import type { RequestSlots } from './request-slots.ts'

const headWord = 0
const tailWord = cacheLine / 4
const firstEntryWord = queueHeaderBytes / 4

export class RequestQueue {
  readonly #words: Int32Array
  readonly #capacity: number
  readonly #slots: RequestSlots

  constructor(buffer: SharedArrayBuffer, layout: StateLayout, slots: RequestSlots) {
    this.#capacity = layout.queueCapacity
    this.#words = new Int32Array(buffer, layout.queue, firstEntryWord + this.#capacity)
    this.#slots = slots
  }

  /**
   * Appends a filled slot. Master only.
   * @returns false when the queue is full of entries nobody moved past yet: the caller tries again later
   */
  append(slot: number): boolean {
    const tail = Atomics.load(this.#words, tailWord)
    this.#skipTaken(tail)
    if (((tail - Atomics.load(this.#words, headWord)) | 0) >= this.#capacity) return false
    Atomics.store(this.#words, this.#entry(tail), slot)
    Atomics.store(this.#words, tailWord, (tail + 1) | 0)
    return true
  }

  /** Takes the oldest waiting request for the worker of a seat. @returns its slot, or -1 when none waits. */
  take(seat: number): number {
    for (;;) {
      const head = Atomics.load(this.#words, headWord)
      if (head === Atomics.load(this.#words, tailWord)) return -1
      const slot = Atomics.load(this.#words, this.#entry(head))
      const taken = this.#slots.claim(slot, seat)
      Atomics.compareExchange(this.#words, headWord, head, (head + 1) | 0)
      if (taken) return slot
    }
  }

  /** Entries of requests that ended before the head reached them must not fill the queue. */
  #skipTaken(tail: number): void {
    for (;;) {
      const head = Atomics.load(this.#words, headWord)
      if (head === tail || this.#slots.isQueued(Atomics.load(this.#words, this.#entry(head)))) return
      Atomics.compareExchange(this.#words, headWord, head, (head + 1) | 0)
    }
  }

  #entry(counter: number): number {
    return firstEntryWord + (counter & (this.#capacity - 1))
  }
}
