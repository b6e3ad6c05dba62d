// The master: prepares plugins, starts workers, replaces those that end, stops them all. It runs in the thread of whoever
// embeds it, so it never blocks and never runs guest code.

import { hostname } from 'node:os'
import type { OptionMap } from '../api/kinds.ts'
import { AppLoadError, PolywsgiError } from '../errors.ts'
import type { Logger, LogSettings } from '../log/logger.ts'
import type { MasterContext, Plugin } from '../plugin/plugin.ts'
import { importPlugins, PluginRegistry } from '../plugin/registry.ts'
import { StateMap } from '../state/state-map.ts'
import { WorkerState } from '../state/worker-slots.ts'
import type { AppFailure, PluginStart, WorkerStart } from '../worker/messages.ts'
import type { MountPlan } from '../worker/mount-plan.ts'
import { Dispatcher } from './dispatcher.ts'
import { respawnDelayMs } from './respawn.ts'
import { type WorkerEvents, WorkerHandle } from './worker-handle.ts'

export interface MasterOptions {
  readonly version: string
  readonly workers: number
  /** Requests one worker may hold at once (`async`). */
  readonly cores: number
  /** Requests that may wait beside those that run (`listen`). */
  readonly listen: number
  readonly bufferSize: number
  readonly needApp: boolean
  readonly memoryLimit: number
  readonly pythonPath: readonly string[]
  readonly mounts: readonly MountPlan[]
  readonly opt: OptionMap
  /** URLs of plugin modules. */
  readonly plugins: readonly string[]
  /** URL of the module that worker threads run. */
  readonly workerEntry: string
  readonly logger: Logger
  readonly logSettings: LogSettings
}

/** Requests handed to shared slots beside those that run, so that a worker finds the next one without the master. */
const prefetch = 32
const responseRingSize = 1024 * 1024
const packetHeaderSize = 4

export class Master {
  readonly dispatcher: Dispatcher
  readonly #options: MasterOptions
  readonly #state: StateMap
  readonly #handles = new Map<number, WorkerHandle>()
  readonly #failedStarts = new Map<number, number>()
  readonly #respawns = new Set<NodeJS.Timeout>()
  readonly #told = new Set<string>()
  #plugins: readonly Plugin[] = []
  #starts: readonly PluginStart[] = []
  #phase: 'starting' | 'serving' | 'stopping' = 'starting'
  #readyCount = 0
  readonly #firstReady = Promise.withResolvers<void>()
  readonly #failures: AppFailure[] = []

