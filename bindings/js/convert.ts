// Values across the border. Out of the guest: read straight from the interpreter's memory. Into the guest: bjson from a
// buffer no guest can see, or the C functions. Invariants: bytes and text keep every byte and character (NUL included),
// integers are never rounded, and no view of the memory outlives the call in which it was read.
import { isAscii } from 'node:buffer'
import type { ApiValue } from '../../host/api/kinds.ts'
import { BjsonWriter, isLatin1, latin1Write } from './bjson.ts'
import type { Engine, Pointer } from './engine.ts'
import { GuestThrow } from './errors.ts'
import * as layout from './layout.ts'
import { Tag } from './layout.ts'

interface SliceMethods {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  ucs2Slice(this: Uint8Array, start: number, end: number): string
}
const { latin1Slice, ucs2Slice } = Buffer.prototype as unknown as SliceMethods

// Most packets, headers and small bodies fit; what does not gets a buffer of its own for one call.
const scratchSize = 128 * 1024

const utf8Decoder = new TextDecoder()

const floatCell = new DataView(new ArrayBuffer(8))

/** What a guest passed where the API takes no such value: no parameter type accepts it. */
export const notConvertible: ApiValue = []

export class Converter {
  readonly #engine: Engine
  readonly #scratch: Pointer
  readonly #scratchBuffer: Pointer
  readonly #writer = new BjsonWriter()
  /** Bytes handed to the guest since the last collection was asked for. */
  bytesGiven = 0

  constructor(engine: Engine) {
    this.#engine = engine
    this.#scratch = engine.allocate(scratchSize)
    this.#scratchBuffer = engine.ffi._QTS_NewArrayBuffer(engine.context, this.#scratch, scratchSize)
  }

  // ---- out of the guest: `cell` is the address of a value

