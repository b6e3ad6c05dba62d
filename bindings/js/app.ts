// Apps of this worker: mounting a file, serving a request with it.
// Invariant: a mount ends with an app or an error, a request ends answered, unless the interpreter is lost.
import { AppLoadError } from '../../host/errors.ts'
import type { AppMount } from '../../host/plugin/app.ts'
import type { RequestResult } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import type { Pointer } from './engine.ts'
import { FatalGuestError, guestErrorOf } from './errors.ts'
import type { Runtime } from './runtime.ts'

export const appExtensions = ['.js', '.mjs', '.cjs'] as const

/** The plugin's handle of an app: which dispatcher of the glue serves it, under which number. */
export interface JsApp {
  readonly dispatch: Pointer
  readonly index: number
}

interface Mounting {
  readonly id: number
  readonly resolve: (app: JsApp) => void
  readonly reject: (description: string) => void
}

export class Apps {
  readonly #runtime: Runtime
  readonly #loadTimeoutMs: number
  #mounting: Mounting | undefined
  #lastMount: Promise<unknown> = Promise.resolve()
  #mounts = 0

  constructor(runtime: Runtime, loadTimeoutMs: number) {
    this.#runtime = runtime
    this.#loadTimeoutMs = loadTimeoutMs
    runtime.onMounted = (id, kind, index) => {
      if (this.#mounting?.id === id)
        this.#mounting.resolve({ dispatch: runtime.entry(kind === 1 ? 'dispatchJsgi' : 'dispatchFetch'), index })
    }
    runtime.onMountFailed = (id, description) => {
      if (this.#mounting?.id === id) this.#mounting.reject(description)
    }
  }

  /**
   * Mounts one after the other: what a mount is told belongs to the one under way.
   * @throws AppLoadError, its `details` the guest's error with files and lines; FatalGuestError
   */
  mount(mount: AppMount): Promise<JsApp> {
    const result = this.#lastMount.then(() => this.#mount(mount))
    this.#lastMount = result.catch(() => {})
    return result
  }

  async #mount(mount: AppMount): Promise<JsApp> {
    const { engine, interruption, modules, suspension } = this.#runtime
    const path = modules.openApp(mount.source)
    if (path === undefined) throw new AppLoadError(`cannot load ${mount.source}: no such file`)
    const id = ++this.#mounts
    const { promise, resolve, reject } = Promise.withResolvers<JsApp>()
    const deadline = performance.now() + this.#loadTimeoutMs
    const tooLong = `it did not load within ${this.#loadTimeoutMs / 1000} seconds`
    const fail = (description: string): void => {
      const error = guestErrorOf(description)
      // A loop that was stopped fails with an error of its own, whose stack says where it was.
      const reason = performance.now() > deadline ? tooLong : error.message
      reject(new AppLoadError(`cannot load ${mount.source}: ${reason}`, error.traceback, { cause: error }))
    }
    this.#mounting = { id, resolve, reject: fail }
    // Loading runs on the worker's own time: a loop without end is stopped.
    const { isDue } = interruption
    engine.shouldInterrupt = () => performance.now() > deadline || isDue()
    // Keeps the event loop alive for a top-level await as well: guests' timers do not.
    const timeout = setTimeout(() => fail(tooLong), this.#loadTimeoutMs)
    const watchIdle = (): void => {
      if (!suspension.isBusy) fail('its top-level await can never settle: nothing is left that could run')
    }
    suspension.onTurnEnd.add(watchIdle)
    engine.onDeath.add(reject)
    try {
      this.#start(id, path, mount.callable)
    } catch (error) {
      // The file's errors are caught by the glue; these it could not: an interrupt, or no memory to go on.
      if (error instanceof FatalGuestError) reject(error)
      else fail(error instanceof Error ? error.message : String(error))
    }
    try {
      return await promise
    } finally {
      suspension.onTurnEnd.delete(watchIdle)
      engine.onDeath.delete(reject)
      clearTimeout(timeout)
      engine.shouldInterrupt = isDue
      this.#mounting = undefined
    }
  }

  #start(id: number, path: string, callable: string | undefined): void {
    const { converter, modules, suspension } = this.#runtime
    const args = [converter.int32(id), converter.newText(path)]
    if (callable !== undefined) args.push(converter.newText(callable))
    this.#runtime.callEntry(modules.isCommonJs(path) ? 'mountScript' : 'mountModule', args)
    suspension.endTurn()
  }

  /**
   * @returns 0 (or -1: failed) when the response was given before this returned, else a promise of it
   * @throws FatalGuestError when the interpreter was lost
   */
  request(wsgi: WsgiRequest): RequestResult | Promise<RequestResult> {
    const { converter, engine, interruption, requests, suspension } = this.#runtime
    if (engine.dead !== undefined) throw engine.dead
    const request = requests.begin(wsgi)
    const app = wsgi.app?.handle as JsApp | undefined
    if (app === undefined) {
      requests.fail(request, 'no JavaScript app is mounted for this request')
      return request.result
    }
    try {
      const packet = converter.newLatin1(wsgi.vars)
      engine.setInt(0, app.index)
      engine.setInt(1, request.id)
      engine.setValue(2, packet)
      // Another one's when a handler has called, through the API, what led here.
      const outer = suspension.current
      suspension.current = request.id
      let result: Pointer
      try {
        result = engine.call(app.dispatch, 3)
      } finally {
        suspension.current = outer
        if (engine.dead === undefined) engine.free(packet)
      }
      if (engine.isException(result)) {
        // Handlers' errors are caught by the glue; this one it could not: an interrupt, or no memory to go on.
        const error = engine.takeException(result)
        const description = this.#runtime.describe(error)
        engine.free(error)
        if (interruption.errorOf(description) === undefined && !request.isAnswered) requests.fail(request, description)
      } else engine.free(result)
      suspension.endTurn()
    } catch (error) {
      if (error instanceof FatalGuestError) throw error
      // No memory even for the call: without room for the next one the worker would answer nothing any more.
      this.#runtime.collector.collect()
      if (!request.isAnswered) requests.fail(request, error instanceof Error ? error.message : String(error))
    }
    return request.isOver ? request.result : requests.later(request)
  }
}
