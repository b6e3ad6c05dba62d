// Range headers: every form, and what is none.
import { describe, expect, it } from 'vitest'
import { parseRange, type RangeAnswer } from '../../../host/files/byte-range.ts'

const part = (offset: number, length: number): RangeAnswer => ({ kind: 'part', offset, length })
const none: RangeAnswer = { kind: 'none' }
const unsatisfiable: RangeAnswer = { kind: 'unsatisfiable' }

describe('a range of ten bytes', () => {
  it.each<[string, RangeAnswer]>([
    ['bytes=0-0', part(0, 1)],
    ['bytes=0-9', part(0, 10)],
    ['bytes=0-', part(0, 10)],
    ['bytes=9-', part(9, 1)],
    ['bytes=3-5', part(3, 3)],
    ['bytes=3-100', part(3, 7)],
    [`bytes=3-${'9'.repeat(400)}`, part(3, 7)],
    ['bytes=-3', part(7, 3)],
    ['bytes=-10', part(0, 10)],
    ['bytes=-11', part(0, 10)],
    ['BYTES=1-2', part(1, 2)],
    ['bytes= 1-2 ', part(1, 2)],
    ['bytes=-0', unsatisfiable],
    ['bytes=10-', unsatisfiable],
    ['bytes=10-20', unsatisfiable],
    [`bytes=${'9'.repeat(400)}-`, unsatisfiable],
    ['bytes=5-3', none],
    ['bytes=0-1,3-4', none],
    ['bytes=,0-1', none],
    ['bytes=-', none],
    ['bytes=', none],
    ['bytes=a-b', none],
    ['bytes=0x1-2', none],
    ['bytes=+1-2', none],
    ['bytes=1.5-2', none],
    ['bytes 0-1', none],
    ['lines=0-1', none],
    ['0-1', none],
    ['', none],
  ])('%s', (header, expected) => {
    expect(parseRange(header, 10)).toEqual(expected)
  })

  it('of nothing cannot be satisfied', () => {
    expect([parseRange('bytes=0-', 0), parseRange('bytes=-1', 0)]).toEqual([unsatisfiable, unsatisfiable])
  })
})
