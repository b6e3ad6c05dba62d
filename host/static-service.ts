// Static files in front of the dispatcher: what is served without an app is counted and logged here, as a worker does it for
// the rest. Without an option that asks for files, requests pass straight through.
import type { Logger } from './log/logger.ts'
import { OwnResponse } from './log/own-response.ts'
import type { Dispatcher } from './master/dispatcher.ts'
import type { Exchange, Ticket } from './master/exchange.ts'
import { type HeaderPlan, headerChange } from './request/header-change.ts'
import type { StateMap } from './state/state-map.ts'
import { type ServedFile, StaticFiles } from './static/static-files.ts'
import { type StaticPlan, servesFiles } from './static/static-plan.ts'

export interface StaticServiceOptions {
  readonly plan: StaticPlan
  /** What is done to the headers of every response; undefined: nothing. */
  readonly headers: HeaderPlan | undefined
  readonly state: StateMap
  readonly logger: Logger
  readonly dispatcher: Dispatcher
}

export class StaticService {
  readonly #options: StaticServiceOptions
  readonly #files: StaticFiles | undefined
  #isFlushDue = false

  constructor(options: StaticServiceOptions) {
    const { plan, headers, logger, dispatcher } = options
    this.#options = options
    if (!servesFiles(plan)) return
    this.#files = new StaticFiles({
      plan,
      changeHeaders: headers && headerChange(headers),
      submit: (exchange) => dispatcher.submit(exchange),
      log: (line) => logger.text(line),
      answered: (served) => this.#answered(served),
    })
  }

  /** As `Dispatcher.submit`. */
  submit(exchange: Exchange): Ticket | undefined {
    return this.#files === undefined ? this.#options.dispatcher.submit(exchange) : this.#files.submit(exchange)
  }

  /** Waits for files that are on their way, at most so long. @returns how many were cut off */
  async stop(mercyMs: number): Promise<number> {
    if (this.#files === undefined) return 0
    const mercy = Promise.withResolvers<void>()
    const timer = setTimeout(mercy.resolve, mercyMs)
    await Promise.race([this.#files.idle(), mercy.promise])
    clearTimeout(timer)
    return this.#files.failAll('the server is stopping')
  }

  #answered({ packet, answer, size, startedAt }: ServedFile): void {
    const { state, logger } = this.#options
    state.workers.countStaticRequest()
    if (!logger.logsRequests) return
    const request = new OwnResponse(packet, { ...answer, size })
    logger.request({
      request,
      pid: process.pid,
      workerId: 0,
      appId: -1,
      appRequests: -1,
      totalRequests: state.workers.totalRequests(),
      startedAtMs: performance.timeOrigin + startedAt,
      durationMs: performance.now() - startedAt,
      packetSize: request.packetSize,
      switches: 0,
      via: size > 0 ? 'sendfile' : undefined,
    })
    // Lines of a burst go out together.
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => {
      this.#isFlushDue = false
      logger.flush()
    })
  }
}
