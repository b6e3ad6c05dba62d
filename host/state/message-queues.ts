// Messages to mules: one bounded queue per mule, one that all mules take from, one per farm. Many threads append, many take;
// a mutex per queue keeps them apart, and looking into an empty queue costs no lock.
//
//   per queue:  mutex | head (bytes taken) | tail (bytes appended) | ring of records: length, bytes, padded to whole words
//
// Head and tail count bytes, modulo 2^32. Invariant: a record is there once the tail has moved past it and gone once the head
// has, each a single store made last. A thread that ends in between leaves a queue as if it had not begun, or as if it had
// finished; so mending is nothing but letting go of the mutex.
import { Mutex, mutexWords } from './mutex.ts'

/** The most bytes of one message: what a mule's buffer holds in uWSGI. */
export const maxMessageBytes = 65_536

const cacheLine = 64
const mutexAt = 0
const headAt = cacheLine
const tailAt = 2 * cacheLine
const headerBytes = 3 * cacheLine
/** A queue must hold the longest message and its length. */
const leastCapacity = 2 * maxMessageBytes
/** Counters of bytes need capacities that divide 2^32, and differences must stay below 2^31. */
const mostCapacity = 2 ** 30
/** The master's thread is its embedder's, and the only one that lets go in the name of a thread that has ended. */
const masterWaitMs = 20

export interface MessageQueuesShape {
  readonly mules: number
  readonly farms: number
  /** Bytes of each queue, rounded up to a power of two from 128 KiB on. */
  readonly capacity: number
}

export interface MessageQueuesHandle {
  readonly buffer: SharedArrayBuffer
  readonly shape: MessageQueuesShape
}

const padded = (bytes: number): number => Math.ceil(bytes / 4) * 4

export class MessageQueue {
  readonly #mutex: Mutex
  readonly #head: Int32Array
  readonly #tail: Int32Array
  readonly #ring: Uint8Array
  readonly #view: DataView
  readonly #mask: number

  constructor(buffer: SharedArrayBuffer, offset: number, capacity: number) {
    this.#mutex = new Mutex(new Int32Array(buffer, offset + mutexAt, mutexWords))
    this.#head = new Int32Array(buffer, offset + headAt, 1)
    this.#tail = new Int32Array(buffer, offset + tailAt, 1)
    this.#ring = new Uint8Array(buffer, offset + headerBytes, capacity)
    this.#view = new DataView(buffer, offset + headerBytes, capacity)
    this.#mask = capacity - 1
  }

  get isEmpty(): boolean {
    return Atomics.load(this.#head, 0) === Atomics.load(this.#tail, 0)
  }

  /** Bytes that wait, the lengths of their messages included. */
  get usedBytes(): number {
    return (Atomics.load(this.#tail, 0) - Atomics.load(this.#head, 0)) >>> 0
  }

  /**
   * Appends a message.
   * @param thread the number of the calling thread
   * @returns false when there is no room, or when the master could not get at the queue in time
   * @throws RangeError for a message that is too long
   */
  push(thread: number, message: Uint8Array): boolean {
    if (message.length > maxMessageBytes) {
      throw new RangeError(`a message to a mule has at most ${maxMessageBytes} bytes, this one has ${message.length}`)
    }
    const size = 4 + padded(message.length)
    if (!this.#lock(thread)) return false
    try {
      if (this.usedBytes + size > this.#ring.length) return false
      const tail = Atomics.load(this.#tail, 0)
      // Records begin on whole words, so a length is never cut by the ring's end.
      this.#view.setUint32(tail & this.#mask, message.length, true)
      const start = (tail + 4) & this.#mask
      const first = Math.min(message.length, this.#ring.length - start)
      this.#ring.set(message.subarray(0, first), start)
      if (first < message.length) this.#ring.set(message.subarray(first), 0)
      Atomics.store(this.#tail, 0, (tail + size) | 0)
      return true
    } finally {
      this.#mutex.unlock()
    }
  }

  /** The oldest message, as a copy of its own; undefined when there is none. */
  take(thread: number): Uint8Array | undefined {
    if (this.isEmpty || !this.#lock(thread)) return undefined
    try {
      if (this.isEmpty) return undefined
      const head = Atomics.load(this.#head, 0)
      const length = this.#view.getUint32(head & this.#mask, true)
      const message = new Uint8Array(length)
      const start = (head + 4) & this.#mask
      const first = Math.min(length, this.#ring.length - start)
      message.set(this.#ring.subarray(start, start + first))
      if (first < length) message.set(this.#ring.subarray(0, length - first), first)
      Atomics.store(this.#head, 0, (head + 4 + padded(length)) | 0)
      return message
    } finally {
      this.#mutex.unlock()
    }
  }

  /** To be called once a thread has ended, before another one of its number starts. */
  threadEnded(thread: number): void {
    if (this.#mutex.isHeldBy(thread)) this.#mutex.unlock()
  }

  #lock(thread: number): boolean {
    return thread === 0 ? this.#mutex.lock(thread, masterWaitMs) : this.#mutex.lock(thread)
  }
}

export class MessageQueues {
  readonly handle: MessageQueuesHandle
  /** What any mule may take. */
  readonly pool: MessageQueue
  readonly #mules: MessageQueue[] = []
  readonly #farms: MessageQueue[] = []

  private constructor(handle: MessageQueuesHandle) {
    const { buffer, shape } = handle
    const stride = headerBytes + shape.capacity
    let offset = 0
    const next = (): MessageQueue => {
      const queue = new MessageQueue(buffer, offset, shape.capacity)
      offset += stride
      return queue
    }
    this.handle = handle
    this.pool = next()
    for (let index = 0; index < shape.mules; index += 1) this.#mules.push(next())
    for (let index = 0; index < shape.farms; index += 1) this.#farms.push(next())
  }

  /** Memory that no message has touched is only reserved. */
  static create(wanted: MessageQueuesShape): MessageQueues {
    const capacity = 2 ** Math.ceil(Math.log2(Math.min(Math.max(wanted.capacity, leastCapacity), mostCapacity)))
    const shape = { ...wanted, capacity }
    const buffer = new SharedArrayBuffer((headerBytes + capacity) * (1 + shape.mules + shape.farms))
    return new MessageQueues({ buffer, shape })
  }

  static open(handle: MessageQueuesHandle): MessageQueues {
    return new MessageQueues(handle)
  }

  get mules(): number {
    return this.#mules.length
  }

  /** @param muleId from 1 */
  mule(muleId: number): MessageQueue | undefined {
    return this.#mules[muleId - 1]
  }

  /** @param index the farm's place in the configuration, from 0 */
  farm(index: number): MessageQueue | undefined {
    return this.#farms[index]
  }

  /** To be called once a thread has ended, before another one of its number starts. */
  threadEnded(thread: number): void {
    this.pool.threadEnded(thread)
    for (const queue of this.#mules) queue.threadEnded(thread)
    for (const queue of this.#farms) queue.threadEnded(thread)
  }
}
