// The master's parts that serve the API: what threads ask of the master, what the clocks do, what the embedding program
// reaches. Made once per instance, and put together here because they stand on rooms that may not know each other.
import { fillCaches } from './caches.ts'
import type { Settings } from './config/index.ts'
import { ConfigError, PolywsgiError } from './errors.ts'
import { Descriptors, mostConnections } from './gateway/descriptors.ts'
import { connectTimeoutMs, connectTo, requestRemote } from './gateway/remote-client.ts'
import type { Logger } from './log/logger.ts'
import { Alarms } from './master/alarms.ts'
import { CacheKeeper } from './master/cache-keeper.ts'
import type { CallHandlers, NoticeHandlers } from './master/call-handlers.ts'
import { systemClock } from './master/clock.ts'
import { clockHandlers } from './master/clock-handlers.ts'
import { runCommand } from './master/cron-command.ts'
import { FileMonitors } from './master/file-monitors.ts'
import { MetricsCollector } from './master/metrics-collector.ts'
import { RpcRouter } from './master/rpc-router.ts'
import { Scheduler } from './master/scheduler.ts'
import { SignalRouter } from './master/signal-router.ts'
import { ThreadFacts } from './master/thread-facts.ts'
import { Offloader } from './offload/offloader.ts'
import type { Plans } from './plans.ts'
import { MuleMessages } from './state/mule-messages.ts'
import { SharedParts } from './state/shared-parts.ts'
import { threadName } from './state/signal-target.ts'
import type { StateMap } from './state/state-map.ts'

export interface ServicesOptions {
  readonly settings: Settings
  readonly plans: Plans
  readonly state: StateMap
  readonly logger: Logger
  /** Where relative paths begin. */
  readonly cwd: string
  /** The thread of a number takes what comes. */
  isReady(thread: number): boolean
  /** The thread of a seat runs, and was not told to end. */
  isSeatReady(seat: number): boolean
  /** Has the thread of a seat run one of its functions. */
  run(seat: number, name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined>
  /** A guest wants the server reloaded, or stopped. */
  onReloadAsked(): void
  onStopAsked(): void
  /** Code of a worker took longer than it may, and has ended without its worker. */
  onOverran(workerId: number): void
}

export class Services {
  readonly shared: SharedParts
  readonly signals: SignalRouter
  readonly rpc: RpcRouter
  readonly calls: CallHandlers
  readonly notices: NoticeHandlers
  readonly alarms: Alarms
  readonly offloader: Offloader
  readonly facts = new ThreadFacts()
  readonly #options: ServicesOptions
  readonly #scheduler: Scheduler
  readonly #monitors: FileMonitors
  readonly #keeper: CacheKeeper
  readonly #metrics: MetricsCollector
  readonly #descriptors: Descriptors
  readonly #mules: MuleMessages

