// Errors of the Lua binding: guest errors as text with their Lua traceback, and the kind after which the interpreter is lost.
import { GuestError, PolywsgiError } from '../../host/errors.ts'

/**
 * The interpreter itself failed (a wasm trap): its memory can no longer be trusted, nothing may enter it again, and the
 * worker that holds it has to be replaced.
 */
export class FatalGuestError extends GuestError {
  readonly fatal = true

  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `the Lua interpreter failed: ${reason}`
    // A trap has no Lua traceback: this is the line that the log shows.
    super('lua', message, message)
    this.cause = cause
  }
}

/** Guest code took longer than it may and was stopped: its Lua thread is suspended for ever. */
export class StoppedError extends PolywsgiError {
  /** Where it was, as a GuestError's. */
  traceback = ''

  constructor(reason: string) {
    super('HARAKIRI', reason)
  }
}

/** What a Lua error looks like from outside; all text is Latin-1, one character per byte of the guest's. */
export interface LuaFailure {
  readonly message: string
  /** `stack traceback:` and its lines without a newline at the end; '' when no line of it is the guest's. */
  readonly traceback: string
}

/** Name of the binding's own Lua chunks: what it shows in positions and tracebacks. */
export const ownChunkName = '(polywsgi)'

const ownPosition = /^\(polywsgi\):\d+: /
const ownFrame = /^\t\(polywsgi\):/

/** Takes the binding's own frames and positions out of a failure: a guest's author cannot do anything with them. */
export const withoutOwnFrames = (message: string, traceback: string): LuaFailure => {
  const [title, ...frames] = traceback.split('\n')
  const guestFrames = frames.filter((frame) => !ownFrame.test(frame))
  // `[C]` lines alone say nothing.
  const tells = guestFrames.some((frame) => !frame.startsWith('\t[C]:'))
  return { message: message.replace(ownPosition, ''), traceback: tells ? [title, ...guestFrames].join('\n') : '' }
}

/** Lua's buffers report this as an ordinary error, so the status does not tell. */
export const outOfMemory = /(?:^|: )not enough memory$/

/** Latin-1 text of guest bytes as the UTF-8 they mostly are. */
export const decoded = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8')

/** One log entry: whose failure, what, where. The guest's bytes are kept as they are. */
export const failureBytes = (whose: string, failure: LuaFailure): Uint8Array => {
  const tail = failure.traceback === '' ? '' : `\n${failure.traceback}`
  return Buffer.concat([Buffer.from(`${whose}: `), Buffer.from(`${failure.message}${tail}`, 'latin1')])
}

export const toGuestError = (failure: LuaFailure): GuestError =>
  new GuestError('lua', decoded(failure.message), decoded(failure.traceback))
