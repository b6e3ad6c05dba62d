// The 4-byte header of every uwsgi packet, and the two limits that follow from it.
//
//      byte   0            1          2          3            4 ...
//             modifier1    size, u16 little endian  modifier2    the block, `size` bytes
import { ProtocolError } from './errors.ts'

/** Bytes of a packet header. */
export const headerSize = 4

/** The largest block, and the largest key, value or array item: all lengths of the protocol are 16 bits wide. */
export const maxBlockSize = 0xffff

export interface PacketHeader {
  /** What the block is for, 0 to 255: see `modifiers.ts`. */
  readonly modifier1: number
  /** Bytes of the block that follows, 0 to 65535. */
  readonly size: number
  /** A detail of modifier1, 0 to 255. */
  readonly modifier2: number
}

/**
 * Reads the header at `offset`, where at least 4 bytes must be.
 * @throws RangeError when there are fewer
 */
export const decodeHeader = (bytes: Uint8Array, offset = 0): PacketHeader => {
  if (offset < 0 || offset + headerSize > bytes.length) {
    throw new RangeError(`a packet header is ${headerSize} bytes, here are ${Math.max(0, bytes.length - offset)}`)
  }
  return {
    modifier1: bytes[offset]!,
    size: bytes[offset + 1]! | (bytes[offset + 2]! << 8),
    modifier2: bytes[offset + 3]!,
  }
}

/**
 * Writes a header over the 4 bytes at `offset`.
 * @throws ProtocolError PACKET_FIELD for a number that its field cannot hold
 */
export const writeHeader = (bytes: Uint8Array, header: PacketHeader, offset = 0): void => {
  assertField('modifier1', header.modifier1, 0xff)
  assertField('the block size', header.size, maxBlockSize)
  assertField('modifier2', header.modifier2, 0xff)
  bytes[offset] = header.modifier1
  bytes[offset + 1] = header.size & 0xff
  bytes[offset + 2] = header.size >> 8
  bytes[offset + 3] = header.modifier2
}

/** @throws ProtocolError PACKET_FIELD as `writeHeader` */
export const encodeHeader = (header: PacketHeader): Uint8Array => {
  const bytes = new Uint8Array(headerSize)
  writeHeader(bytes, header)
  return bytes
}

/**
 * Header and block as one packet of its own memory.
 * @throws ProtocolError PACKET_FIELD for a modifier above 255 or a block above 65535 bytes
 */
export const encodePacket = (modifier1: number, modifier2: number, block: Uint8Array): Uint8Array => {
  assertField('the block size', block.length, maxBlockSize)
  const packet = new Uint8Array(headerSize + block.length)
  writeHeader(packet, { modifier1, size: block.length, modifier2 })
  packet.set(block, headerSize)
  return packet
}

const assertField = (what: string, value: number, max: number): void => {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new ProtocolError('PACKET_FIELD', `${what} is a whole number from 0 to ${max}, not ${value}`)
  }
}
