// What host functions of the binding act on: the request that guest code runs for, if there is one, and what the guest has
// begun with it. Its own for each request; functions that a request calls act on the request's.
import type { Log } from '../../host/api/context.ts'
import { LineJoiner } from '../../host/plugin/line-joiner.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'

export class Serving {
  readonly #log: Log
  readonly request: WsgiRequest | undefined
  /** How much of its body has been handed to the guest. */
  bodyBytesRead = 0
  #errorLog: LineJoiner | undefined

  constructor(log: Log, request: WsgiRequest | undefined) {
    this.#log = log
    this.request = request
  }

  /** What `env.error` writes to. */
  get errorLog(): LineJoiner {
    this.#errorLog ??= new LineJoiner(this.#log)
    return this.#errorLog
  }

  /** Ends the line that `env.error` may have left unfinished. */
  endErrorLine(): void {
    this.#errorLog?.flush()
  }
}
