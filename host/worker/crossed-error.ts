// Errors on their way between threads: what crosses is code and text, and the other side makes an error of it again.
import { GuestError, PolywsgiError } from '../errors.ts'
import type { CrossedError } from './call-messages.ts'

export const toCrossed = (error: unknown): CrossedError => {
  if (error instanceof GuestError) {
    return { code: error.code, message: error.message, guest: { language: error.language, traceback: error.traceback } }
  }
  if (error instanceof PolywsgiError) return { code: error.code, message: error.message }
  return { code: 'API_REFUSED', message: error instanceof Error ? error.message : String(error) }
}

export const fromCrossed = ({ code, message, guest }: CrossedError): PolywsgiError =>
  guest === undefined ? new PolywsgiError(code, message) : new GuestError(guest.language, message, guest.traceback)
