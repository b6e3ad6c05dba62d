// What a request leaves behind when it is over: the counters of its app, its core and its worker, and its line in the log.
import type { Logger } from '../log/logger.ts'
import type { App } from '../plugin/app.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { CoreCounters } from '../state/metrics.ts'
import type { StateMap } from '../state/state-map.ts'
import type { Account } from '../state/worker-slots.ts'
import type { Recycling } from './recycling.ts'

export interface FinishedRequest {
  readonly request: WsgiRequest
  readonly app: App | undefined
  readonly packetSize: number
  readonly startedAt: number
  /** The hook threw, rejected, or returned -1. */
  readonly hasFailed: boolean
}

export interface AccountsOptions {
  readonly state: StateMap
  readonly workerId: number
  readonly seat: number
  readonly account: Account
  readonly pid: number
  readonly log: Logger
  /** Undefined without metrics of cores. */
  readonly coreCounters: CoreCounters | undefined
  /** Called now and then, after requests: the memory of interpreters may have grown. */
  readonly tellHeaps?: () => void
  /** Undefined: nothing ever renews the worker. */
  readonly recycling: Recycling | undefined
}

/** Memory is read as rarely as this: it grows by steps, and a reading costs. */
const requestsPerHeapReading = 32

export class Accounts {
  readonly #options: AccountsOptions

  constructor(options: AccountsOptions) {
    this.#options = options
  }

  count({ request, app, hasFailed }: FinishedRequest, durationMs: number): void {
    const { state, workerId, seat, account, coreCounters, recycling, tellHeaps } = this.#options
    const { coreId, writeErrors, readErrors } = request
    const total = state.workers.countRequest(workerId)
    state.cores.countRequest(workerId, coreId)
    if (writeErrors + readErrors > 0) state.cores.countErrors(workerId, coreId, writeErrors, readErrors)
    recycling?.served()
    state.workers.requestEnded(workerId, durationMs * 1000, request.headersSize + request.responseSize, account)
    coreCounters?.countRequest(coreId)
    if (request.isOffloaded) {
      state.workers.countOffloadedRequest(workerId)
      state.cores.countOffloaded(workerId, coreId)
      coreCounters?.countOffloaded(coreId)
    }
    if (hasFailed) {
      coreCounters?.countException(coreId)
      state.workers.countException(workerId)
      if (app !== undefined) app.exceptions += 1
    }
    if (app !== undefined) {
      app.requests += 1
      state.apps.publish(seat, app.id, app.requests, app.exceptions)
    }
    if (total % requestsPerHeapReading === 0) tellHeaps?.()
  }

  writeLine({ request, app, startedAt, packetSize }: FinishedRequest, durationMs: number): void {
    const { state, workerId, pid, log } = this.#options
    const facts = {
      request,
      pid,
      workerId,
      appId: app?.id ?? -1,
      appRequests: app?.requests ?? -1,
      totalRequests: state.workers.totalRequests(),
      startedAtMs: performance.timeOrigin + startedAt,
      durationMs,
      packetSize,
      switches: request.switches,
      via: request.isOffloaded ? 'offload' : undefined,
    }
    log.request(facts, request.logThis)
  }
}
