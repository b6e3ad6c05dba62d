// The worker's life: take a request when a core is free, find its app, let the plugin serve it, account for it. A core is
// the unit that holds a request; a synchronous handler holds it only during the call, an asynchronous one until its
// promise settles.
// Invariant: whatever a plugin does, each request taken is ended exactly once, and its core comes back.

import type { PolywsgiError } from '../errors.ts'
import type { MimeTypes } from '../files/mime-types.ts'
import type { HookName } from '../plugin/hook-table.ts'
import type { Plugin } from '../plugin/plugin.ts'
import { hookFailure } from '../plugin/plugin-hooks.ts'
import type { PluginRegistry } from '../plugin/registry.ts'
import { isFatal, promised, thrownMessage } from '../plugin/thrown.ts'
import type { HeaderChange } from '../request/header-change.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import { Accounts, type AccountsOptions } from './accounts.ts'
import type { CpuTimes } from './cpu-times.ts'
import type { ExceptionPolicy } from './exceptions.ts'
import type { Mountpoints } from './mountpoints.ts'
import { isOverrun } from './overruns.ts'
import { answerPlainly, RequestOpener, type RunningRequest } from './request-opener.ts'
import { faultOfResult } from './request-result.ts'
import { openBody } from './slot-body.ts'
import { type MasterLink, SlotSink } from './slot-sink.ts'

/** After this many requests in a row the event loop gets its turn: messages and timers must not starve under load. */
const burst = 64

export interface RequestLoopOptions extends AccountsOptions {
  readonly cores: number
  readonly registry: PluginRegistry
  readonly mountpoints: Mountpoints
  /** Called when an interpreter is lost: the worker must end. */
  readonly onFatal: (error: Error) => void
  /** Runs the handlers of signals that have come for this worker. True: more may wait. */
  readonly handleSignals: () => boolean
  /** What functions of the API take for the request that is being served. */
  readonly current: {
    running: WsgiRequest | undefined
    requestBegins(request: WsgiRequest): void
    requestEnded(request: WsgiRequest): void
    /** Its time has come: answers it. @param trace where its code was stopped; undefined: it waited */
    requestOverran(request: WsgiRequest, error: PolywsgiError, trace: string | undefined): void
    /** What one ends with whose time has come. */
    overrunOf(request: WsgiRequest): PolywsgiError
    /** Told whose code runs; undefined where that is not limited by its CPU time. */
    readonly cpu: CpuTimes | undefined
  }
  /** Functions of after-request-hook; undefined without any. */
  readonly afterRequest: ((request: WsgiRequest) => void) | undefined
  readonly exceptions: ExceptionPolicy
  readonly changeHeaders: HeaderChange | undefined
  /** An exception was raised after which the worker is to be renewed: it takes nothing more. Called once. */
  readonly onMonitoredException: () => void
  /** Sends the master bytes beside the ring. @returns their number */
  readonly post: (bytes: Uint8Array) => number
  /** Bytes that the body of a response may have. */
  readonly responseLimit: number
  readonly mimeTypes: MimeTypes
}

export class RequestLoop {
  readonly #options: RequestLoopOptions
  readonly #link: MasterLink
  readonly #accounts: Accounts
  readonly #freeCores: number[] = []
  #attention: { close(): void } | undefined
  #stopping = false
  #isLost = false
  #onIdle: (() => void) | undefined
  readonly #suspenders: readonly Plugin[]
  readonly #resumers: readonly Plugin[]
  readonly #opener: RequestOpener
  /** Those that wait for something, by their requests. */
  readonly #suspended = new Map<WsgiRequest, RunningRequest>()

  constructor(options: RequestLoopOptions) {
    this.#options = options
    this.#accounts = new Accounts(options)
    const { state, seat, post, responseLimit } = options
    this.#link = { slots: state.slots, ring: state.ring(seat), masterDoorbell: state.doorbell(0), post, responseLimit }
    this.#suspenders = options.registry.withHook('suspend')
    this.#resumers = options.registry.withHook('resume')
    const { exceptions } = options
    const describeFailure = (request: WsgiRequest, error: unknown) => exceptions.page(request, this.#pluginOf(request), error)
    this.#opener = new RequestOpener({ ...options, describeFailure: exceptions.catches ? describeFailure : undefined })
    for (let core = options.cores - 1; core >= 0; core -= 1) this.#freeCores.push(core)
  }

  /** Takes requests from now on. */
  start(): void {
    const { state, seat } = this.#options
    this.#attention = state.doorbell(seat).attend(
      () => this.#takeWaiting(),
      // A request that waits for something needs the event loop.
      () => this.#running() === 0,
    )
  }

