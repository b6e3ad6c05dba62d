// The bytes a Forth program sees. Two segments: the dictionary's data space, which grows upwards from address 8 and stays, and
// the answers of the host (request variables, bodies, results of calls), which lie from `answersBase` on and last until
// the word that the server called returns.
// Invariant: every access is checked; both segments and what is charged beside them stay within the limit together.
import { Fault } from './errors.ts'

export const cellSize = 8
/** No byte has address 0: `0 0` is "not defined", which an empty string is not. */
const firstAddress = cellSize
const answersBase = 2 ** 32
const initialSize = 4096
/** An answers' segment larger than this is given back after use. */
const keptAnswers = 1024 * 1024

/** Holds the number base: the first cell there is. */
export const baseAddress = firstAddress

class Segment {
  readonly start: number
  end: number
  bytes = new Uint8Array(initialSize)
  view = new DataView(this.bytes.buffer)

  constructor(start: number) {
    this.start = start
    this.end = start
  }

  get used(): number {
    return this.end - this.start
  }

  /** Room for `size` bytes in all, and for more to come, up to `most`. What is there stays. */
  reserve(size: number, most: number): void {
    if (size <= this.bytes.length) return
    this.#replace(Math.max(size, Math.min(this.bytes.length * 2, most)))
  }

  reset(): void {
    this.end = this.start
    if (this.bytes.length > keptAnswers) this.#replace(initialSize)
  }

  #replace(size: number): void {
    const larger = new Uint8Array(size)
    larger.set(this.bytes.subarray(0, Math.min(this.used, size)))
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }
}

export class Memory {
  readonly #limit: number
  readonly #data = new Segment(firstAddress)
  readonly #answers = new Segment(answersBase)
  #charged = 0

  /** @param limit bytes */
  constructor(limit: number) {
    // The data space ends before the answers begin.
    this.#limit = Math.min(limit, answersBase - firstAddress)
    this.allot(cellSize)
    this.storeCell(BigInt(baseAddress), 10n)
  }

  /** The first free byte of the data space. */
  get here(): number {
    return this.#data.end
  }

  /** Takes bytes of the data space, or gives them back (below 0). New bytes are 0. */
  allot(size: number): void {
    const used = this.#data.used + size
    if (used < 0) throw Fault.of('invalidAddress', 'more is given back than was taken')
    if (size > 0) {
      this.#require(size)
      this.#data.reserve(used, this.#limit)
      this.#data.bytes.fill(0, this.#data.used, used)
    }
    this.#data.end += size
  }

  /** Accounts for what the interpreter itself keeps: compiled code, names. */
  charge(size: number): void {
    this.#require(size)
    this.#charged += size
  }

  /** Keeps bytes for as long as the program lives. @returns their address */
  keep(bytes: Uint8Array): number {
    const address = this.here
    this.allot(bytes.length)
    this.#data.bytes.set(bytes, address - firstAddress)
    return address
  }

  /** Keeps bytes until `forgetAnswers`. @returns their address */
  answer(bytes: Uint8Array): number {
    const { used, end } = this.#answers
    // One byte between answers: no two have the same address, not even empty ones.
    const size = bytes.length + 1
    this.#require(size)
    this.#answers.reserve(used + size, this.#limit)
    this.#answers.bytes.set(bytes, used)
    this.#answers.bytes[used + bytes.length] = 0
    this.#answers.end += size
    return end
  }

  forgetAnswers(): void {
    this.#answers.reset()
  }

  /** Bytes that can still be taken. */
  get free(): number {
    return this.#limit - this.#data.used - this.#answers.used - this.#charged
  }

  fetchCell(address: bigint): bigint {
    const segment = this.#segment(address, cellSize)
    return segment.view.getBigInt64(Number(address) - segment.start, true)
  }

  storeCell(address: bigint, value: bigint): void {
    const segment = this.#segment(address, cellSize)
    segment.view.setBigInt64(Number(address) - segment.start, value, true)
  }

  fetchByte(address: bigint): number {
    const segment = this.#segment(address, 1)
    return segment.bytes[Number(address) - segment.start] as number
  }

  storeByte(address: bigint, value: number): void {
    const segment = this.#segment(address, 1)
    segment.bytes[Number(address) - segment.start] = value
  }

  /** The bytes themselves, until memory is taken the next time. */
  view(address: bigint, length: bigint): Uint8Array {
    if (length === 0n) return nothing
    if (length < 0n) throw Fault.of('invalidArgument', `a length of ${length}`)
    const segment = this.#segment(address, Number(length))
    const start = Number(address) - segment.start
    return segment.bytes.subarray(start, start + Number(length))
  }

  #segment(address: bigint, size: number): Segment {
    const segment = address >= answersBase ? this.#answers : this.#data
    const start = Number(address)
    if (start < segment.start || start + size > segment.end) throw Fault.of('invalidAddress', String(address))
    return segment
  }

  #require(size: number): void {
    if (size > this.free) throw Fault.of('memoryExhausted', `${size} bytes more than the limit of ${this.#limit} allows`)
  }
}

const nothing = new Uint8Array(0)
