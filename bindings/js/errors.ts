// Errors of the JavaScript binding: what a guest threw, as text, and what leaves the interpreter unusable.
// Invariant: no error of this file carries a guest object.
import { GuestError } from '../../host/errors.ts'

/** What `GuestError.language` says of this binding's errors. */
export const language = 'javascript'

/**
 * The interpreter was lost: it aborted, trapped, or the thread's stack ran over inside it. Nothing more can be run in it,
 * so the worker that sees `fatal` is replaced.
 */
export class FatalGuestError extends GuestError {
  readonly fatal = true

  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `the JavaScript interpreter is lost: ${reason}`
    super(language, message, message)
    this.cause = cause
  }
}

/** The kinds of error a host function may raise in the guest. */
export type GuestErrorKind = 'Error' | 'TypeError' | 'RangeError' | 'UwsgiError'

/** Thrown by a host function, it becomes an error of the guest's own, with the guest's stack. */
export class GuestThrow extends Error {
  readonly kind: GuestErrorKind
  /** `code` of a `UwsgiError`. */
  readonly code: string

  constructor(kind: GuestErrorKind, message: string, code = '') {
    super(message)
    this.kind = kind
    this.code = code
  }
}

/**
 * What the guest's own description of an error says.
 * @param description first line `TypeError: message`, then the lines of the stack, as the guest glue writes them
 */
export const guestErrorOf = (description: string): GuestError => {
  const [message = ''] = description.split('\n', 1)
  return new GuestError(language, message, description)
}
