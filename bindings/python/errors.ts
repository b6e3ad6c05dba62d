// How failures of the interpreter and of guest code look on the host's side: text only, never a guest object.
import { GuestError } from '../../host/errors.ts'

/**
 * The interpreter is lost: it ran out of stack inside C code, ended itself, or was broken. Its worker cannot serve Python
 * any more and is to be replaced; what it held in memory is gone.
 */
export class FatalGuestError extends GuestError {
  /** The mark by which a worker knows that it has to go. */
  readonly fatal = true

  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super('python', `the Python interpreter died: ${reason}`, `the Python interpreter died: ${reason}`)
    this.cause = cause
  }
}
