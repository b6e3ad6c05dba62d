// The table of signals: for each of the 256 numbers who receives it, as the last registration said, and for each thread the
// numbers it has a handler for. Threads write under a lock; the master reads without one.
// Invariant: a row has two versions of its text, and its version word names the one that is complete. A writer fills the
// other one first, so a thread that ends while writing leaves the row as it was.

import { Mutex, mutexWords } from './mutex.ts'

export const signalCount = 256
/** Bytes of UTF-8. The limit is uWSGI's. */
export const maxReceiverBytes = 63

const textWords = 16
/** length and modifier1, the thread, the text */
const versionWords = 2 + textWords
/** the version, and the two versions' words */
const rowWords = 1 + 2 * versionWords
const bitmapWords = signalCount / 32
const noModifier = 256

const wordsOf = (seats: number): number => mutexWords + signalCount * rowWords + seats * bitmapWords
export const signalTableBytes = (seats: number): number => wordsOf(seats) * 4

export interface SignalRow {
  readonly receiver: string
  /** Of the registrant's plugin; undefined when that has none. */
  readonly modifier1: number | undefined
  /** Of the thread that registered it last. */
  readonly seat: number
}

const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder()

export class SignalTable {
  readonly #words: Int32Array
  readonly #mutex: Mutex
  readonly #bitmaps: number

  constructor(buffer: SharedArrayBuffer, offset: number, seats: number) {
    this.#words = new Int32Array(buffer, offset, wordsOf(seats))
    this.#mutex = new Mutex(this.#words.subarray(0, mutexWords))
    this.#bitmaps = mutexWords + signalCount * rowWords
  }

  /**
   * Enters that the thread of a seat has a handler for the number, and where the number is to be delivered.
   * @returns false when the row said the same before
   * @throws RangeError for a receiver of more than `maxReceiverBytes`
   */
  register(seat: number, signum: number, receiver: string, modifier1: number | undefined): boolean {
    const text = utf8Encoder.encode(receiver)
    if (text.length > maxReceiverBytes) throw new RangeError(`a receiver may have ${maxReceiverBytes} bytes, not ${text.length}`)
    return this.#mutex.locked(seat, () => {
      const old = this.row(signum)
      const isSame = old !== undefined && old.receiver === receiver && old.modifier1 === modifier1
      if (!isSame) this.#write(signum, text, modifier1, seat)
      // The row first: who sees the handler must find where its signals go.
      Atomics.or(this.#words, this.#bitmapWord(seat, signum), 1 << (signum & 31))
      return !isSame
    })
  }

  /** Undefined: nobody has registered the number. */
  row(signum: number): SignalRow | undefined {
    const start = mutexWords + signum * rowWords
    for (;;) {
      const version = Atomics.load(this.#words, start)
      if (version === 0) return undefined
      const at = start + 1 + (version & 1) * versionWords
      const words = new Int32Array(versionWords)
      // Atomic reads, or a processor might delay them past the second look at the version.
      for (let index = 0; index < versionWords; index += 1) words[index] = Atomics.load(this.#words, at + index)
      if (Atomics.load(this.#words, start) !== version) continue
      const info = words[0] as number
      const modifier1 = info >> 8
      return {
        receiver: utf8Decoder.decode(new Uint8Array(words.buffer, 8, info & 0xff)),
        modifier1: modifier1 === noModifier ? undefined : modifier1,
        seat: words[1] as number,
      }
    }
  }

  hasHandler(seat: number, signum: number): boolean {
    return (Atomics.load(this.#words, this.#bitmapWord(seat, signum)) & (1 << (signum & 31))) !== 0
  }

  /** Its handlers are gone. Rows stay: another thread may have a handler, or the next of this number brings it again. */
  threadEnded(seat: number): void {
    if (this.#mutex.isHeldBy(seat)) this.#mutex.unlock()
    for (let word = 0; word < bitmapWords; word += 1) Atomics.store(this.#words, this.#bitmaps + seat * bitmapWords + word, 0)
  }

  #write(signum: number, text: Uint8Array, modifier1: number | undefined, seat: number): void {
    const start = mutexWords + signum * rowWords
    // 0 means "never registered", also after 2^32 versions: two steps keep the parity.
    const next = (Atomics.load(this.#words, start) + 1) | 0
    const version = next === 0 ? 2 : next
    const at = start + 1 + (version & 1) * versionWords
    const words = new Int32Array(textWords)
    new Uint8Array(words.buffer).set(text)
    Atomics.store(this.#words, at, text.length | ((modifier1 ?? noModifier) << 8))
    Atomics.store(this.#words, at + 1, seat)
    for (const [index, word] of words.entries()) Atomics.store(this.#words, at + 2 + index, word)
    Atomics.store(this.#words, start, version)
  }

  #bitmapWord(seat: number, signum: number): number {
    return this.#bitmaps + seat * bitmapWords + (signum >> 5)
  }
}
