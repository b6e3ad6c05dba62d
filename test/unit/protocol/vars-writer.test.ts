import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePacket, encodeVars, VarsWriter } from '../../../protocol/index.ts'

describe('VarsWriter', () => {
  it('writes what encodeVars and encodePacket write', () => {
    const writer = new VarsWriter(65535)
    const latin1 = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            latin1.map((name) => `N${name}`),
            latin1,
          ),
          { maxLength: 30 },
        ),
        fc.nat(255),
        fc.nat(255),
        (pairs, m1, m2) => {
          writer.reset()
          for (const [name, value] of pairs) writer.append(name, value)
          const packet = encodePacket(m1, m2, encodeVars(pairs))
          expect(writer.size).toBe(packet.length - 4)
          expect(writer.finish(m1, m2)).toEqual(packet)
          expect(new Uint8Array(writer.view(m1, m2))).toEqual(packet)
        },
      ),
    )
  })

  it('gives copies that later requests do not touch, in memory of their own', () => {
    const writer = new VarsWriter(100)
    writer.append('A', 'first')
    const first = writer.finish(0, 0)
    writer.reset()
    writer.append('A', 'other')
    expect(first).toEqual(encodePacket(0, 0, encodeVars([['A', 'first']])))
    expect(first.buffer.byteLength).toBe(first.length)
  })

  it('refuses what does not fit with 431, and keeps what was there', () => {
    const writer = new VarsWriter(15)
    writer.append('A', '12345')
    const full = { code: 'VARS_TOO_LARGE', httpStatus: 431, message: 'the request variables up to B need 16 bytes (max 15)' }
    expect(() => writer.append('B', 'x')).toThrow(expect.objectContaining(full))
    writer.append('B', '')
    expect(writer.size).toBe(15)
    expect(writer.finish(0, 0)).toEqual(
      encodePacket(
        0,
        0,
        encodeVars([
          ['A', '12345'],
          ['B', ''],
        ]),
      ),
    )
  })

  it('refuses a variable without a name and text that is not Latin-1, and keeps what was there', () => {
    const writer = new VarsWriter(100)
    expect(() => writer.append('', 'x')).toThrow('a request variable needs a name')
    expect(() => writer.append('A', '\u0100')).toThrow('the value of request variable A holds U+0100 at position 0')
    expect(() => writer.append('\u0100', '')).toThrow('the name of a request variable holds U+0100 at position 0')
    expect(writer.size).toBe(0)
  })

  it('refuses modifiers that are no byte', () => {
    const writer = new VarsWriter(100)
    expect(() => writer.finish(256, 0)).toThrow('modifier1 is a whole number from 0 to 255, not 256')
    expect(() => writer.view(0, -1)).toThrow('modifier2 is a whole number from 0 to 255, not -1')
  })

  it.each([0, 65536, 1.5])('refuses a capacity of %s and names the limit', (capacity) => {
    expect(() => new VarsWriter(capacity)).toThrow(
      new RangeError(`the capacity of a vars block is 1 to 65535 bytes (its size field has 16 bits), not ${capacity}`),
    )
  })
})
