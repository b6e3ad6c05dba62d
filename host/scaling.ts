// Has as many workers run as are needed (`cheaper`): looks at the server once a second, asks the policy, tells the supervisor.
// Invariant: nothing changes while a reload runs or the server pauses: what is seen then tells nothing of what is needed.
import type { Logger } from './log/logger.ts'
import { Cheaper, type Load } from './master/cheaper.ts'
import type { Master } from './master/master.ts'
import type { StateMap } from './state/state-map.ts'
import { WorkerState } from './state/worker-slots.ts'
import type { PlannedCheaper } from './worker-plans.ts'

export interface ScalingOptions {
  readonly plan: PlannedCheaper
  readonly state: Pick<StateMap, 'workers'>
  readonly master: {
    readonly supervisor: Pick<Master['supervisor'], 'setWanted'>
    readonly dispatcher: Pick<Master['dispatcher'], 'held' | 'isPaused'>
  }
  readonly logger: Pick<Logger, 'text'>
  /** Threads are being followed by others. */
  isBusy(): boolean
}

/** uWSGI's master looks as often. */
const roundMs = 1000

export class Scaling {
  readonly #options: ScalingOptions
  readonly #cheaper: Cheaper
  /** As the supervisor was told. */
  #running: number
  #timer: NodeJS.Timeout | undefined

  /** Before the workers are started. */
  constructor(options: ScalingOptions) {
    const { plan, master, logger } = options
    this.#options = options
    this.#cheaper = new Cheaper(plan)
    this.#running = plan.initial
    if (plan.warning !== '') logger.text(`[warning] ${plan.warning}`)
    master.supervisor.setWanted(plan.initial)
  }

  start(): void {
    this.#timer = setInterval(() => this.round(), roundMs).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** By hand. @returns how many workers are to run now */
  change(by: 1 | -1): number {
    const wanted = this.#cheaper.change(by)
    this.#tell(wanted)
    return wanted
  }

  round(): void {
    const { isBusy, master } = this.#options
    if (isBusy() || master.dispatcher.isPaused) return
    this.#tell(this.#cheaper.round(this.#load()))
  }

  #tell(wanted: number): void {
    if (wanted === this.#running || this.#options.isBusy()) return
    const { logger, master, plan } = this.#options
    logger.text(`[cheaper] ${wanted} workers are to run (of ${plan.most}; ${this.#running} before)`)
    this.#running = wanted
    master.supervisor.setWanted(wanted)
  }

  #load(): Load {
    const { state, master, plan } = this.#options
    let [ready, idle, running, spentMs] = [0, 0, 0, 0]
    for (let id = 1; id <= plan.most; id += 1) {
      const worker = state.workers.snapshot(id)
      const held = state.workers.running(id)
      running += held
      spentMs += worker.runningTime / 1000
      if (worker.state !== WorkerState.ready) continue
      ready += 1
      if (held < plan.cores) idle += 1
    }
    return { ready, idle, spentMs, waiting: Math.max(0, master.dispatcher.held - running), nowMs: performance.now() }
  }
}
