// The shared vectors of test/vectors/uwsgi-packets.json, each fed whole, byte by byte and at random cuts: the answer, error
// text included, must be the same.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkVars,
  contentLength,
  decodeArray,
  encodeArray,
  encodePacket,
  encodeVars,
  findVar,
  iterateVars,
  ProtocolError,
  protocolErrorCodes,
  RequestReader,
} from '../../../protocol/index.ts'

interface Vector {
  name: string
  meaning: string
  bufferSize: number
  block: 'vars' | 'array' | 'raw'
  hex: string
  expect: Partial<{
    modifier1: number
    modifier2: number
    vars: [string, string][]
    items: string[]
    payload: string
    rest: string
    lookup: Record<string, string>
    contentLength: number
    incomplete: true
    bytesNeeded: number
    error: { stage: 'reader' | 'block' | 'contentLength'; code: string; message: string }
  }>
}

const path = new URL('../../vectors/uwsgi-packets.json', import.meta.url)
const vectors = (JSON.parse(readFileSync(path, 'utf8')) as { vectors: Vector[] }).vectors

const cut = (bytes: Uint8Array, places: readonly number[]): Uint8Array[] => {
  const edges = [0, ...places.toSorted((a, b) => a - b), bytes.length]
  return edges.slice(1).map((edge, index) => bytes.slice(edges[index], edge))
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** What a receiver makes of the chunks, in the words of the vectors. */
const receive = (vector: Vector, chunks: readonly Uint8Array[]): unknown => {
  const reader = new RequestReader({ bufferSize: vector.bufferSize })
  let stage = 'reader'
  try {
    for (const [index, chunk] of chunks.entries()) {
      const packet = reader.push(chunk)
      if (packet === undefined) continue
      const rest = hex(Buffer.concat([packet.rest, ...chunks.slice(index + 1)]))
      const seen = { modifier1: packet.modifier1, modifier2: packet.modifier2, rest }
      stage = 'block'
      if (vector.block === 'raw') return { ...seen, payload: hex(packet.vars) }
      if (vector.block === 'array') return { ...seen, items: decodeArray(packet.vars).map(latin1) }
      checkVars(packet.vars)
      const names = Object.keys(vector.expect.lookup ?? {})
      const lookup = Object.fromEntries(names.map((name) => [name, findVar(packet.vars, name)]))
      stage = 'contentLength'
      const length = contentLength(packet.vars)
      return {
        ...seen,
        vars: [...iterateVars(packet.vars)],
        ...(names.length > 0 && { lookup }),
        ...(vector.expect.contentLength !== undefined && { contentLength: length }),
      }
    }
    return { incomplete: true, bytesNeeded: reader.bytesNeeded }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { error: { stage, code: error.code, message: error.message } }
  }
}

describe.each(vectors)('$name: $meaning', (vector) => {
  const bytes = Uint8Array.from(Buffer.from(vector.hex, 'hex'))
  const wanted =
    vector.expect.error === undefined
      ? vector.expect
      : { error: { ...vector.expect.error, message: expect.stringContaining(vector.expect.error.message) } }

  it('is read as the vector says when it comes whole', () => {
    expect(receive(vector, [bytes])).toEqual(wanted)
  })

  it('is read the same byte by byte', () => {
    expect(
      receive(
        vector,
        [...bytes].map((byte) => Uint8Array.of(byte)),
      ),
    ).toEqual(receive(vector, [bytes]))
  })

  it('is read the same at random cuts', () => {
    const whole = receive(vector, [bytes])
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (places) => {
        expect(receive(vector, cut(bytes, places))).toEqual(whole)
      }),
    )
  })
})

const encodable = vectors.filter(({ expect: { vars, items } }) => vars !== undefined || items !== undefined)

describe.each(encodable)('$name', (vector) => {
  it('is what the encoders make of the decoded values', () => {
    const { modifier1 = 0, modifier2 = 0, vars, items, rest = '' } = vector.expect
    const block = vars === undefined ? encodeArray(items ?? []) : encodeVars(vars)
    expect(hex(encodePacket(modifier1, modifier2, block)) + rest).toBe(vector.hex)
  })
})

describe('the vectors', () => {
  it('have names of their own and only known error codes', () => {
    expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length)
    const codes = vectors.flatMap(({ expect: { error } }) => (error === undefined ? [] : [error.code]))
    expect(Object.keys(protocolErrorCodes)).toEqual(expect.arrayContaining(codes))
    expect(vectors.length).toBeGreaterThanOrEqual(30)
  })
})