  /** @throws ConfigError for what the system refuses: memory, or a path to be watched */
  constructor(options: ServicesOptions) {
    const { plans, state, logger, settings, cwd } = options
    const log = (line: string): void => logger.text(line)
    this.#options = options
    this.shared = createShared(plans, log)
    this.signals = new SignalRouter({
      signals: this.shared.signals,
      doorbell: (thread) => state.doorbellOf(thread),
      seatOf: (thread) => state.seats.current(thread),
      isAlive: (thread) => options.isReady(thread),
      running: (workerId) => state.workers.running(workerId),
      log,
    })
    const raise = (signum: number): boolean => this.signals.route(signum)
    const run = (command: string) =>
      logger.lend((fd) =>
        runCommand(command, fd, {
          harakiriMs: settings.cronHarakiri * 1000,
          onHarakiri: (pid) => log(`*** HARAKIRI ON CRON COMMAND "${command}" (pid ${pid}) ***`),
        }),
      )
    this.#scheduler = new Scheduler({ clock: systemClock, raise, run, log })
    this.#monitors = new FileMonitors({ raise, cwd })
    this.#scheduler.plan(plans.clocks)
    try {
      this.#monitors.plan(plans.clocks.fileMonitors)
    } catch (error) {
      this.#monitors.close()
      throw error
    }
    this.#keeper = new CacheKeeper({
      caches: [...this.shared.caches.values()],
      log,
      sweepSeconds: settings.cacheExpireFreq,
      reportFreed: settings.cacheReportFreedItems,
    })
    this.#metrics = new MetricsCollector({
      state,
      metrics: this.shared.metrics,
      signals: this.shared.signals,
      workers: plans.shared.signals.workers,
    })
    this.#descriptors = new Descriptors({
      permission: plans.guestsMayConnect,
      most: settings.guestFds ?? mostConnections(settings.async),
    })
    this.#mules = new MuleMessages({
      queues: this.shared.messages,
      farms: plans.farms,
      ring: (mule) => state.doorbellOf(settings.workers + mule).ring(),
    })
    this.alarms = new Alarms({
      plans: plans.alarms,
      log,
      raiseSignal: raise,
      sendToMule: (message, target) => this.#mules.send(0, message, target),
    })
    this.rpc = new RpcRouter({
      ask: (seat, name, args) => options.run(seat, name, args),
      isReady: (seat) => options.isSeatReady(seat),
      numberOf: (seat) => state.seats.number(seat),
      nameOf: (seat) => threadName(this.shared.signals.shape, state.seats.number(seat)),
    })
    this.offloader = new Offloader({
      log,
      connect: (address) => connectTo(address, connectTimeoutMs),
      take: (fd, thread) => this.#descriptors.take(fd, thread),
      callRpc: (name, args) => this.callRpc(name, args),
    })
    this.calls = {
      ...clockHandlers(this.#scheduler, this.#monitors),
      ...this.#descriptors.handlers,
      rpc: ({ name, args }, { thread }) => this.rpc.call(name, args, thread),
      remote: (args) => requestRemote(args, { log, permission: plans.guestsMayConnect }),
    }
    this.notices = {
      alarm: ({ name, message }) => this.alarms.raise(name, message),
      rpcRegistered: ({ name }, { thread }) => this.rpc.registered(thread, name),
      ...this.#descriptors.noticeHandlers,
      overran: (_notice, { thread }) => options.onOverran(state.seats.number(thread)),
      ...this.facts.noticeHandlers,
      reload: () => options.onReloadAsked(),
      stop: () => options.onStopAsked(),
    }
  }

  /** Before the first thread starts. @throws ConfigError for a store that cannot be used */
  async prepare(): Promise<void> {
    await this.#keeper.start()
    await fillCaches(this.shared.caches, this.#options.settings, this.#options.cwd)
  }

  /** The threads are up. */
  start(): void {
    this.#scheduler.start()
    this.#monitors.start()
    this.#metrics.start()
  }

  /** Registrations that the apps do not make again while they are loaded anew are dropped at the end. */
  reloadStarted(): void {
    this.#scheduler.reloadStarted()
    this.#monitors.reloadStarted()
  }

  reloadFinished(): void {
    this.#scheduler.reloadFinished()
    this.#monitors.reloadFinished()
  }

  /**
   * Calls a function of whoever has it.
   * @throws PolywsgiError API_REFUSED when nobody has
   */
  async callRpc(name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    const { found, value } = await this.rpc.call(name, args, 0)
    if (!found) throw new PolywsgiError('API_REFUSED', `there is no rpc function '${name}'`)
    return value
  }

  /** Something may have come from a thread. @returns true when more may wait */
  drain(): boolean {
    return this.signals.drain()
  }

  /** The thread of a seat has ended. */
  threadEnded(seat: number): void {
    const number = this.#options.state.seats.number(seat)
    const name = number === 0 ? 'a spare worker' : threadName(this.shared.signals.shape, number)
    for (const num of this.shared.threadEnded(seat, number)) {
      this.#options.logger.text(`[deadlock-detector] ${name} ended while it held lock ${num}: it is free now`)
    }
    this.#descriptors.threadEnded(seat)
    this.rpc.threadEnded(seat)
    this.facts.threadEnded(seat)
  }

  /** Nothing fires any more. */
  stopClocks(): void {
    this.#scheduler.close()
    this.#monitors.close()
    this.#metrics.stop()
  }

  /** The threads are gone: what is to outlive the server is written. */
  async close(): Promise<void> {
    this.#descriptors.close()
    await this.alarms.close()
    await this.#keeper.stop()
  }
}

const createShared = (plans: Plans, log: (line: string) => void): SharedParts => {
  try {
    return SharedParts.create(plans.shared, log)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new ConfigError('CONFIG_BAD_VALUE', cause.message, { cause })
  }
}
