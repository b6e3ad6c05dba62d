// What becomes of an error that crosses from one thread to another.
import { describe, expect, it } from 'vitest'
import { GuestError, PolywsgiError } from '../../../host/errors.ts'
import { fromCrossed, toCrossed } from '../../../host/worker/crossed-error.ts'

describe('an error between threads', () => {
  it('keeps its code and its text', () => {
    const { code, message } = fromCrossed(toCrossed(new PolywsgiError('API_IO', 'no route')))
    expect([code, message]).toEqual(['API_IO', 'no route'])
  })

  it('keeps what a guest said of it', () => {
    const error = fromCrossed(toCrossed(new GuestError('lua', 'boom', 'app.lua:3')))
    expect(error).toBeInstanceOf(GuestError)
    expect([error.message, (error as GuestError).traceback]).toEqual(['boom', 'app.lua:3'])
  })

  it('is no overrun on the other side: what waited there did not take too long', () => {
    const { code, message } = fromCrossed(toCrossed(new PolywsgiError('HARAKIRI', 'it took longer than it may: harakiri')))
    expect([code, message]).toEqual(['API_IO', 'it took longer than it may: harakiri'])
  })

  it('is text where anything else was thrown', () => {
    const { code, message } = fromCrossed(toCrossed('junk'))
    expect([code, message]).toEqual(['API_REFUSED', 'junk'])
  })
})
