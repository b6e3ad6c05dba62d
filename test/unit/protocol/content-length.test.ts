import { describe, expect, it } from 'vitest'
import { parseContentLength } from '../../../protocol/index.ts'

describe('parseContentLength', () => {
  it('has status 400 for everything that is not digits', () => {
    expect([parseContentLength(''), parseContentLength('0'), parseContentLength('12')]).toEqual([0, 0, 12])
    for (const text of ['-0', '1 ', '1_0', '\u0661', 'NaN', 'Infinity', '1\0']) {
      expect(() => parseContentLength(text), text).toThrow(expect.objectContaining({ code: 'CONTENT_LENGTH', httpStatus: 400 }))
    }
  })
})
