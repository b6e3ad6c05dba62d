// The master: prepares plugins, has its threads started, accounts for what an ended one leaves, stops them all. It runs in the
// thread of whoever embeds it, so it never blocks and never runs guest code.

import { hostname } from 'node:os'
import type { OptionMap } from '../api/kinds.ts'
import type { ReloadKind } from '../control/reload-kinds.ts'
import { AppLoadError } from '../errors.ts'
import type { HookPlan } from '../hooks/plan.ts'
import type { LogAlarmPlan } from '../log/log-alarms.ts'
import type { Logger, LogSettings } from '../log/logger.ts'
import type { PluginOptionValue } from '../plugin/plugin-option.ts'
import type { PluginSource } from '../plugin/plugin-source.ts'
import type { SharedHandles } from '../state/shared-parts.ts'
import type { StateMap } from '../state/state-map.ts'
import type { ExceptionSettings } from '../worker/exceptions.ts'
import type { ApiSettings, AppFailure, FarmPlan, ThreadPlan, ThreadStart } from '../worker/messages.ts'
import type { MountPlan } from '../worker/mount-plan.ts'
import type { CallHandlers, NoticeHandlers } from './call-handlers.ts'
import { Dispatcher } from './dispatcher.ts'
import type { OffloadedResponse, OffloadRequest } from './exchange.ts'
import { failedCounts, failedLines } from './failed-requests.ts'
import { causeOfEnd } from './harakiri.ts'
import { MasterPlugins } from './master-plugins.ts'
import { Supervisor } from './supervisor.ts'
import { type ThreadHandle, threadName } from './thread-handle.ts'

export interface MasterOptions {
  readonly version: string
  readonly state: StateMap
  readonly shared: SharedHandles
  /** All threads that are to run, workers first. */
  readonly threads: readonly ThreadPlan[]
  readonly farms: readonly FarmPlan[]
  readonly workers: number
  /** Requests one worker may hold at once (`async`). */
  readonly cores: number
  /** Requests that may wait beside those that run (`listen`). */
  readonly listen: number
  readonly needApp: boolean
  readonly memoryLimit: number
  readonly pythonPath: readonly string[]
  readonly mounts: readonly MountPlan[]
  readonly opt: OptionMap
  readonly guests: ThreadStart['guests']
  readonly api: ApiSettings
  readonly plugins: readonly PluginSource[]
  /** The values of plugins' own options: by the plugin's name, then by the option's. */
  readonly pluginOptions: ReadonlyMap<string, ReadonlyMap<string, PluginOptionValue>>
  readonly hooks: HookPlan
  /** The plugins are prepared, the threads are started or renewed next: hook-pre-app. */
  beforeApps(): Promise<void>
  readonly exceptions: ExceptionSettings
  /** What is done to the head of every response (`add-header`, `rem-header`). */
  readonly headers: ThreadStart['headers']
  readonly recycling: ThreadStart['recycling']
  /** How long a plugin's hook may keep the master, or a thread from starting (`plugin-timeout`). */
  readonly pluginTimeoutMs: number
  /** URL of the module that threads run. */
  readonly threadEntry: string
  readonly logger: Logger
  readonly logSettings: LogSettings
  readonly logAlarms: readonly LogAlarmPlan[]
  readonly calls: CallHandlers
  readonly notices: NoticeHandlers
  /** Takes over a response whose worker is done with it. */
  offload(request: OffloadRequest): OffloadedResponse
  /** The doorbell has rung: signals may have come. True: more may wait. */
  onRing(): boolean
  /** The thread of a seat is gone: what it held in shared memory is to be given back. */
  threadEnded(seat: number): void
  /** Threads that are kept ready to stand for a worker (`spare`). */
  readonly spares: number
  /** How long a thread that was followed by another may take to finish (`worker-reload-mercy`). */
  readonly mercyMs: number
  /** A reload waits for the one that runs. */
  isReloadAwaited(): boolean
}

