import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkVars, encodeVars, findVar, findVarBytes, iterateVars, ProtocolError } from '../../../protocol/index.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const pairOfBytes = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.uint8Array({ maxLength: 300 }))

const refusal = (code: string, message: string, httpStatus: number) =>
  expect.objectContaining({ name: 'ProtocolError', code, httpStatus, message: expect.stringContaining(message) })

describe('encodeVars and the readers', () => {
  it('give back arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.array(pairOfBytes, { maxLength: 30 }), (pairs) => {
        const block = encodeVars(pairs)
        checkVars(block)
        expect([...iterateVars(block)]).toEqual(pairs.map(([key, value]) => [text(key), text(value)]))
        for (const [key] of pairs) {
          const last = pairs.findLast((pair) => text(pair[0]) === text(key)) as [Uint8Array, Uint8Array]
          expect(findVar(block, text(key))).toBe(text(last[1]))
          expect(text(findVarBytes(block, text(key)) as Uint8Array)).toBe(text(last[1]))
        }
      }),
    )
  })

  it('take text as Latin-1, the same as its bytes', () => {
    const all = String.fromCharCode(...Array(256).keys())
    expect(encodeVars([[all, all]])).toEqual(
      encodeVars([[Uint8Array.from(Array(256).keys()), Uint8Array.from(Array(256).keys())]]),
    )
  })

  it('read a view of shared memory', () => {
    const block = encodeVars([
      ['A', 'one'],
      ['HTTP_COOKIE', 'caf\xe9\0'],
    ])
    const shared = new Uint8Array(new SharedArrayBuffer(block.length + 10), 7, block.length)
    shared.set(block)
    checkVars(shared)
    expect(findVar(shared, 'HTTP_COOKIE')).toBe('caf\xe9\0')
    expect(findVarBytes(shared, 'A')?.buffer).toBe(shared.buffer)
    expect([...iterateVars(shared)]).toEqual([
      ['A', 'one'],
      ['HTTP_COOKIE', 'caf\xe9\0'],
    ])
  })

  it('tell an absent variable from an empty one', () => {
    const block = encodeVars([['QUERY_STRING', '']])
    expect([findVar(block, 'QUERY_STRING'), findVar(block, 'QUERY'), findVar(block, '')]).toEqual(['', undefined, undefined])
    expect([findVarBytes(block, 'QUERY_STRING')?.length, findVarBytes(block, 'X')]).toEqual([0, undefined])
    expect(findVar(new Uint8Array(0), 'A')).toBeUndefined()
  })

  it('do not find a name with a character above U+00FF by its low byte', () => {
    expect(findVar(encodeVars([['A', '1']]), '\u0141')).toBeUndefined()
  })
})

describe('the readers on a block that was not checked', () => {
  it('read it as if it ended before a variable that is cut', () => {
    const block = encodeVars([
      ['A', 'old'],
      ['B', ''],
      ['A', 'new'],
    ])
    for (let size = block.length - 1; size > block.length - 8; size -= 1) {
      const cut = block.subarray(0, size)
      expect([findVar(cut, 'A'), findVarBytes(cut, 'A')?.length, [...iterateVars(cut)].length], `${size} bytes`).toEqual([
        'old',
        3,
        2,
      ])
      expect(() => checkVars(cut), `${size} bytes`).toThrow(refusal('VARS_TRUNCATED', 'invalid vars block', 400))
    }
  })

  it('stay inside it and agree with each other, and checkVars throws nothing but ProtocolError', () => {
    const loosely = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      // Small lengths: blocks that are well formed for a while.
      fc.array(fc.nat(3), { maxLength: 60 }).map((bytes) => Uint8Array.from(bytes)),
    )
    fc.assert(
      fc.property(loosely, (block) => {
        const surrounded = Buffer.concat([Buffer.alloc(8, 1), block, Buffer.alloc(8, 1)]).subarray(8, 8 + block.length)
        const pairs = [...iterateVars(block)]
        expect([...iterateVars(surrounded)]).toEqual(pairs)
        for (const [key] of pairs) expect(findVar(surrounded, key)).toBe(pairs.findLast((pair) => pair[0] === key)?.[1])
        let sound = true
        try {
          checkVars(surrounded)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
          sound = false
        }
        const length = pairs.reduce((sum, [key, value]) => sum + 4 + key.length + value.length, 0)
        expect(sound).toBe(length === block.length && pairs.every(([key]) => key !== ''))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('encodeVars refuses', () => {
  it('a variable without a name', () => {
    expect(() => encodeVars([['', 'x']])).toThrow(refusal('VARS_EMPTY_KEY', 'a request variable needs a name', 400))
  })

  it('text that has no Latin-1 bytes, naming the place', () => {
    const wide = 'holds U+20AC at position 1, which is not Latin-1: encode it to bytes first'
    expect(() => encodeVars([['PRICE', '5€']])).toThrow(refusal('NOT_LATIN1', `the value of PRICE ${wide}`, 500))
    expect(() => encodeVars([['P€', '5']])).toThrow(refusal('NOT_LATIN1', `the name "P€" ${wide}`, 500))
    expect(() => encodeVars([['SMILE', '😀']])).toThrow(refusal('NOT_LATIN1', 'holds U+1F600 at position 0', 500))
  })

  it('names, values and blocks above 65535 bytes', () => {
    const long = new Uint8Array(65536)
    expect(() => encodeVars([['K', long]])).toThrow(refusal('VARS_TOO_LARGE', 'the value of K has 65536 bytes (max 65535)', 431))
    expect(() => encodeVars([[long, '']])).toThrow(refusal('VARS_TOO_LARGE', 'a name of 65536 bytes (max 65535)', 431))
    const half = 'x'.repeat(32764)
    expect(() =>
      encodeVars([
        ['A', half],
        ['BC', half],
      ]),
    ).toThrow(refusal('VARS_TOO_LARGE', 'the request variables up to BC need 65539 bytes (max 65535)', 431))
  })

  it('nothing that just fits', () => {
    const block = encodeVars([['K', 'x'.repeat(65530)]])
    expect(block.length).toBe(65535)
    expect(findVar(block, 'K')?.length).toBe(65530)
  })
})
