// The shared queue (uWSGI: `--queue`): a ring of slots that every thread pushes into and takes from, and may also look
// into by index. There is no full state: a push takes the next slot, whatever is in it.
//
//   header | slot 0 | slot 1 | ...      a slot: u32 length (0 empty), 12 bytes unused as uWSGI's time stamp, the message
//
// Invariant: all is read and written under the mutex. A thread may end between any two writes, so each operation does them
// in an order of which every prefix is a queue: at worst a message that nobody was told about is lost or seen once more.

import { Mutex, mutexWords } from './mutex.ts'

const pushWord = mutexWords
const pullWord = mutexWords + 1
const headerBytes = 64
/** As much of a block as uWSGI takes for itself: the longest message is the same. */
export const queueItemHeaderBytes = 16

export interface QueueShape {
  readonly slots: number
  /** Bytes of one slot, its header of 16 bytes included. */
  readonly blockSize: number
}

export interface SharedQueueHandle extends QueueShape {
  readonly buffer: SharedArrayBuffer
}

/** Each slot's length is a word, and words lie at multiples of 4. */
const strideOf = (blockSize: number): number => Math.ceil(blockSize / 4) * 4

export class SharedQueue {
  readonly handle: SharedQueueHandle
  /** How many slots there are. */
  readonly size: number
  /** Bytes of the longest message. */
  readonly maxMessage: number
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  readonly #mutex: Mutex
  readonly #stride: number

  private constructor(handle: SharedQueueHandle) {
    this.handle = handle
    this.size = handle.slots
    this.maxMessage = handle.blockSize - queueItemHeaderBytes
    this.#stride = strideOf(handle.blockSize)
    this.#words = new Int32Array(handle.buffer)
    this.#bytes = new Uint8Array(handle.buffer)
    this.#mutex = new Mutex(this.#words.subarray(0, mutexWords))
  }

  /** @throws RangeError for a shape that is none */
  static create({ slots, blockSize }: QueueShape): SharedQueue {
    if (slots < 1) throw new RangeError(`a queue has at least one slot, not ${slots}`)
    if (blockSize <= queueItemHeaderBytes)
      throw new RangeError(`a queue's block is longer than ${queueItemHeaderBytes} bytes, not ${blockSize}`)
    return new SharedQueue({ slots, blockSize, buffer: new SharedArrayBuffer(headerBytes + slots * strideOf(blockSize)) })
  }

  static open(handle: SharedQueueHandle): SharedQueue {
    return new SharedQueue(handle)
  }

  /** Puts a message into the next slot, over what is there. @returns false for one that is empty or too long */
  push(message: Uint8Array, thread: number): boolean {
    if (!this.#fits(message)) return false
    return this.#mutex.locked(thread, () => {
      const slot = this.#words[pushWord]!
      this.#write(slot, message)
      this.#words[pushWord] = (slot + 1) % this.size
      return true
    })
  }

  /** Takes the message pushed last. An empty queue stays as it is. */
  pop(thread: number): Uint8Array | undefined {
    return this.#mutex.locked(thread, () => {
      const slot = this.#before(this.#words[pushWord]!)
      const message = this.#read(slot)
      if (message === undefined) return undefined
      this.#words[pushWord] = slot
      this.#clear(slot)
      return message
    })
  }

  /** Takes the message at the pull slot and moves that on. */
  pull(thread: number): Uint8Array | undefined {
    return this.#mutex.locked(thread, () => {
      const slot = this.#words[pullWord]!
      const message = this.#read(slot)
      if (message === undefined) return undefined
      this.#words[pullWord] = (slot + 1) % this.size
      this.#clear(slot)
      return message
    })
  }

  /** What is in a slot; undefined for an empty one, or none. */
  get(index: number, thread: number): Uint8Array | undefined {
    if (!this.#isSlot(index)) return undefined
    return this.#mutex.locked(thread, () => this.#read(index))
  }

  /** Puts a message into a slot; neither slot pointer moves. @returns false for no such slot, or a message that does not fit */
  set(index: number, message: Uint8Array, thread: number): boolean {
    if (!this.#isSlot(index) || !this.#fits(message)) return false
    return this.#mutex.locked(thread, () => {
      this.#write(index, message)
      return true
    })
  }

  /** What is in the `count` slots before the push slot, the newest first; empty slots are passed over. */
  last(count: number, thread: number): Uint8Array[] {
    return this.#mutex.locked(thread, () => {
      const messages: Uint8Array[] = []
      let slot = this.#words[pushWord]!
      for (let seen = 0; seen < Math.min(count, this.size); seen += 1) {
        slot = this.#before(slot)
        const message = this.#read(slot)
        if (message !== undefined) messages.push(message)
      }
      return messages
    })
  }

  /** Where the next push goes. */
  get pushSlot(): number {
    return Atomics.load(this.#words, pushWord)
  }

  /** Where the next pull looks. */
  get pullSlot(): number {
    return Atomics.load(this.#words, pullWord)
  }

  threadEnded(thread: number): void {
    if (this.#mutex.isHeldBy(thread)) this.#mutex.unlock()
  }

  #fits(message: Uint8Array): boolean {
    return message.length > 0 && message.length <= this.maxMessage
  }

  #isSlot(index: number): boolean {
    return Number.isInteger(index) && index >= 0 && index < this.size
  }

  #before(slot: number): number {
    return (slot === 0 ? this.size : slot) - 1
  }

  #offset(slot: number): number {
    return headerBytes + slot * this.#stride
  }

  #read(slot: number): Uint8Array | undefined {
    const at = this.#offset(slot)
    const length = this.#words[at / 4]!
    // slice() of shared memory is a copy in memory of one's own.
    return length === 0 ? undefined : this.#bytes.slice(at + queueItemHeaderBytes, at + queueItemHeaderBytes + length)
  }

  /** The length comes last: a slot half written is an empty one. */
  #write(slot: number, message: Uint8Array): void {
    const at = this.#offset(slot)
    Atomics.store(this.#words, at / 4, 0)
    this.#bytes.set(message, at + queueItemHeaderBytes)
    Atomics.store(this.#words, at / 4, message.length)
  }

  #clear(slot: number): void {
    Atomics.store(this.#words, this.#offset(slot) / 4, 0)
  }
}