export class Master {
  readonly dispatcher: Dispatcher
  readonly supervisor: Supervisor
  readonly plugins: MasterPlugins
  readonly #options: MasterOptions
  readonly #told = new Set<string>()
  /** Threads that are started now are started by a reload, or after one. */
  #isReload = false
  /** Threads that were started, since the start or the last reload. */
  readonly #started = new Set<number>()
  readonly #failures: AppFailure[] = []

  constructor(options: MasterOptions) {
    this.#options = options
    const { workers, cores, state, threads, calls, notices } = options
    const log = (line: string): void => options.logger.text(line)
    this.plugins = new MasterPlugins({
      sources: options.plugins,
      pluginOptions: options.pluginOptions,
      mounts: options.mounts,
      threads,
      opt: options.opt,
      workers,
      cores,
      logger: options.logger,
      timeoutMs: options.pluginTimeoutMs,
    })
    const { listen, offload, onRing } = options
    this.dispatcher = new Dispatcher({ state, workers, cores, listen, log, offload, onRing: () => onRing() })
    this.supervisor = new Supervisor({
      plans: threads,
      state,
      entry: options.threadEntry,
      log,
      calls,
      notices,
      start: (plan) => this.#start(plan),
      threadStarts: () => this.plugins.threadStarts(),
      threadStarted: () => this.plugins.threadStarted(),
      harakiriGraceMs: options.api.harakiriGraceMs,
      isCpuLimited: options.api.cpuLimitMs > 0,
      harakiri: (workerId) => this.plugins.harakiri(workerId, false),
      appFailed: (plan, failure) => this.#appFailed(plan, failure),
      pluginLost: (plan, name, reason) => {
        log(`${threadName(plan)}: ${reason}: it is started anew without plugin ${name}`)
        this.plugins.drop(name)
      },
      spares: options.spares,
      mercyMs: options.mercyMs,
      isReloadAwaited: () => options.isReloadAwaited(),
      isFirstStart: (number) => this.#isFirstStart(number),
      attached: ({ seat, plan }) => {
        if (plan.identity.kind === 'worker') this.dispatcher.seatTaken(seat)
      },
      leaves: ({ seat }) => this.dispatcher.seatLeaves(seat),
      judge: (successor, before) => this.#judge(successor, before),
      parcel: ({ seat }, id, bytes) => this.dispatcher.parcels.arrived(seat, id, bytes),
      ended: (handle, status) => this.#ended(handle, status),
    })
  }

  /**
   * Loads the plugins, before anything is bound.
   * @throws AppLoadError with `need-app` and no app; PolywsgiError PLUGIN_LOAD, PLUGIN_HOOK
   */
  async load(): Promise<void> {
    const { needApp, mounts } = this.#options
    if (needApp && mounts.length === 0) throw new AppLoadError('no app is configured, and need-app is set')
    await this.plugins.load()
  }

  /**
   * Prepares the plugins and starts the threads. Resolves when every worker takes requests.
   * @throws AppLoadError with `need-app`, PolywsgiError PLUGIN_HOOK, WORKER_DIED when a thread cannot start at all
   */
  async start(): Promise<void> {
    await this.plugins.prepare()
    await this.#options.beforeApps()
    await this.supervisor.start()
    this.#checkApps()
    this.plugins.startCycle()
  }

  /**
   * Has all threads, or those of one kind, followed by others: the apps are loaded anew and no request is lost.
   * @throws as `start`; the threads that were not followed go on as they are
   */
  async reload(kind?: ReloadKind): Promise<void> {
    // It may give the reload up, and nothing has happened then.
    await this.#options.beforeApps()
    const isReload = this.#isReload
    const started = [...this.#started]
    this.#isReload = true
    this.#told.clear()
    this.#failures.length = 0
    this.#started.clear()
    this.plugins.cleanup()
    try {
      await this.supervisor.reload(kind)
    } catch (error) {
      // Those that are started from now on take the places of some that were not.
      this.#isReload = isReload
      for (const number of started) this.#started.add(number)
      throw error
    }
  }

  #checkApps(): void {
    const [failure] = this.#failures
    if (this.#options.needApp && failure !== undefined) throw notLoaded(failure)
  }

  /** An app that was there before is to be there after it. */
  #judge({ failures }: ThreadHandle, before: ThreadHandle | undefined): void {
    const failure = failures.find(({ mountpoint }) => this.#options.needApp || before?.apps.has(mountpoint) === true)
    if (failure !== undefined) throw notLoaded(failure)
  }

  #isFirstStart(number: number): boolean {
    const isFirst = !this.#started.has(number)
    this.#started.add(number)
    return isFirst
  }

