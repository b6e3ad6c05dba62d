// The vars block of a request: repeated `u16le key length, key, u16le value length, value`. The readers are called many
// times per request, on views of shared memory too, so they walk the bytes and build no object but the answer.
// Invariant: no reader looks behind the block, whatever is in it; a block that ends badly reads as if it ended before that.
import { ProtocolError } from './errors.ts'
import { isLatin1, latin1Text, notLatin1, writeLatin1 } from './latin1.ts'
import { maxBlockSize } from './packet.ts'

export { VarsWriter } from './vars-writer.ts'

// Where `locate` found the value: results of the call before, so that a lookup allocates nothing.
let foundStart = 0
let foundEnd = 0

const locate = (block: Uint8Array, name: string): boolean => {
  const size = block.length
  const nameLength = name.length
  let found = false
  let offset = 0
  while (offset + 4 <= size) {
    const keyLength = block[offset]! | (block[offset + 1]! << 8)
    const keyStart = offset + 2
    const valueStart = keyStart + keyLength + 2
    if (valueStart > size) break
    const valueEnd = valueStart + (block[valueStart - 2]! | (block[valueStart - 1]! << 8))
    if (valueEnd > size) break
    if (keyLength === nameLength) {
      // Backwards: most names of equal length begin with the same `HTTP_`.
      let index = nameLength - 1
      while (index >= 0 && block[keyStart + index] === name.charCodeAt(index)) index -= 1
      if (index < 0) {
        found = true
        foundStart = valueStart
        foundEnd = valueEnd
      }
    }
    offset = valueEnd
  }
  return found
}

/**
 * The value of a request variable as Latin-1 text. Names are case sensitive; where one occurs twice the last one counts.
 * `block` may be a view on shared memory.
 */
export const findVar = (block: Uint8Array, name: string): string | undefined =>
  locate(block, name) ? latin1Text(block, foundStart, foundEnd) : undefined

/** As `findVar`, as a view into `block`. */
export const findVarBytes = (block: Uint8Array, name: string): Uint8Array | undefined =>
  locate(block, name) ? block.subarray(foundStart, foundEnd) : undefined

/** All variables in wire order, repeated names included, keys and values as Latin-1 text. */
export function* iterateVars(block: Uint8Array): IterableIterator<readonly [string, string]> {
  const size = block.length
  // One call for the whole block: V8 cuts the pieces out of it without copying.
  const text = latin1Text(block, 0, size)
  let offset = 0
  while (offset + 4 <= size) {
    const keyEnd = offset + 2 + (text.charCodeAt(offset) | (text.charCodeAt(offset + 1) << 8))
    const valueStart = keyEnd + 2
    if (valueStart > size) return
    const valueEnd = valueStart + (text.charCodeAt(keyEnd) | (text.charCodeAt(keyEnd + 1) << 8))
    if (valueEnd > size) return
    yield [text.slice(offset + 2, keyEnd), text.slice(valueStart, valueEnd)]
    offset = valueEnd
  }
}

/**
 * Checks a whole block once. Differs from uWSGI: a block that is cut inside its last key is refused too, where uWSGI
 * loses its place and ignores the rest; and there is no limit on the number of variables but the block's size.
 * @throws ProtocolError VARS_EMPTY_KEY, VARS_TRUNCATED, both with the offset in the block
 */
export const checkVars = (block: Uint8Array): void => {
  const size = block.length
  let offset = 0
  while (offset < size) {
    if (offset + 2 > size) throw truncated('the length of a key', offset, 2, size)
    const keyLength = block[offset]! | (block[offset + 1]! << 8)
    if (keyLength === 0) throw new ProtocolError('VARS_EMPTY_KEY', `uwsgi key cannot be null (at offset ${offset} of ${size})`)
    const keyEnd = offset + 2 + keyLength
    if (keyEnd > size) throw truncated('a key', offset + 2, keyLength, size)
    if (keyEnd + 2 > size) throw truncated('the length of a value', keyEnd, 2, size)
    const valueLength = block[keyEnd]! | (block[keyEnd + 1]! << 8)
    offset = keyEnd + 2 + valueLength
    if (offset > size) throw truncated('a value', keyEnd + 2, valueLength, size)
  }
}

const truncated = (what: string, offset: number, length: number, size: number): ProtocolError =>
  new ProtocolError(
    'VARS_TRUNCATED',
    `invalid vars block: ${what} of ${length} bytes at offset ${offset} ends behind the block of ${size}`,
  )

/**
 * Encodes a vars block of its own memory. Text is taken as Latin-1, bytes as they are.
 * @throws ProtocolError VARS_EMPTY_KEY, VARS_TOO_LARGE for a key, value or block above 65535 bytes, NOT_LATIN1
 */
export const encodeVars = (pairs: Iterable<readonly [string | Uint8Array, string | Uint8Array]>): Uint8Array => {
  const parts: (string | Uint8Array)[] = []
  let size = 0
  for (const [key, value] of pairs) {
    checkVar(key, value)
    size += 4 + key.length + value.length
    if (size > maxBlockSize) {
      throw new ProtocolError(
        'VARS_TOO_LARGE',
        `the request variables up to ${nameOf(key)} need ${size} bytes (max ${maxBlockSize})`,
      )
    }
    parts.push(key, value)
  }
  const block = new Uint8Array(size)
  let offset = 0
  for (const part of parts) offset = writePart(block, part, offset)
  return block
}

/** Writes a checked name or value with its length at `offset`, where it must fit. @returns the offset behind it */
export const writePart = (block: Uint8Array, part: string | Uint8Array, offset: number): number => {
  block[offset] = part.length & 0xff
  block[offset + 1] = part.length >> 8
  if (typeof part === 'string') writeLatin1(block, part, offset + 2)
  else block.set(part, offset + 2)
  return offset + 2 + part.length
}

/** @throws ProtocolError for a variable that no block can hold, as `encodeVars` */
export const checkVar = (key: string | Uint8Array, value: string | Uint8Array): void => {
  if (key.length === 0) throw new ProtocolError('VARS_EMPTY_KEY', 'a request variable needs a name')
  if (typeof key === 'string' && !isLatin1(key)) throw notLatin1(key, `the name ${JSON.stringify(key.slice(0, 80))}`)
  if (typeof value === 'string' && !isLatin1(value)) throw notLatin1(value, `the value of ${nameOf(key)}`)
  if (key.length > maxBlockSize) throw new ProtocolError('VARS_TOO_LARGE', `a name of ${key.length} bytes (max ${maxBlockSize})`)
  if (value.length > maxBlockSize) {
    throw new ProtocolError('VARS_TOO_LARGE', `the value of ${nameOf(key)} has ${value.length} bytes (max ${maxBlockSize})`)
  }
}

const nameOf = (key: string | Uint8Array): string =>
  typeof key === 'string' ? key.slice(0, 80) : latin1Text(key, 0, Math.min(key.length, 80))
