// The array block: repeated `u16le length, bytes`. RPC calls (modifier1 173) travel like this: the function's name, then
// its arguments.
import { ProtocolError } from './errors.ts'
import { isLatin1, notLatin1, writeLatin1 } from './latin1.ts'
import { maxBlockSize } from './packet.ts'

/**
 * Encodes items into a block of its own memory. Text is taken as Latin-1, bytes as they are.
 * @throws ProtocolError ARRAY_TOO_LARGE for an item or a block above 65535 bytes, NOT_LATIN1
 */
export const encodeArray = (items: Iterable<string | Uint8Array>): Uint8Array => {
  const parts: (string | Uint8Array)[] = []
  let size = 0
  for (const item of items) {
    if (typeof item === 'string' && !isLatin1(item)) throw notLatin1(item, `array item ${parts.length}`)
    if (item.length > maxBlockSize) {
      throw new ProtocolError('ARRAY_TOO_LARGE', `array item ${parts.length} has ${item.length} bytes (max ${maxBlockSize})`)
    }
    size += 2 + item.length
    if (size > maxBlockSize) {
      throw new ProtocolError('ARRAY_TOO_LARGE', `the array up to item ${parts.length} needs ${size} bytes (max ${maxBlockSize})`)
    }
    parts.push(item)
  }
  const block = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    block[offset] = part.length & 0xff
    block[offset + 1] = part.length >> 8
    if (typeof part === 'string') writeLatin1(block, part, offset + 2)
    else block.set(part, offset + 2)
    offset += 2 + part.length
  }
  return block
}

/**
 * The items of an array block, as views into it. Differs from uWSGI: empty items are kept, the last one included, and all
 * items are read, where uWSGI loses empty ones and stops at 255.
 * @throws ProtocolError ARRAY_TRUNCATED with the item's number, when the block ends inside it
 */
export const decodeArray = (block: Uint8Array): Uint8Array[] => {
  const items: Uint8Array[] = []
  const size = block.length
  let offset = 0
  while (offset < size) {
    const start = offset + 2
    const length = start > size ? 2 : block[offset]! | (block[offset + 1]! << 8)
    if (start + length > size) {
      const what = start > size ? 'the length' : 'the bytes'
      throw new ProtocolError(
        'ARRAY_TRUNCATED',
        `invalid uwsgi array: ${what} of item ${items.length} at offset ${offset} of ${size}`,
      )
    }
    items.push(block.subarray(start, start + length))
    offset = start + length
  }
  return items
}