  /**
   * Stops: nothing new is begun, what runs gets `mercyMs` to end. Resolves when all threads are gone.
   * @returns how many requests were cut off
   */
  async stop(mercyMs: number): Promise<number> {
    this.supervisor.beginStop()
    let cutOff = 0
    if (this.supervisor.readyWorkers > 0) {
      const mercy = Promise.withResolvers<void>()
      const timer = setTimeout(mercy.resolve, mercyMs)
      await Promise.race([this.dispatcher.idle(), mercy.promise, this.supervisor.workersGone])
      clearTimeout(timer)
      cutOff = this.dispatcher.active
    }
    this.dispatcher.failAll(503, 'the server is stopping')
    await this.supervisor.stop(cutOff > 0)
    this.plugins.cleanup()
    this.plugins.close()
    this.dispatcher.close()
    return cutOff
  }

  /** Requests served, worker by worker. */
  requestCounts(): number[] {
    return Array.from({ length: this.#options.workers }, (_, index) => this.#options.state.workers.requests(index + 1))
  }

  #start({ identity: { number } }: ThreadPlan) {
    const {
      version,
      workers,
      cores,
      threads,
      farms,
      mounts,
      opt,
      guests,
      memoryLimit,
      pythonPath,
      logSettings,
      logAlarms,
      state,
      shared,
      api,
    } = this.#options
    // A spare is nobody's start: it is told when it becomes somebody.
    const isFirstStart = number !== 0 && this.#isFirstStart(number)
    return {
      workers,
      mules: threads.filter(({ identity }) => identity.kind === 'mule').length,
      farms,
      cores,
      masterPid: process.pid,
      version,
      hostname: hostname(),
      state: state.handle,
      shared,
      plugins: this.plugins.starts(),
      hooks: { plan: this.#options.hooks, isFirstStart },
      pluginTimeoutMs: this.#options.pluginTimeoutMs,
      exceptions: this.#options.exceptions,
      headers: this.#options.headers,
      recycling: this.#options.recycling,
      mounts,
      opt,
      guests,
      log: logSettings,
      logAlarms,
      memoryLimit,
      pythonPath,
      api: { ...api, isReload: this.#isReload },
    }
  }

  #appFailed(plan: ThreadPlan, failure: AppFailure): void {
    this.#failures.push(failure)
    const where = failure.mountpoint === '' ? '/' : failure.mountpoint
    // Every thread loads the same apps and fails the same way: one traceback is enough.
    const said = `unable to load the app at ${where} (${failure.source}): ${failure.message}`
    if (this.#told.has(said)) return
    this.#told.add(said)
    this.#options.logger.text(`${threadName(plan)}: ${said}${failure.details === '' ? '' : `\n${failure.details}`}`)
  }

  #ended({ plan, seat, hasOverstayed, reason }: ThreadHandle, status: 500 | 503 | 504): string {
    const { number, kind } = plan.identity
    this.#options.threadEnded(seat)
    if (kind !== 'worker') return ''
    const failed = this.dispatcher.seatEnded(seat, status, 'the worker that served the request has died')
    const why = hasOverstayed ? 'it took longer than worker-reload-mercy' : undefined
    const lines = failedLines(failed, this.#options.api.isHarakiriVerbose, causeOfEnd(reason), why)
    for (const line of lines) this.#options.logger.text(line)
    for (const _ of failed) this.#options.state.workers.countFailedRequest(number)
    return failedCounts(failed)
  }
}

const notLoaded = ({ mountpoint, message, details }: AppFailure): AppLoadError =>
  new AppLoadError(`unable to load the app at ${mountpoint || '/'}: ${message}`, details)
