// Changes to vars blocks, and to bytes that are none.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeVars, findVar, iterateVars } from '../../../protocol/vars.ts'
import { withoutVar, withVar } from '../../../protocol/vars-edit.ts'

const block = encodeVars([
  ['A', '1'],
  ['B', '2'],
  ['A', '3'],
])

describe('a change of a block', () => {
  it('makes a new one, unless there is nothing to change', () => {
    const before = Buffer.from(block)
    expect([...iterateVars(withVar(block, 'C', Uint8Array.of(255)))].at(-1)).toEqual(['C', '\xff'])
    expect([...iterateVars(withoutVar(block, 'A'))]).toEqual([['B', '2']])
    expect([...iterateVars(withoutVar(block, 'B'))]).toEqual([
      ['A', '1'],
      ['A', '3'],
    ])
    expect(withoutVar(block, 'AB')).toBe(block)
    expect(withoutVar(block, '')).toBe(block)
    expect(withoutVar(withoutVar(block, 'A'), 'B').length).toBe(0)
    expect(Buffer.from(block)).toEqual(before)
  })

  it('refuses what no block can hold', () => {
    expect(() => withVar(block, '', 'x')).toThrow(expect.objectContaining({ code: 'VARS_EMPTY_KEY' }))
    expect(() => withVar(block, 'A', '\u0100')).toThrow(expect.objectContaining({ code: 'NOT_LATIN1' }))
    expect(() => withVar(block, 'A'.repeat(65_536), '')).toThrow(expect.objectContaining({ code: 'VARS_TOO_LARGE' }))
    expect(() => withVar(block, 'A', new Uint8Array(65_536))).toThrow(expect.objectContaining({ code: 'VARS_TOO_LARGE' }))
    expect(findVar(withVar(block, 'A'.repeat(65_535), ''), 'A'.repeat(65_535))).toBe('')
  })

  it('leaves nothing of a name behind, whatever bytes it is done to', () => {
    const byte = fc.oneof(fc.constantFrom(0, 1, 2, 65, 66), fc.nat(255))
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), fc.constantFrom('A', 'B', 'AA', ''), (bytes, name) => {
        const whole = Uint8Array.from(bytes)
        const rest = withoutVar(whole, name)
        expect(findVar(rest, name)).toBe(undefined)
        expect([...iterateVars(rest)]).toEqual([...iterateVars(whole)].filter(([key]) => key !== name))
      }),
    )
  })
})
