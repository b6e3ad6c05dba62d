import { describe, expect, it } from 'vitest'
import { ProtocolError, protocolErrorCodes } from '../../../protocol/index.ts'

describe('ProtocolError', () => {
  it('has the status of its code unless told another', () => {
    expect(new ProtocolError('VARS_TOO_LARGE', 'x').httpStatus).toBe(431)
    expect(new ProtocolError('VARS_TOO_LARGE', 'x', 414).httpStatus).toBe(414)
    expect(String(new ProtocolError('VARS_TOO_LARGE', 'x'))).toBe('ProtocolError: x')
  })

  it('has a status of client or server error and a meaning for every code', () => {
    for (const [code, { httpStatus, meaning }] of Object.entries(protocolErrorCodes)) {
      expect(httpStatus, code).toBeGreaterThanOrEqual(400)
      expect(meaning, code).not.toBe('')
    }
  })
})
