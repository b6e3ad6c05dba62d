// The worker's life: take a request when a core is free, find its app, let the plugin serve it, account for it. A core is
// the unit that holds a request; a synchronous handler holds it only during the call, an asynchronous one until its
// promise settles.
// Invariant: whatever a plugin does, each request taken is ended exactly once, and its core comes back.

import { hasVarsBlock } from '../../protocol/modifiers.ts'
import { checkVars, encodeVars, findVar } from '../../protocol/vars.ts'
import type { MimeTypes } from '../files/mime-types.ts'
import type { App } from '../plugin/app.ts'
import type { HookName } from '../plugin/hook-table.ts'
import type { Plugin } from '../plugin/plugin.ts'
import { hookFailure } from '../plugin/plugin-hooks.ts'
import type { PluginRegistry } from '../plugin/registry.ts'
import { isFatal, promised, thrownMessage } from '../plugin/thrown.ts'
import type { RequestBody } from '../request/body.ts'
import type { HeaderChange } from '../request/header-change.ts'
import { WsgiRequest } from '../request/wsgi-request.ts'
import { Accounts, type AccountsOptions, type FinishedRequest } from './accounts.ts'
import { failedApp } from './app-loader.ts'
import type { ExceptionPolicy } from './exceptions.ts'
import type { Mountpoints } from './mountpoints.ts'
import { faultOfResult } from './request-result.ts'
import { openBody } from './slot-body.ts'
import { type MasterLink, SlotSink } from './slot-sink.ts'

/** After this many requests in a row the event loop gets its turn: messages and timers must not starve under load. */
const burst = 64

interface RunningRequest extends FinishedRequest {
  readonly sink: SlotSink
  switches: number
  hasFailed: boolean
}

export interface RequestLoopOptions extends AccountsOptions {
  readonly cores: number
  readonly registry: PluginRegistry
  readonly mountpoints: Mountpoints
  /** Called when an interpreter is lost: the worker must end. */
  readonly onFatal: (error: Error) => void
  /** Runs the handlers of signals that have come for this worker. True: more may wait. */
  readonly handleSignals: () => boolean
  /** What functions of the API take for the request that is being served. */
  readonly current: { running: WsgiRequest | undefined; requestEnded(request: WsgiRequest): void }
  /** Functions of after-request-hook; undefined without any. */
  readonly afterRequest: ((request: WsgiRequest) => void) | undefined
  readonly exceptions: ExceptionPolicy
  readonly changeHeaders: HeaderChange | undefined
  /** An exception was raised after which the worker is to be renewed. Called once, when nothing runs any more. */
  readonly onMonitoredException: () => void
  /** Sends the master bytes beside the ring. @returns their number */
  readonly post: (bytes: Uint8Array) => number
  readonly mimeTypes: MimeTypes
}

export class RequestLoop {
  readonly #options: RequestLoopOptions
  readonly #link: MasterLink
  readonly #accounts: Accounts
  readonly #freeCores: number[] = []
  #attention: { close(): void } | undefined
  #stopping = false
  #onIdle: (() => void) | undefined
  readonly #suspenders: readonly Plugin[]
  readonly #resumers: readonly Plugin[]
  readonly #describeFailure: ((request: WsgiRequest, error: unknown) => Uint8Array) | undefined

  constructor(options: RequestLoopOptions) {
    this.#options = options
    this.#accounts = new Accounts(options)
    const { state, workerId } = options
    const { post } = options
    this.#link = { slots: state.slots, ring: state.ring(workerId), masterDoorbell: state.doorbell(0), post }
    this.#suspenders = options.registry.withHook('suspend')
    this.#resumers = options.registry.withHook('resume')
    const { exceptions } = options
    if (exceptions.catches) this.#describeFailure = (request, error) => exceptions.page(request, this.#pluginOf(request), error)
    for (let core = options.cores - 1; core >= 0; core -= 1) this.#freeCores.push(core)
  }

