// Errors on their way between threads: what crosses is code and text, and the other side makes an error of it again.
import { GuestError, PolywsgiError } from '../errors.ts'
import { isThrown, thrownMessage } from '../plugin/thrown.ts'
import type { CrossedError } from './call-messages.ts'

export const toCrossed = (error: unknown): CrossedError => {
  if (isThrown(error, GuestError)) {
    return { code: error.code, message: error.message, guest: { language: error.language, traceback: error.traceback } }
  }
  if (isThrown(error, PolywsgiError)) {
    // Code of this thread overran, and not what waits for it on the other side, which is not to be stopped for it.
    return { code: error.code === 'HARAKIRI' ? 'API_IO' : error.code, message: error.message }
  }
  return { code: 'API_REFUSED', message: thrownMessage(error) }
}

export const fromCrossed = ({ code, message, guest }: CrossedError): PolywsgiError =>
  guest === undefined ? new PolywsgiError(code, message) : new GuestError(guest.language, message, guest.traceback)
