import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePacket, encodeVars, ProtocolError, type RequestPacket, RequestReader } from '../../../protocol/index.ts'

const packet = encodePacket(0, 0, encodeVars([['REQUEST_METHOD', 'GET']]))

describe('RequestReader', () => {
  it.each([0, -1, 65536, 4096.5, Number.NaN])('refuses a buffer size of %s and names the limit', (bufferSize) => {
    expect(() => new RequestReader({ bufferSize })).toThrow(
      new RangeError(`buffer-size is 1 to 65535 (the size field of a uwsgi packet has 16 bits), not ${bufferSize}`),
    )
  })

  it('takes the largest block that the size field can announce', () => {
    const block = new Uint8Array(65535).fill(0x41)
    const reader = new RequestReader({ bufferSize: 65535 })
    const bytes = encodePacket(101, 9, block)
    expect(reader.push(bytes.subarray(0, 40000))).toBeUndefined()
    const read = reader.push(bytes.subarray(40000)) as RequestPacket
    expect([read.modifier1, read.modifier2]).toEqual([101, 9])
    expect(Buffer.compare(read.vars, block)).toBe(0)
  })

  it('hands out views of a chunk that holds the whole packet', () => {
    const chunk = Buffer.concat([packet, Buffer.from('body')])
    const read = new RequestReader({ bufferSize: 4096 }).push(chunk) as RequestPacket
    expect([read.packet.buffer, read.vars.buffer, read.rest.buffer]).toEqual([chunk.buffer, chunk.buffer, chunk.buffer])
    expect(Buffer.from(read.rest).toString()).toBe('body')
  })

  it('lets the caller use the memory of an unfinished chunk again', () => {
    const reader = new RequestReader({ bufferSize: 4096 })
    const memory = new Uint8Array(packet.subarray(0, 9))
    reader.push(memory)
    memory.fill(0)
    expect(Buffer.from((reader.push(packet.subarray(9)) as RequestPacket).packet)).toEqual(Buffer.from(packet))
  })

  it('tells how much has come and how much must come', () => {
    const reader = new RequestReader({ bufferSize: 4096 })
    expect([reader.received, reader.bytesNeeded]).toEqual([0, 4])
    reader.push(packet.subarray(0, 1))
    expect([reader.received, reader.bytesNeeded]).toEqual([1, 3])
    reader.push(packet.subarray(1, 6))
    expect([reader.received, reader.bytesNeeded]).toEqual([6, packet.length - 6])
    reader.push(packet.subarray(6))
    expect([reader.received, reader.bytesNeeded, reader.heldBytes]).toEqual([0, 4, 0])
  })

  it('reads one packet after the other', () => {
    const reader = new RequestReader({ bufferSize: 4096 })
    const first = reader.push(Buffer.concat([packet, packet.subarray(0, 7)])) as RequestPacket
    expect(reader.push(first.rest)).toBeUndefined()
    expect(Buffer.from((reader.push(packet.subarray(7)) as RequestPacket).packet)).toEqual(Buffer.from(packet))
  })

  it('repeats its error and keeps nothing', () => {
    const reader = new RequestReader({ bufferSize: 100 })
    reader.push(Uint8Array.of(0, 0xff))
    const refusal = new ProtocolError('PACKET_TOO_LARGE', 'invalid request block size: 65535 (max 100)')
    expect(() => reader.push(Uint8Array.of(0xff, 0))).toThrow(refusal)
    expect(() => reader.push(packet)).toThrow(refusal)
    expect(reader.heldBytes).toBe(0)
  })

  it('has the status of too large header fields for a block that is too large', () => {
    const push = () => new RequestReader({ bufferSize: 100 }).push(Uint8Array.of(0, 101, 0, 0))
    expect(push).toThrow(expect.objectContaining({ code: 'PACKET_TOO_LARGE', httpStatus: 431 }))
  })

  it('can say what a silent client seems to speak before it is certain', () => {
    const reader = new RequestReader({ bufferSize: 65535 })
    reader.push(Buffer.from('GET /slow'))
    expect(reader.suspectedProtocol).toBe('HTTP')
    const tls = new RequestReader({ bufferSize: 65535 })
    tls.push(Uint8Array.of(0x16, 3, 1, 2, 0, 1))
    expect(tls.suspectedProtocol).toBe('TLS')
    const uwsgi = new RequestReader({ bufferSize: 65535 })
    uwsgi.push(packet.subarray(0, 8))
    expect(uwsgi.suspectedProtocol).toBeUndefined()
  })

  it('goes by the bytes of the packet alone, not by what follows it', () => {
    // The line feed that would make this a request line is behind the 21573 bytes that `GET ` announces.
    const line = Buffer.from(`GET /${'x'.repeat(30000)} HTTP/1.1\r\n`)
    const reader = new RequestReader({ bufferSize: 65535 })
    const read = reader.push(line) as RequestPacket
    expect([read.modifier1, read.vars.length, read.rest.length]).toEqual([71, 21573, line.length - 4 - 21573])
    expect(reader.suspectedProtocol).toBeUndefined()
  })

  it('throws nothing but ProtocolError on garbage, and never holds more than the packet or twice what came', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 12 })
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 65535 }), (garbage, bufferSize) => {
        const reader = new RequestReader({ bufferSize })
        try {
          for (const chunk of garbage) {
            reader.push(chunk)
            expect(reader.heldBytes).toBeLessThanOrEqual(4 + bufferSize)
            expect(reader.heldBytes).toBeLessThanOrEqual(Math.max(512, 2 * reader.received))
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
          expect(reader.heldBytes).toBe(0)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('gives the same answer at any cut, whatever the bytes are', () => {
    // Beginnings that make the reader look for other protocols, and block sizes that the bytes can fill.
    const beginning = fc.constantFrom(
      '',
      'GET ',
      'POST',
      'PRI ',
      'GET / HTTP/1.1\r\n',
      'GET x\n',
      '\x16\x03\x01',
      '\x16\x03\x01\x00\x20\x01\x00\x00\x1c\x03\x03',
    )
    const bytes = fc
      .tuple(beginning, fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(new Uint8Array(40000))))
      .map(([text, rest]) => Buffer.concat([Buffer.from(text, 'latin1'), rest]))
    const outcome = (chunks: Uint8Array[], bufferSize: number): string => {
      const reader = new RequestReader({ bufferSize })
      try {
        for (const [index, chunk] of chunks.entries()) {
          const read = reader.push(chunk)
          if (read === undefined) continue
          const rest = Buffer.concat([read.rest, ...chunks.slice(index + 1)])
          return `${Buffer.from(read.packet).toString('hex')} ${read.modifier1} ${read.modifier2} ${rest.toString('hex')}`
        }
        return `${reader.bytesNeeded} ${reader.received} ${reader.suspectedProtocol}`
      } catch (error) {
        return String(error)
      }
    }
    fc.assert(
      fc.property(bytes, fc.constantFrom(8, 300, 65535), fc.array(fc.nat(60), { maxLength: 6 }), (all, bufferSize, places) => {
        const edges = [0, ...places.map((place) => Math.min(place, all.length)).toSorted((a, b) => a - b), all.length]
        const chunks = edges.slice(1).map((edge, index) => all.subarray(edges[index], edge))
        expect(outcome(chunks, bufferSize)).toBe(outcome([all], bufferSize))
      }),
      { numRuns: 1000 },
    )
  })
})