  /** The text of a string, undefined for anything else. */
  text(cell: Pointer): string | undefined {
    const address = this.#stringAt(cell)
    if (address === 0) return undefined
    const header = this.#engine.u32[(address + layout.stringLength) >> 2]!
    const length = header & 0x7fffffff
    const start = address + layout.stringData
    return header >>> 31 === 0
      ? latin1Slice.call(this.#engine.u8, start, start + length)
      : ucs2Slice.call(this.#engine.u8, start, start + length * 2)
  }

  /**
   * The UTF-8 bytes of a string, lone surrogates as U+FFFD. A view of the memory where that holds them already (ASCII):
   * to be used before the next call into the interpreter.
   */
  utf8(cell: Pointer): Uint8Array | undefined {
    const address = this.#stringAt(cell)
    if (address === 0) return undefined
    const u8 = this.#engine.u8
    const header = this.#engine.u32[(address + layout.stringLength) >> 2]!
    const length = header & 0x7fffffff
    const start = address + layout.stringData
    if (header >>> 31 === 1) return Buffer.from(ucs2Slice.call(u8, start, start + length * 2), 'utf8')
    const bytes = u8.subarray(start, start + length)
    return isAscii(bytes) ? bytes : Buffer.from(latin1Slice.call(bytes, 0, length), 'utf8')
  }

  /** The characters of a Latin-1 string as a view, to be used before the next call; undefined for other values. */
  latin1(cell: Pointer): Uint8Array | undefined {
    const address = this.#stringAt(cell)
    if (address === 0) return undefined
    const header = this.#engine.u32[(address + layout.stringLength) >> 2]!
    if (header >>> 31 === 1) return undefined
    const start = address + layout.stringData
    return this.#engine.u8.subarray(start, start + (header & 0x7fffffff))
  }

  /** True for a Latin-1 string of visible characters with inner blanks: a header value that can go out as it is. */
  isPlainHeaderValue(cell: Pointer): boolean {
    const { i32, u32, u8 } = this.#engine
    if (i32[(cell >> 2) + 1] !== Tag.string) return false
    const address = u32[cell >> 2]!
    const header = i32[(address + layout.stringLength) >> 2]!
    // Negative: two bytes per character.
    if (header < 0) return false
    const start = address + layout.stringData
    const end = start + header
    if (header > 0 && (u8[start]! <= 0x20 || u8[end - 1]! <= 0x20)) return false
    for (let at = start; at < end; at += 1) if (u8[at]! < 0x20) return false
    return true
  }

  /** The bytes of a Uint8Array as a view, to be used before the next call; undefined for other values. */
  bytes(cell: Pointer): Uint8Array | undefined {
    const { u32, i32, u8 } = this.#engine
    if (i32[(cell >> 2) + 1] !== Tag.object) return undefined
    const object = u32[cell >> 2]!
    const classId = u8[object + layout.objectClass]! | (u8[object + layout.objectClass + 1]! << 8)
    if (classId !== layout.uint8Class && classId !== layout.uint8ClampedClass) return undefined
    const data = u32[(object + layout.arrayData) >> 2]!
    return u8.subarray(data, data + u32[(object + layout.arrayCount) >> 2]!)
  }

  /** An int32, however the interpreter keeps it; undefined for anything else. */
  int(cell: Pointer): number | undefined {
    const i32 = this.#engine.i32
    if (i32[(cell >> 2) + 1] === Tag.int) return i32[cell >> 2]
    // A quotient like 808 / 2 is kept as a float.
    const value = this.value(cell)
    return typeof value === 'number' && value === (value | 0) ? value : undefined
  }

  /** Any value an API function may get; objects that are no bytes become a value that no parameter accepts. */
  value(cell: Pointer): ApiValue {
    const { i32, u32 } = this.#engine
    const tag = i32[(cell >> 2) + 1]!
    switch (tag) {
      case Tag.int:
      case Tag.shortBigInt:
        return tag === Tag.int ? i32[cell >> 2]! : BigInt(i32[cell >> 2]!)
      case Tag.bool:
        return i32[cell >> 2] !== 0
      case Tag.null:
      case Tag.undefined:
        return undefined
      case Tag.string:
      case Tag.rope:
        return this.text(cell)
      case Tag.bigInt:
        return this.#bigInt(u32[cell >> 2]!)
      case Tag.object: {
        const bytes = this.bytes(cell)
        return bytes === undefined ? notConvertible : bytes.slice()
      }
      case Tag.symbol:
        return notConvertible
      default:
        floatCell.setUint32(0, (u32[(cell >> 2) + 1]! + layout.floatAddend) >>> 0)
        floatCell.setUint32(4, u32[cell >> 2]!)
        return floatCell.getFloat64(0)
    }
  }

  // ---- into the guest: each returns a value on the heap; throws GuestThrow when there is no memory for it

  int32(value: number): Pointer {
    const cell = this.#engine.allocate(8)
    this.#engine.i32[cell >> 2] = value
    this.#engine.i32[(cell >> 2) + 1] = Tag.int
    return cell
  }

  boolean(value: boolean): Pointer {
    const cell = this.#engine.allocate(8)
    this.#engine.i32[cell >> 2] = value ? 1 : 0
    this.#engine.i32[(cell >> 2) + 1] = Tag.bool
    return cell
  }

  float(value: number): Pointer {
    return this.#made(this.#engine.ffi._QTS_NewFloat64(this.#engine.context, value))
  }

  newText(text: string): Pointer {
    // Short Latin-1 text is by far the most frequent; anything else takes the road of bytes or of the writer.
    if (text.length <= scratchSize - 8 && isLatin1(text)) {
      const u8 = this.#engine.u8
      const start = this.#stringHeader(u8, text.length)
      latin1Write.call(u8, text, start)
      return this.#decode(this.#scratchBuffer)
    }
    const writer = this.#writer.begin()
    writer.text(text)
    return this.fromBjson(writer.bytes)
  }

  /** A string of one character per byte. `bytes` must not be a view of the interpreter's own memory. */
  newLatin1(bytes: Uint8Array): Pointer {
    if (bytes.length > scratchSize - 8) {
      const writer = this.#writer.begin()
      writer.text(latin1Slice.call(bytes, 0, bytes.length))
      return this.fromBjson(writer.bytes)
    }
    const u8 = this.#engine.u8
    u8.set(bytes, this.#stringHeader(u8, bytes.length))
    return this.#decode(this.#scratchBuffer)
  }

  /** The text of UTF-8 bytes, broken sequences as U+FFFD, a byte order mark dropped. */
  newUtf8(bytes: Uint8Array): Pointer {
    return isAscii(bytes) ? this.newLatin1(bytes) : this.newText(utf8Decoder.decode(bytes))
  }

  /** An ArrayBuffer with a copy of the bytes. */
  newBuffer(bytes: Uint8Array): Pointer {
    const { ffi, context } = this.#engine
    const data = this.#engine.allocate(bytes.length)
    this.#engine.u8.set(bytes, data)
    this.bytesGiven += bytes.length
    return this.#made(ffi._QTS_NewArrayBuffer(context, data, bytes.length))
  }

  /** A list of strings and integers. */
  newList(items: readonly (string | number)[]): Pointer {
    const writer = this.#writer.begin()
    writer.array(items.length)
    for (const item of items) {
      if (typeof item === 'string') writer.text(item)
      else writer.number(item)
    }
    return this.fromBjson(writer.bytes)
  }

  /** The writer, begun anew: for lists made by hand, to be finished with `fromBjson(writer.bytes)`. */
  beginBjson(): BjsonWriter {
    return this.#writer.begin()
  }

  /** Decodes what a writer of ours has written. Never call it with anything that came from a guest. */
  fromBjson(bytes: Uint8Array): Pointer {
    const engine = this.#engine
    if (bytes.length <= scratchSize) {
      engine.u8.set(bytes, this.#scratch)
      return this.#decode(this.#scratchBuffer)
    }
    const data = engine.allocate(bytes.length)
    engine.u8.set(bytes, data)
    const buffer = this.#made(engine.ffi._QTS_NewArrayBuffer(engine.context, data, bytes.length))
    this.bytesGiven += bytes.length
    try {
      return this.#decode(buffer)
    } finally {
      engine.free(buffer)
    }
  }

  #decode(buffer: Pointer): Pointer {
    return this.#made(this.#engine.ffi._QTS_bjson_decode(this.#engine.context, buffer))
  }

  // A value that could not be made is an exception (or 0 when not even that had room): out of memory, or out of stack deep in
  // a recursion of the guest.
  #made(value: Pointer): Pointer {
    const engine = this.#engine
    if (value === 0) throw engine.outOfMemory()
    if (!engine.isException(value)) return value
    const error = engine.takeException(value)
    // Without memory even for an error null is thrown.
    if (error === 0 || engine.i32[(error >> 2) + 1] !== Tag.object) {
      engine.free(error)
      throw engine.outOfMemory()
    }
    const message = engine.getProperty(error, 'message')
    const isStack = this.text(message) === 'stack overflow'
    engine.free(message)
    engine.free(error)
    throw isStack ? new GuestThrow('RangeError', 'stack overflow') : engine.outOfMemory()
  }

  /** Writes `05 00 07 length` into the scratch buffer and returns the address behind it. */
  #stringHeader(u8: Uint8Array, length: number): number {
    let at = this.#scratch
    u8[at++] = 5
    u8[at++] = 0
    u8[at++] = 7
    let rest = length * 2
    while (rest > 0x7f) {
      u8[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    u8[at++] = rest
    return at
  }

  // Address of the JSString of a string value; 0 when it is none. A rope (what long concatenations are) is flattened by
  // the interpreter on the way to a C string, and keeps the flat string as its left part.
  #stringAt(cell: Pointer): Pointer {
    const { ffi, context } = this.#engine
    const tag = this.#engine.i32[(cell >> 2) + 1]
    if (tag === Tag.string) return this.#engine.u32[cell >> 2]!
    if (tag !== Tag.rope) return 0
    const flattened = ffi._QTS_GetString(context, cell)
    if (flattened === 0) throw this.#engine.outOfMemory()
    ffi._QTS_FreeCString(context, flattened)
    const left = this.#engine.u32[cell >> 2]! + layout.ropeLeft
    if (this.#engine.i32[(left >> 2) + 1] !== Tag.string) throw new GuestThrow('RangeError', 'a text that is too long')
    return this.#engine.u32[left >> 2]!
  }

  #bigInt(address: Pointer): bigint {
    const u32 = this.#engine.u32
    const limbs = u32[(address + layout.bigIntLength) >> 2]!
    let value = 0n
    for (let index = limbs - 1; index >= 0; index -= 1) {
      value = (value << 32n) | BigInt(u32[((address + layout.bigIntLimbs) >> 2) + index]!)
    }
    return BigInt.asIntN(limbs * 32, value)
  }
}

/**
 * Proves at start-up that values lie in memory as `layout.ts` says.
 * @throws Error naming the first kind of value that was not read back as it was made
 */
export const verifyLayout = (engine: Engine, converter: Converter): void => {
  const seen: ApiValue[] = []
  const probe = engine.newFunction('probe', (argc, argv) => {
    for (let index = 0; index < argc; index += 1) seen.push(converter.value(argv + index * 8))
    return 0
  })
  const script = engine.evaluate(
    `(function (probe) {
      const rope = 'r'.repeat(9000) + '\\u0100'.repeat(9000)
      const bytes = new Uint8Array([9, 1, 0, 255, 9]).subarray(1, 4)
      probe(-5, 1.5, true, undefined, 'a\\0\\xff', '\\u0100\\ud800', rope, bytes, -7n, -(2n ** 70n), -0)
    })`,
    'polywsgi:probe.js',
  )
  engine.setValue(0, probe)
  engine.free(engine.call(script, 1))
  engine.free(script)
  engine.free(probe)
  const rope = 'r'.repeat(9000) + '\u0100'.repeat(9000)
  const wanted = [-5, 1.5, true, undefined, 'a\0\xff', '\u0100\ud800', rope, Uint8Array.of(1, 0, 255), -7n, -(2n ** 70n), -0]
  for (const [index, value] of wanted.entries()) {
    const got = seen[index]
    const equal =
      value instanceof Uint8Array ? got instanceof Uint8Array && Buffer.compare(value, got) === 0 : Object.is(value, got)
    if (!equal) throw new Error(`this build of QuickJS keeps values otherwise than expected (probe ${index})`)
  }
}
