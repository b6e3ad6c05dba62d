// A request that an app is answering: where it stands between one resumption of its core's Lua thread and the next.
// Invariant: `place` says what the thread's stack holds whenever the answer waits.
import type { Log } from '../../host/api/context.ts'
import type { RequestResult } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import type { LuaThread } from './runtime.ts'
import { Serving } from './serving.ts'
import type { Task } from './task.ts'

/**
 * Where it goes on: before anything has run; in the handler; in the body's iterator; after a chunk was written; before the
 * iterator is asked for another one; at the end, everything being written.
 */
type Place = 'begin' | 'handler' | 'iterator' | 'written' | 'next' | 'end'

const nobody = (): void => {}

export class Answer extends Serving {
  declare readonly request: WsgiRequest
  readonly core: LuaThread
  /** Undefined where a worker has one core. */
  task: Task | undefined
  place: Place = 'begin'
  /** What the response's Content-Length leaves to be written; below 0 without one. */
  remaining = -1
  hasLength = false
  /** Its thread is suspended for ever and to be replaced. */
  isAbandoned = false
  /** Of the promise, once it waits. */
  resolve: (result: RequestResult) => void = nobody
  reject: (error: unknown) => void = nobody

  constructor(log: Log, request: WsgiRequest, core: LuaThread) {
    super(log, request)
    this.core = core
  }
}
