// What becomes of code that took too long and ends without its thread: its client is answered, the log says what ran, for whom and
// where; it is counted, and the plugins of the master learn of it.
// Invariant: each request that overran is answered, told and counted once, however often its code had to be stopped.
import type { Log } from '../api/context.ts'
import { PolywsgiError } from '../errors.ts'
import { type OverrunCause, overrunLines, stoppedLines } from '../log/harakiri-lines.ts'
import { isThrown } from '../plugin/thrown.ts'
import { requestIdOf } from '../request/request-id.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'

export interface OverrunsParts {
  /** `worker 1`. */
  name(): string
  readonly log: Log
  /** All variables of a request are told (`harakiri-verbose`). */
  readonly isVerbose: boolean
  /** The signal whose handler runs. */
  handling(): number | undefined
  /** For the server's statistics, and for the plugins of the master. */
  count(): void
}

/** The code that it ended was stopped for its time. */
export const isOverrun = (error: unknown): boolean => isThrown(error, PolywsgiError) && error.code === 'HARAKIRI'

export class Overruns {
  readonly #parts: OverrunsParts
  /** Requests that are answered and told. */
  readonly #told = new WeakSet<WsgiRequest>()

  constructor(parts: OverrunsParts) {
    this.#parts = parts
  }

  /**
   * A request's time has come: it is answered, and over. Its hook is to end soon.
   * @param trace where its code was stopped; undefined: it waited
   */
  request(request: WsgiRequest, error: PolywsgiError, trace: string | undefined, cause: OverrunCause): void {
    const { name, log, isVerbose } = this.#parts
    const { coreId } = request
    if (!this.#told.has(request)) {
      this.#told.add(request)
      const requestId = requestIdOf(request.vars)
      log.text(`*** ${cause} ON ${name().toUpperCase()} CORE ${coreId} ***`)
      const since = Math.floor(request.startedAt / 1000)
      for (const line of overrunLines({ vars: request.vars, coreId, since, requestId }, isVerbose, cause)) log.text(line)
      request.exception ??= error
      // What it would get for itself now, a lock or a connection, is let go.
      request.isOver = true
      request.timeOut(requestId)
    }
    if (trace !== undefined) for (const line of stoppedLines(`[core ${coreId}] `, trace, cause)) log.text(line)
  }

  /** Code that ran for no request was stopped. */
  code(trace: string, cause: OverrunCause): void {
    const { name, log, handling, count } = this.#parts
    const signum = handling()
    log.text(`*** ${cause} ON ${name().toUpperCase()}${signum === undefined ? '' : ` HANDLING SIGNAL ${signum}`} ***`)
    for (const line of stoppedLines('', trace, cause)) log.text(line)
    count()
  }

  /** A request that overran has come to its end. */
  requestEnded(): void {
    this.#parts.count()
  }
}
