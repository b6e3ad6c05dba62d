// Changes to a vars block. A block is never changed in place, since others may hold it: each change makes a new one.
// Invariant: what is not meant by a change keeps its bytes and its order.
import { checkVar, writePart } from './vars.ts'

/**
 * The block with one variable more at its end, where it counts before all of the same name. Text is taken as Latin-1. How large the
 * block becomes is the caller's business.
 * @throws ProtocolError VARS_EMPTY_KEY, NOT_LATIN1, VARS_TOO_LARGE for a name or value above 65535 bytes
 */
export const withVar = (block: Uint8Array, name: string, value: string | Uint8Array): Uint8Array => {
  checkVar(name, value)
  const whole = new Uint8Array(block.length + 4 + name.length + value.length)
  whole.set(block)
  writePart(whole, value, writePart(whole, name, block.length))
  return whole
}

/** The block without all variables of a name (Latin-1 text, case sensitive): itself when there is none. */
export const withoutVar = (block: Uint8Array, name: string): Uint8Array => {
  const size = block.length
  const kept: Uint8Array[] = []
  let keptSize = 0
  let start = 0
  let offset = 0
  const keep = (end: number): void => {
    if (end === start) return
    kept.push(block.subarray(start, end))
    keptSize += end - start
  }
  while (offset + 4 <= size) {
    const keyLength = block[offset]! | (block[offset + 1]! << 8)
    const valueStart = offset + 2 + keyLength + 2
    if (valueStart > size) break
    const end = valueStart + (block[valueStart - 2]! | (block[valueStart - 1]! << 8))
    if (end > size) break
    if (keyLength === name.length && isAt(block, offset + 2, name)) {
      keep(offset)
      start = end
    }
    offset = end
  }
  if (start === 0) return block
  keep(size)
  const rest = new Uint8Array(keptSize)
  let at = 0
  for (const part of kept) {
    rest.set(part, at)
    at += part.length
  }
  return rest
}

const isAt = (block: Uint8Array, start: number, name: string): boolean => {
  for (let index = 0; index < name.length; index += 1) if (block[start + index] !== name.charCodeAt(index)) return false
  return true
}
