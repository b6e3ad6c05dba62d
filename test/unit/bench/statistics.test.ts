// Medians, ranges and ratios, with the cases that have no answer.
import { describe, expect, it } from 'vitest'
import { median, range, ratio } from '../../../bench/statistics.ts'

describe('median', () => {
  it.each([
    [[7], 7],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected)
  })

  it('leaves its argument in order', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })

  it('refuses an empty list', () => {
    expect(() => median([])).toThrow('median of no values')
  })
})

describe('range', () => {
  it('tells the smallest and the largest value', () => {
    expect(range([3, -1, 10])).toEqual({ min: -1, max: 10 })
  })

  it('refuses an empty list', () => {
    expect(() => range([])).toThrow('range of no values')
  })
})

describe('ratio', () => {
  it('divides the measured value by the reference', () => {
    expect(ratio(3, 4)).toBe(0.75)
  })

  it('is undefined against nothing', () => {
    expect(ratio(3, 0)).toBeUndefined()
  })
})
