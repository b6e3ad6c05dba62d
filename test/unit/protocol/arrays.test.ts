import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeArray, encodeArray, ProtocolError } from '../../../protocol/index.ts'

describe('an array block', () => {
  it('comes back as it was, empty items included', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 300 }), (items) => {
        expect(decodeArray(encodeArray(items)).map((item) => [...item])).toEqual(items.map((item) => [...item]))
      }),
    )
  })

  it('is decoded into views', () => {
    const block = encodeArray(['a', 'b'])
    expect(decodeArray(block).map((item) => item.buffer)).toEqual([block.buffer, block.buffer])
  })

  it('throws nothing but ProtocolError on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (block) => {
        try {
          expect(encodeArray(decodeArray(block))).toEqual(block)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
    )
  })

  it('refuses items and blocks that are too large, and text that is not Latin-1', () => {
    const half = new Uint8Array(40000)
    expect(() => encodeArray(['fn', new Uint8Array(65536)])).toThrow('array item 1 has 65536 bytes (max 65535)')
    expect(() => encodeArray([half, half])).toThrow('the array up to item 1 needs 80004 bytes (max 65535)')
    expect(() => encodeArray(['fn', '\u20ac'])).toThrow('array item 1 holds U+20AC at position 0, which is not Latin-1')
  })
})
