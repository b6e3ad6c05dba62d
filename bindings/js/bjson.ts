// Writes values in QuickJS's own serialisation ("bjson", version 5: quickjs.c, JS_WriteObject), the fastest way to bring
// text and lists into the interpreter with every byte intact. Only bytes made here are ever decoded: the interpreter's
// reader trusts its input. Layout: `05 00` (version, no atoms), then one value: tag byte, then numbers as LEB128.
interface WriteMethods {
  latin1Write(this: Uint8Array, text: string, offset: number): number
  ucs2Write(this: Uint8Array, text: string, offset: number): number
}
/** Node's own writers, which take plain Uint8Arrays too. */
export const { latin1Write, ucs2Write } = Buffer.prototype as unknown as WriteMethods

const version = 5
const tagUndefined = 2
const tagFalse = 3
const tagTrue = 4
const tagInt32 = 5
const tagFloat64 = 6
const tagString = 7
const tagArray = 9
const tagBigInt = 10
const tagArrayBuffer = 15

/** Longest list written by one writer is not limited; a text is limited by the interpreter to 2^30 - 1 characters. */
export class BjsonWriter {
  #buffer = Buffer.allocUnsafeSlow(4096)
  #length = 0

  /** Starts anew. */
  begin(): this {
    this.#buffer[0] = version
    this.#buffer[1] = 0
    this.#length = 2
    return this
  }

  /** What was written; valid until the next `begin`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Begins a list: `length` values must follow. */
  array(length: number): void {
    this.#reserve(6)
    this.#buffer[this.#length++] = tagArray
    this.#leb(length)
  }

  text(text: string): void {
    const length = text.length
    if (isLatin1(text)) {
      this.#reserve(6 + length)
      this.#buffer[this.#length++] = tagString
      this.#leb(length * 2)
      this.#length += latin1Write.call(this.#buffer, text, this.#length)
    } else {
      this.#reserve(6 + length * 2)
      this.#buffer[this.#length++] = tagString
      this.#leb(length * 2 + 1)
      this.#length += ucs2Write.call(this.#buffer, text, this.#length)
    }
  }

  /** Bytes as text, one character each. */
  latin1(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(6 + end - start)
    this.#buffer[this.#length++] = tagString
    this.#leb((end - start) * 2)
    // A loop beats set() and subarray() for what is nearly always shorter than 50 bytes.
    for (let index = start; index < end; index += 1) this.#buffer[this.#length++] = bytes[index]!
  }

  number(value: number): void {
    this.#reserve(9)
    if (Number.isInteger(value) && value >= -0x80000000 && value <= 0x7fffffff && !Object.is(value, -0)) {
      this.#buffer[this.#length++] = tagInt32
      this.#leb(((value << 1) ^ (value >> 31)) >>> 0)
    } else {
      this.#buffer[this.#length++] = tagFloat64
      this.#length = this.#buffer.writeDoubleLE(value, this.#length)
    }
  }

  bigint(value: bigint): void {
    let size = 8
    while (BigInt.asIntN(size, value) !== value) size += 8
    this.#reserve(6 + size / 8)
    this.#buffer[this.#length++] = tagBigInt
    // Zero is written without any byte.
    if (value === 0n) size = 0
    this.#leb(size / 8)
    for (let rest = BigInt.asUintN(size, value); size > 0; size -= 8, rest >>= 8n) {
      this.#buffer[this.#length++] = Number(rest & 0xffn)
    }
  }

  undefined(): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = tagUndefined
  }

  boolean(value: boolean): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = value ? tagTrue : tagFalse
  }

  /** Becomes an ArrayBuffer of a fixed size. */
  buffer(bytes: Uint8Array): void {
    this.#reserve(11 + bytes.length)
    this.#buffer[this.#length++] = tagArrayBuffer
    this.#leb(bytes.length)
    // What a buffer may grow to, here nothing: all bits set.
    this.#leb(0xffffffff)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #leb(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#buffer[this.#length++] = rest
  }

  #reserve(size: number): void {
    const needed = this.#length + size
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}

// V8 keeps such text as one byte per character and then knows the answer without looking.
const aboveLatin1 = /[^\x00-\xff]/

export const isLatin1 = (text: string): boolean => !aboveLatin1.test(text)