  constructor(options: MasterOptions) {
    this.#options = options
    const { workers, cores } = options
    this.#state = StateMap.create({
      workers,
      requestSlots: workers * cores + prefetch,
      requestAreaSize: packetHeaderSize + options.bufferSize,
      responseRingSize,
    })
    const log = (line: string): void => options.logger.text(line)
    this.dispatcher = new Dispatcher({ state: this.#state, workers, cores, listen: options.listen, log })
  }

  /**
   * Prepares the plugins and starts the workers. Resolves when every worker takes requests.
   * @throws AppLoadError with `need-app`, PolywsgiError PLUGIN_LOAD, WORKER_DIED when a worker cannot start at all
   */
  async start(): Promise<void> {
    const { workers, logger, mounts, opt } = this.#options
    if (this.#options.needApp && mounts.length === 0) throw new AppLoadError('no app is configured, and need-app is set')
    this.#plugins = await importPlugins(this.#options.plugins)
    const registry = new PluginRegistry(this.#plugins)
    const contextOf = (plugin: Plugin): MasterContext => {
      const isNeeded = mounts.some((mount) => registry.loadersOf(mount).includes(plugin))
      return { log: logger, opt, workers, isNeeded }
    }
    for (const plugin of this.#plugins) {
      // A module is loaded once per process, a plugin's data belongs to one instance: what another left must not be seen.
      if (!declaredData.has(plugin)) declaredData.set(plugin, plugin.data)
      plugin.data = declaredData.get(plugin)
      plugin.onLoad?.(contextOf(plugin))
    }
    for (const plugin of this.#plugins) await plugin.init?.(contextOf(plugin))
    for (const plugin of this.#plugins) await plugin.postInit?.(contextOf(plugin))
    this.#starts = this.#plugins.map((plugin, index) => ({ url: this.#options.plugins[index] as string, data: plugin.data }))
    for (let workerId = 1; workerId <= workers; workerId += 1) this.#spawn(workerId)
    await this.#firstReady.promise
    const [failure] = this.#failures
    if (this.#options.needApp && failure !== undefined) {
      throw new AppLoadError(`unable to load the app at ${failure.mountpoint || '/'}: ${failure.message}`, failure.details)
    }
    this.#phase = 'serving'
  }

  /**
   * Stops: nothing new is begun, what runs gets `mercyMs` to end. Resolves when all threads are gone.
   * @returns how many requests were cut off
   */
  async stop(mercyMs: number): Promise<number> {
    this.#phase = 'stopping'
    for (const timer of this.#respawns) clearTimeout(timer)
    let cutOff = 0
    if (this.#readyCount > 0) {
      const mercy = Promise.withResolvers<void>()
      const timer = setTimeout(mercy.resolve, mercyMs)
      await Promise.race([this.dispatcher.idle(), mercy.promise])
      clearTimeout(timer)
      cutOff = this.dispatcher.active
    }
    this.dispatcher.failAll(503, 'the server is stopping')
    await Promise.all([...this.#handles.values()].map((handle) => this.#stopWorker(handle, cutOff > 0 ? 0 : stopMs)))
    for (const plugin of this.#plugins) {
      try {
        plugin.atexit?.()
      } catch (error) {
        this.#options.logger.text(`plugin ${plugin.name}: atexit hook raised: ${(error as Error).stack}`)
      }
    }
    this.dispatcher.close()
    return cutOff
  }

  /** Requests served, worker by worker. */
  requestCounts(): number[] {
    return Array.from({ length: this.#options.workers }, (_, index) => this.#state.workers.requests(index + 1))
  }

  async #stopWorker(handle: WorkerHandle, patienceMs: number): Promise<void> {
    if (!handle.isReady) return await handle.terminate(undefined)
    const timer = setTimeout(() => void handle.terminate(undefined), patienceMs)
    await handle.stop()
    clearTimeout(timer)
  }

  #spawn(workerId: number): void {
    const { version, workers, cores, mounts, opt, memoryLimit, pythonPath, logSettings } = this.#options
    this.#state.workers.setState(workerId, WorkerState.booting)
    this.#state.workers.setRunning(workerId, 0)
    const start: WorkerStart = {
      workerId,
      workers,
      cores,
      masterPid: process.pid,
      version,
      hostname: hostname(),
      state: this.#state.handle,
      plugins: this.#starts,
      mounts,
      opt,
      log: logSettings,
      memoryLimit,
      pythonPath,
    }
    this.#handles.set(workerId, new WorkerHandle(this.#options.workerEntry, start, this.#events))
  }

  readonly #events: WorkerEvents = {
    booted: (workerId, what, milliseconds) => {
      this.#options.logger.text(`worker ${workerId}: ${what} booted in ${seconds(milliseconds)} s`)
    },
    app: (workerId, app) => {
      const { id, mountpoint, source, language, milliseconds } = app
      this.#options.logger.text(
        `worker ${workerId}: app ${id} (mountpoint='${mountpoint}', ${source}) ready in ${seconds(milliseconds)} s (${language})`,
      )
    },
    appFailed: (workerId, failure) => {
      this.#failures.push(failure)
      const where = failure.mountpoint === '' ? '/' : failure.mountpoint
      // Every worker loads the same apps and fails the same way: one traceback is enough.
      const said = `unable to load the app at ${where} (${failure.source}): ${failure.message}`
      if (this.#told.has(said)) return
      this.#told.add(said)
      this.#options.logger.text(`worker ${workerId}: ${said}${failure.details === '' ? '' : `\n${failure.details}`}`)
    },
    ready: (workerId) => {
      this.#failedStarts.delete(workerId)
      this.#readyCount += 1
      this.#options.logger.text(
        `worker ${workerId}: ready in ${seconds(performance.now() - (this.#handles.get(workerId)?.startedAt ?? 0))} s`,
      )
      this.dispatcher.workerReady(workerId)
      if (this.#readyCount >= this.#options.workers) this.#firstReady.resolve()
    },
    ended: (workerId, reason) => this.#ended(workerId, reason),
  }

  #ended(workerId: number, reason: string | undefined): void {
    const handle = this.#handles.get(workerId)
    this.#handles.delete(workerId)
    this.#state.workers.setState(workerId, WorkerState.dead)
    this.#state.workers.setRunning(workerId, 0)
    if (handle?.isReady) this.#readyCount -= 1
    const failed = this.dispatcher.workerEnded(workerId, 500, 'the worker that served the request has died')
    if (this.#phase === 'stopping') return
    this.#options.logger.text(
      `DAMN ! worker ${workerId} died: ${reason ?? 'no reason given'}${failed > 0 ? ` (${failed} running requests answered 500)` : ''}`,
    )
    if (this.#phase === 'starting' && !handle?.isReady) {
      this.#firstReady.reject(
        new PolywsgiError('WORKER_DIED', `worker ${workerId} could not start: ${reason ?? 'no reason given'}`),
      )
      return
    }
    const failedStarts = handle?.isReady ? 0 : (this.#failedStarts.get(workerId) ?? 0) + 1
    this.#failedStarts.set(workerId, failedStarts)
    this.#state.workers.countRespawn(workerId)
    const delay = respawnDelayMs({ failedStarts })
    if (delay > 0) this.#options.logger.text(`worker ${workerId}: next start in ${seconds(delay)} s`)
    const timer = setTimeout(() => {
      this.#respawns.delete(timer)
      this.#spawn(workerId)
    }, delay)
    this.#respawns.add(timer)
  }
}

/** The `data` that plugins were declared with, before any instance's `init`. */
const declaredData = new WeakMap<Plugin, unknown>()

/** How long an idle worker may take for its exit hooks. */
const stopMs = 5000

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(2)
