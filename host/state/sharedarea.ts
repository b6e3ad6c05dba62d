// An area of memory that all threads share (uWSGI: `--sharedarea`), as bytes and as signed numbers in the machine's order.
// Invariant: every access happens at one moment under the area's lock and waits while another thread has locked the area; so
// increments add up, a number is never half written, and a guest that locks the area sees nobody else's changes meanwhile.
// Its own accesses pass. (A thread that is ended in the middle of a long write leaves the bytes it got to.)

import { endianness } from 'node:os'
import { ReadWriteLock, type ReadWriteOutcome, readWriteLockWords } from './read-write-lock.ts'

export const sharedareaPageSize = 4096

export interface SharedAreaShape {
  /** Bytes. */
  readonly size: number
  /** How many thread numbers there are, the master's 0 included. */
  readonly threads: number
}

export interface SharedAreaHandle extends SharedAreaShape {
  readonly buffer: SharedArrayBuffer
}

export type NumberBits = 8 | 16 | 32 | 64

/** Stands for a request that ended and left an area locked. */
const nobody = {}

const little = endianness() === 'LE'

export class SharedArea {
  readonly handle: SharedAreaHandle
  /** Bytes. */
  readonly size: number
  readonly lock: ReadWriteLock
  readonly #bytes: Uint8Array
  readonly #view: DataView
  /** Whom of this thread it is locked for, once for each time; undefined: nobody who could be given up. */
  readonly #holders: (object | undefined)[] = []

  private constructor(handle: SharedAreaHandle) {
    this.handle = handle
    this.size = handle.size
    const lockWords = readWriteLockWords(handle.threads)
    this.lock = new ReadWriteLock(new Int32Array(handle.buffer, 0, lockWords))
    this.#bytes = new Uint8Array(handle.buffer, lockWords * 4, handle.size)
    this.#view = new DataView(handle.buffer, lockWords * 4, handle.size)
  }

  static create({ size, threads }: SharedAreaShape): SharedArea {
    if (size < 1) throw new RangeError(`a shared area has at least one byte, not ${size}`)
    return new SharedArea({ size, threads, buffer: new SharedArrayBuffer(readWriteLockWords(threads) * 4 + size) })
  }

  static open(handle: SharedAreaHandle): SharedArea {
    return new SharedArea(handle)
  }

  /** Whether `length` bytes from `position` on lie in the area. */
  holds(position: number, length: number): boolean {
    return position >= 0 && length >= 0 && position + length <= this.size
  }

  /** A copy. The bytes must lie in the area. */
  read(position: number, length: number, thread: number): Uint8Array {
    // slice() of shared memory is a copy in memory of one's own.
    return this.lock.run(thread, 'read', () => this.#bytes.slice(position, position + length))
  }

  /** @throws RangeError for bytes past the end */
  write(position: number, bytes: Uint8Array, thread: number): void {
    this.lock.run(thread, 'write', () => this.#bytes.set(bytes, position))
  }

  /** @throws RangeError past the end */
  readNumber(bits: NumberBits, position: number, thread: number): bigint {
    return this.lock.run(thread, 'read', () => this.#get(bits, position))
  }

  /** Keeps the lowest `bits` of the value. @throws RangeError past the end */
  writeNumber(bits: NumberBits, position: number, value: bigint, thread: number): void {
    this.lock.run(thread, 'write', () => this.#put(bits, position, value))
  }

  /** Past the largest number it goes on from the least. @throws RangeError past the end */
  addNumber(bits: NumberBits, position: number, value: bigint, thread: number): void {
    this.lock.run(thread, 'write', () => this.#put(bits, position, this.#get(bits, position) + value))
  }

  lockToRead(thread: number): ReadWriteOutcome {
    return this.lock.lockToRead(thread)
  }

  lockToWrite(thread: number): ReadWriteOutcome {
    return this.lock.lockToWrite(thread)
  }

  lockAsync(thread: number, access: 'read' | 'write'): ReadWriteOutcome | Promise<ReadWriteOutcome> {
    return this.lock.lockAsync(thread, access)
  }

  /** The thread has got it for somebody. */
  noteLocked(holder: object | undefined): void {
    this.#holders.push(holder)
  }

  /** Nothing when the thread holds nothing. What one of its requests has locked another may unlock. */
  unlock(thread: number, holder?: object): void {
    const own = this.#holders.lastIndexOf(holder)
    this.#holders.splice(own === -1 ? this.#holders.length - 1 : own, 1)
    this.lock.unlock(thread)
  }

  /** @returns true when it was locked for one that was given up: it is unlocked. Else it stays as it is */
  holderEnded(thread: number, holder: object | undefined, isGivenUp: boolean): boolean {
    let held = false
    for (let at = this.#holders.indexOf(holder); at !== -1; at = this.#holders.indexOf(holder)) {
      if (isGivenUp) {
        this.unlock(thread, holder)
        held = true
      } else this.#holders[at] = nobody
    }
    return held
  }

  /** @returns true when the thread had the area locked: it is free now */
  threadEnded(thread: number): boolean {
    return this.lock.threadEnded(thread)
  }

  #get(bits: NumberBits, position: number): bigint {
    const view = this.#view
    switch (bits) {
      case 8:
        return BigInt(view.getInt8(position))
      case 16:
        return BigInt(view.getInt16(position, little))
      case 32:
        return BigInt(view.getInt32(position, little))
      case 64:
        return view.getBigInt64(position, little)
    }
  }

  #put(bits: NumberBits, position: number, value: bigint): void {
    const view = this.#view
    const low = BigInt.asIntN(bits, value)
    switch (bits) {
      case 8:
        return view.setInt8(position, Number(low))
      case 16:
        return view.setInt16(position, Number(low), little)
      case 32:
        return view.setInt32(position, Number(low), little)
      case 64:
        return view.setBigInt64(position, low, little)
    }
  }
}