  /** Takes no more requests. Resolves when those that run are done. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#attention?.close()
    this.#options.recycling?.stop()
    if (this.#running() > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
    this.#options.log.flush()
  }

  /**
   * A request has taken too long, and waits: it is answered, and its handler ended where it stands. The others of this worker go
   * on. One that does not wait keeps the thread from calling this, and the master ends the thread.
   */
  giveUp(request: WsgiRequest): void {
    const running = this.#suspended.get(request)
    if (running === undefined) return
    const { log, current } = this.#options
    running.hasFailed = true
    const error = current.overrunOf(request)
    try {
      current.requestOverran(request, error, undefined)
      if (request.onCancel !== undefined) request.onCancel(error)
      // Nobody can end it: its core does not wait for it any more.
      else this.#settled(running, this.#pluginOf(request) as Plugin, -1)
    } catch (failure) {
      log.text(`harakiri: ${thrownMessage(failure)}`)
      this.#endIfLost(failure)
    }
  }

  #running(): number {
    return this.#options.cores - this.#freeCores.length
  }

  /** @returns true when it stopped early although more requests may wait */
  #takeWaiting(): boolean {
    const { state, seat, log, handleSignals } = this.#options
    let served = 0
    // Also when all cores are taken: handlers run beside them (uWSGI: on the main stack).
    let more = !this.#stopping && handleSignals()
    // Told so by the master, who is not heard before the event loop turns: what comes from now on is the successor's.
    while (!this.#stopping && this.#freeCores.length > 0 && !state.seats.isLeaving(seat)) {
      if (served === burst) return true
      more = handleSignals()
      const slot = state.queue.take(seat)
      if (slot < 0) break
      served += 1
      this.#serve(slot, this.#freeCores.pop() as number)
    }
    log.flush()
    return more
  }

  #serve(slot: number, coreId: number): void {
    const { state, seat } = this.#options
    state.seats.setRunning(seat, this.#running())
    const body = openBody(this.#link, slot)
    const sink = new SlotSink(this.#link, slot, () => body.release())
    const running = this.#opener.open(slot, coreId, body, sink)
    if (running === undefined || running.isRefused) {
      if (running !== undefined) this.#close(running)
      this.#release(coreId)
      return
    }
    let later: Promise<number> | undefined
    const { current } = this.#options
    const outer = current.running
    current.running = running.request
    current.requestBegins(running.request)
    const plugin = this.#pluginOf(running.request) as Plugin
    const outerOwner = current.cpu?.switchTo(running.request)
    try {
      const outcome = plugin.request?.(running.request)
      if (outcome === 1) later = this.#callAgain(running, plugin)
      else {
        later = outcome === 0 ? undefined : promised<number>(outcome as number | Promise<number>)
        if (later === undefined) this.#judge(running, plugin, outcome)
      }
    } catch (error) {
      this.#failed(running, error)
    }
    current.cpu?.switchTo(outerOwner)
    current.running = outer
    if (later !== undefined) {
      this.#suspended.set(running.request, running)
      this.#suspend(running.request)
      this.#follow(running, plugin, later)
      return
    }
    this.#close(running)
    this.#release(coreId)
  }

  /** There may be thousands: each is one promise. */
  #follow(running: RunningRequest, plugin: Plugin, later: Promise<number>): void {
    later.then(
      (result) => {
        if (result === 1) this.#follow(running, plugin, this.#callAgain(running, plugin))
        else this.#settled(running, plugin, result)
      },
      (error: unknown) => {
        this.#failed(running, error)
        this.#settled(running, plugin, -1)
      },
    )
  }

  /** The request hook's promise has settled, or is not waited for any more: then it settles in vain later. */
  #settled(running: RunningRequest, plugin: Plugin, result: unknown): void {
    const { request } = running
    if (!this.#suspended.delete(request)) return
    this.#judge(running, plugin, result)
    this.#resume(request)
    this.#close(running)
    this.#release(request.coreId)
    // Requests may have waited for a core, and nobody rings for those.
    if (this.#takeWaiting()) setImmediate(() => this.#attend())
  }

  #judge(running: RunningRequest, plugin: Plugin, result: unknown): void {
    const fault = faultOfResult(result)
    if (fault === undefined) return
    running.hasFailed = true
    if (fault !== '') this.#options.log.text(`plugin ${plugin.name}: request hook ${fault}`)
  }

  #attend(): void {
    if (this.#takeWaiting()) setImmediate(() => this.#attend())
  }

  /** A plugin that returned 1 (UWSGI_AGAIN) is called again, each time after the event loop has turned. */
  async #callAgain(running: RunningRequest, plugin: Plugin): Promise<number> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      running.request.switches += 1
      this.#resume(running.request)
      const result = await this.#counted(running.request, () => plugin.request?.(running.request))
      this.#suspend(running.request)
      if (result !== 1) return result ?? 0
    }
  }

  /** Code of the plugin's runs for the request. */
  #counted<T>(request: WsgiRequest, run: () => T): T {
    const { cpu } = this.#options.current
    const outer = cpu?.switchTo(request)
    try {
      return run()
    } finally {
      cpu?.switchTo(outer)
    }
  }

  /** Undefined for a modifier1 that nobody serves. */
  #pluginOf(request: WsgiRequest): Plugin | undefined {
    return request.app?.plugin ?? this.#options.registry.requestPlugin(request.modifier1)
  }

  #suspend(request: WsgiRequest): void {
    for (const plugin of this.#suspenders) this.#switch(plugin, 'suspend', request)
  }

  #resume(request: WsgiRequest): void {
    for (const plugin of this.#resumers) this.#switch(plugin, 'resume', request)
  }

  #switch(plugin: Plugin, hook: 'suspend' | 'resume', request: WsgiRequest): void {
    try {
      this.#watch(plugin, hook, plugin[hook]?.(request))
    } catch (error) {
      this.#hookFailed(plugin, hook, error)
    }
  }

  /** It is not waited for, and what it rejects with must not end the worker. */
  #watch(plugin: Plugin, hook: HookName, answer: unknown): void {
    if (answer !== undefined) promised(answer)?.catch((error: unknown) => this.#hookFailed(plugin, hook, error))
  }

  #failed(running: RunningRequest, error: unknown): void {
    const { request } = running
    running.hasFailed = true
    request.exception ??= error
    // It was stopped for its time.
    if (request.isOver && isOverrun(error))
      return this.#options.current.requestOverran(request, error as PolywsgiError, undefined)
    const plugin = this.#pluginOf(request) as Plugin
    this.#hookFailed(plugin, 'request', error)
  }

  #hookFailed(plugin: Plugin, hook: HookName, error: unknown): void {
    this.#options.log.text(hookFailure(plugin, hook, error))
    this.#endIfLost(error)
  }

  /** An interpreter is lost. Requests that had not begun are left in the queue, for other workers. */
  #endIfLost(error: unknown): void {
    if (!isFatal(error) || this.#isLost) return
    this.#isLost = true
    this.#stopping = true
    this.#options.onFatal(error as Error)
  }

  /** Ends what the plugin left open, logs, and lets the plugin clean up. */
  #close(running: RunningRequest): void {
    const { request, sink } = running
    const { log, current } = this.#options
    try {
      if (!request.finished) {
        if (running.hasFailed) request.dropFile()
        const isEmpty = request.status === '' && !request.hasFile
        if (!request.headersSent && (isEmpty || running.hasFailed)) {
          request.fail(request.exception)
        } else if (running.hasFailed) request.cut()
        else request.finish()
      }
    } catch (error) {
      log.text(`response refused: ${thrownMessage(error)}`)
    }
    if (!sink.ended) {
      if (sink.headSent) sink.cut()
      else answerPlainly(sink, '500 Internal Server Error')
    }
    const durationMs = performance.now() - running.startedAt
    if (!request.doNotAccount) this.#accounts.count(running, durationMs)
    const plugin = this.#pluginOf(request)
    if (plugin?.afterRequest !== undefined) this.#runAfterRequest(plugin, request)
    // Whatever it has set for its own time, waits for or has open, ends here.
    request.isOver = true
    request.onCancel = undefined
    current.requestEnded(request)
    if (!request.doNotLog) this.#accounts.writeLine(running, durationMs)
    this.#options.afterRequest?.(request)
    if (request.exception !== undefined && this.#options.exceptions.isMonitored(plugin, request.exception)) this.#renew()
  }

  /** Takes nothing more, and ends when those that run are done. */
  #renew(): void {
    if (this.#stopping) return
    this.#stopping = true
    this.#options.onMonitoredException()
  }

  /** Before the request's line is written: what the hook says of the request with set_logvar stands in it. */
  #runAfterRequest(plugin: Plugin, request: WsgiRequest): void {
    const { current } = this.#options
    const outer = current.running
    const outerOwner = current.cpu?.switchTo(request)
    current.running = request
    try {
      this.#watch(plugin, 'afterRequest', plugin.afterRequest?.(request))
    } catch (error) {
      this.#hookFailed(plugin, 'afterRequest', error)
    }
    current.running = outer
    current.cpu?.switchTo(outerOwner)
  }

  #release(coreId: number): void {
    this.#freeCores.push(coreId)
    this.#options.state.seats.setRunning(this.#options.seat, this.#running())
    if (this.#stopping && this.#running() === 0) this.#onIdle?.()
  }
}
