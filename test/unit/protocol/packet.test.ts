import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHeader, encodeHeader, encodePacket, ProtocolError } from '../../../protocol/index.ts'

describe('a packet header', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(65535), fc.nat(255), (modifier1, size, modifier2) => {
        expect(decodeHeader(encodeHeader({ modifier1, size, modifier2 }))).toEqual({ modifier1, size, modifier2 })
      }),
    )
  })

  it('has its size low byte first', () => {
    expect([...encodeHeader({ modifier1: 1, size: 0x0203, modifier2: 4 })]).toEqual([1, 3, 2, 4])
    expect(decodeHeader(Uint8Array.of(9, 1, 3, 2, 4), 1)).toEqual({ modifier1: 1, size: 0x0203, modifier2: 4 })
  })

  it.each([
    [{ modifier1: 256, size: 0, modifier2: 0 }, 'modifier1 is a whole number from 0 to 255, not 256'],
    [{ modifier1: 0, size: 65536, modifier2: 0 }, 'the block size is a whole number from 0 to 65535, not 65536'],
    [{ modifier1: 0, size: 0, modifier2: -1 }, 'modifier2 is a whole number from 0 to 255, not -1'],
    [{ modifier1: 0.5, size: 0, modifier2: 0 }, 'modifier1 is a whole number from 0 to 255, not 0.5'],
  ])('refuses %o', (header, message) => {
    expect(() => encodeHeader(header)).toThrow(new ProtocolError('PACKET_FIELD', message))
  })

  it('is not read from fewer than 4 bytes', () => {
    expect(() => decodeHeader(Uint8Array.of(1, 2, 3))).toThrow(new RangeError('a packet header is 4 bytes, here are 3'))
    expect(() => decodeHeader(new Uint8Array(6), 3)).toThrow(new RangeError('a packet header is 4 bytes, here are 3'))
  })
})

describe('a packet', () => {
  it('is not made of a block above 65535 bytes', () => {
    const message = 'the block size is a whole number from 0 to 65535, not 65536'
    expect(() => encodePacket(0, 0, new Uint8Array(65536))).toThrow(new ProtocolError('PACKET_FIELD', message))
    expect(encodePacket(0, 0, new Uint8Array(65535)).length).toBe(65539)
  })
})