  /** Takes requests from now on. */
  start(): void {
    const { state, workerId } = this.#options
    this.#attention = state.doorbell(workerId).attend(
      () => this.#takeWaiting(),
      // A request that waits for something needs the event loop.
      () => this.#running() === 0,
    )
  }

  /** Takes no more requests. Resolves when those that run are done. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#attention?.close()
    if (this.#running() > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
    this.#options.log.flush()
  }

  #running(): number {
    return this.#options.cores - this.#freeCores.length
  }

  /** @returns true when it stopped early although more requests may wait */
  #takeWaiting(): boolean {
    const { state, workerId, log, handleSignals } = this.#options
    let served = 0
    // Also when all cores are taken: handlers run beside them (uWSGI: on the main stack).
    let more = !this.#stopping && handleSignals()
    while (!this.#stopping && this.#freeCores.length > 0) {
      if (served === burst) return true
      more = handleSignals()
      const slot = state.queue.take(workerId)
      if (slot < 0) break
      served += 1
      this.#serve(slot, this.#freeCores.pop() as number)
    }
    log.flush()
    return more
  }

  #serve(slot: number, coreId: number): void {
    const { state, workerId } = this.#options
    state.workers.setRunning(workerId, this.#running())
    const body = openBody(this.#link, slot)
    const sink = new SlotSink(this.#link, slot, () => body.release())
    const running = this.#open(slot, coreId, body, sink)
    if (running === undefined) {
      this.#release(coreId)
      return
    }
    let later: Promise<number> | undefined
    const { current } = this.#options
    const outer = current.running
    current.running = running.request
    const plugin = this.#pluginOf(running.request) as Plugin
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
    current.running = outer
    if (later !== undefined) {
      this.#suspend(running.request)
      later
        .then((result) => (result === 1 ? this.#callAgain(running, plugin) : result))
        .catch((error: unknown) => {
          this.#failed(running, error)
          return -1
        })
        .then((result) => {
          this.#judge(running, plugin, result)
          this.#resume(running.request)
          this.#close(running)
          this.#release(coreId)
          // Requests may have waited for a core, and nobody rings for those.
          if (this.#takeWaiting()) setImmediate(() => this.#attend())
        })
      return
    }
    this.#close(running)
    this.#release(coreId)
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
      running.switches += 1
      this.#resume(running.request)
      const result = await plugin.request?.(running.request)
      this.#suspend(running.request)
      if (result !== 1) return result ?? 0
    }
  }

  /** Reads the packet and finds the app. @returns undefined when the request was answered here. */
  #open(slot: number, coreId: number, body: RequestBody, sink: SlotSink): RunningRequest | undefined {
    const { state, log, registry, mountpoints } = this.#options
    // A copy: pulled pieces of the body overwrite the packet's place, and once the response is out the slot is another
    // request's, while this one's log line, and guests that kept the request, still read its variables.
    const packet = Buffer.from(state.slots.packet(slot))
    const modifier1 = packet[0] as number
    let vars: Uint8Array = packet.subarray(4)
    // The block of an RPC call is a list, and that of an echo is anything.
    const isVars = hasVarsBlock(modifier1, packet[3] as number)
    try {
      if (isVars) checkVars(vars)
    } catch (error) {
      log.text(`malformed request packet: ${(error as Error).message}`)
      answer(sink, '400 Bad Request', 'Bad Request')
      return undefined
    }
    const scriptName = isVars ? (findVar(vars, 'SCRIPT_NAME') ?? '') : ''
    const pathInfo = isVars ? (findVar(vars, 'PATH_INFO') ?? '') : ''
    const route = mountpoints.find(modifier1, scriptName, pathInfo)
    if (route !== undefined && (route.scriptName !== scriptName || route.pathInfo !== pathInfo)) {
      // The last occurrence of a variable counts, so appending replaces.
      const split = encodeVars([
        ['SCRIPT_NAME', route.scriptName],
        ['PATH_INFO', route.pathInfo],
      ])
      const whole = Buffer.allocUnsafe(vars.length + split.length)
      whole.set(vars)
      whole.set(split, vars.length)
      vars = whole
    }
    const app = route?.app
    const startedAt = performance.now()
    const request = new WsgiRequest({
      coreId,
      modifier1: app?.modifier1 ?? modifier1,
      modifier2: packet[3] as number,
      vars,
      body,
      sink,
      app,
      describeFailure: this.#describeFailure,
      changeHeaders: this.#options.changeHeaders,
      startedAt,
      mimeTypes: this.#options.mimeTypes,
    })
    const running = {
      request,
      sink,
      app,
      packetSize: packet.length - 4,
      startedAt,
      switches: 1,
      hasFailed: false,
    }
    const refusal = this.#refusal(request, app, registry.requestPlugin(modifier1), pathInfo)
    if (refusal === undefined) return running
    log.text(refusal.reason)
    request.setHead(refusal.status, 'Content-Type\0text/plain')
    request.finish(Buffer.from(`${refusal.status.slice(4)}\n`))
    this.#close(running)
    return undefined
  }

  /** Why a request cannot be served at all, if it cannot. */
  #refusal(
    request: WsgiRequest,
    app: App | undefined,
    plugin: Plugin | undefined,
    path: string,
  ): { status: string; reason: string } | undefined {
    if (app !== undefined) {
      if (app.handle !== failedApp) return undefined
      const where = app.mountpoint === '' ? '/' : app.mountpoint
      return {
        status: '500 Internal Server Error',
        reason: `--- the app at ${where} (${app.source}) could not be loaded: see the log of the start ---`,
      }
    }
    const { modifier1 } = request
    if (plugin === undefined && (modifier1 !== 0 || this.#options.mountpoints.size === 0)) {
      return modifier1 === 0
        ? { status: '500 Internal Server Error', reason: '--- no app found, check your startup logs for errors ---' }
        : { status: '501 Not Implemented', reason: `-- unavailable modifier requested: ${modifier1} --` }
    }
    if (servesByItself(plugin)) return undefined
    if (modifier1 === 0 && this.#options.mountpoints.size > 0) {
      return { status: '404 Not Found', reason: `no app is mounted at ${JSON.stringify(path.slice(0, 200))}` }
    }
    return {
      status: '500 Internal Server Error',
      reason: `--- no ${plugin?.name ?? 'application'} application found, check your startup logs for errors ---`,
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
    const plugin = this.#pluginOf(request) as Plugin
    this.#hookFailed(plugin, 'request', error)
  }

  #hookFailed(plugin: Plugin, hook: HookName, error: unknown): void {
    this.#options.log.text(hookFailure(plugin, hook, error))
    this.#endIfLost(error)
  }

  /** An interpreter is lost. Requests that had not begun are left in the queue, for other workers. */
  #endIfLost(error: unknown): void {
    if (!isFatal(error) || this.#stopping) return
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
      else answer(sink, '500 Internal Server Error', 'Internal Server Error')
    }
    const durationMs = performance.now() - running.startedAt
    if (!request.doNotAccount) this.#accounts.count(running, durationMs)
    const plugin = this.#pluginOf(request)
    if (plugin?.afterRequest !== undefined) this.#runAfterRequest(plugin, request)
    // Whatever it has set for its own time ends here.
    current.requestEnded(request)
    if (!request.doNotLog) this.#accounts.writeLine(running, durationMs)
    this.#options.afterRequest?.(request)
    if (request.exception !== undefined && this.#options.exceptions.isMonitored(plugin, request.exception)) this.#renew()
  }

  /** Takes nothing more, and ends when those that run are done. */
  #renew(): void {
    if (this.#stopping) return
    // This request's core is not free yet.
    setImmediate(() => void this.stop().then(this.#options.onMonitoredException))
    this.#stopping = true
  }

  /** Before the request's line is written: what the hook says of the request with set_logvar stands in it. */
  #runAfterRequest(plugin: Plugin, request: WsgiRequest): void {
    const { current } = this.#options
    const outer = current.running
    current.running = request
    try {
      this.#watch(plugin, 'afterRequest', plugin.afterRequest?.(request))
    } catch (error) {
      this.#hookFailed(plugin, 'afterRequest', error)
    }
    current.running = outer
  }

  #release(coreId: number): void {
    this.#freeCores.push(coreId)
    this.#options.state.workers.setRunning(this.#options.workerId, this.#running())
    if (this.#stopping && this.#running() === 0) this.#onIdle?.()
  }
}

/** A plugin that names no kind of app needs none. */
export const servesByItself = (plugin: Plugin | undefined): boolean =>
  plugin?.request !== undefined && plugin.appExtensions === undefined

const answer = (sink: SlotSink, status: string, text: string): void => {
  sink.send({ status, headers: 'Content-Type\0text/plain' }, Buffer.from(text), true)
}
