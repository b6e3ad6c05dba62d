// The plugin interface: uWSGI's `struct uwsgi_plugin`, member by member, in camelCase. A plugin is a module whose default
// export is a `Plugin`. Hooks marked M run in the master's thread, W in every worker's, U in mules, S in the spooler.
// The master's instance of a plugin and the workers' instances share nothing but `data`, which is what the master's `init`
// left there, cloned once per worker: it is what crosses the fork. (A uWSGI worker is a process, ours is a thread.)
import type { BoundApi } from '../api/bind.ts'
import type { Log } from '../api/context.ts'
import type { OptionMap } from '../api/kinds.ts'
import type { GuestError } from '../errors.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { AppMount } from './app.ts'

/**
 * What a request hook returns: 0 done, 1 call me again, -1 failed (uWSGI: UWSGI_OK, UWSGI_AGAIN, and below 0 an error).
 * After -1 a response that was not begun becomes a plain 500, and one that was begun is cut.
 */
export type RequestResult = 0 | 1 | -1

type MaybePromise<T> = T | Promise<T>

/** What hooks of the master get. */
export interface MasterContext {
  readonly log: Log
  readonly opt: OptionMap
  /** How many worker threads there will be. */
  readonly workers: number
  /** True when some configured app will be loaded by this plugin: a language nobody asked for need not be prepared. */
  readonly isNeeded: boolean
}

/** What hooks of a worker get; the same object in every hook of one worker. */
export interface WorkerContext<Data = unknown> {
  readonly log: Log
  readonly opt: OptionMap
  /** From 1. */
  readonly workerId: number
  /** How many requests the worker may hold at once (`--async`). */
  readonly cores: number
  readonly workers: number
  /** The plugin's own `data`, as the master's `init` left it. */
  readonly data: Data
  /** The `uwsgi` module, ready to be installed into a guest. */
  readonly api: BoundApi
  /** Bytes of memory one interpreter may use (`--memory-limit`). */
  readonly memoryLimit: number
  /** Directories where guests look for modules beside their own (`--pythonpath`). */
  readonly pythonPath: readonly string[]
  /** Reports progress while booting: shown at start-up as `worker 1: python booted in 0.62 s`. */
  booted(what: string, milliseconds: number): void
}

export interface Plugin<Data = unknown> {
  /** Mandatory, unique. */
  readonly name: string
  /** A second name under which it is found. */
  readonly alias?: string
  /** The request packets it serves, 0 to 255. A plugin with `request` and without it is refused. */
  readonly modifier1?: number
  /** File name extensions of apps it loads when a mount does not say which plugin is meant: `['.py', '.wsgi']`. */
  readonly appExtensions?: readonly string[]
  /** Left by `init` in the master, cloned into every worker. */
  data?: Data

  /** M: right after registration, before anything is started. */
  onLoad?(context: MasterContext): void
  /** M: after sockets are bound, before workers start. Prepares `data`. */
  init?(context: MasterContext): MaybePromise<void>
  /** M: after `init` of all plugins. */
  postInit?(context: MasterContext): MaybePromise<void>
  /** W: the worker's thread has started; boot what serves requests. */
  postFork?(context: WorkerContext<Data>): MaybePromise<void>
  /** W: before any app is loaded. */
  preinitApps?(context: WorkerContext<Data>): MaybePromise<void>
  /** W: load the apps that are this plugin's own business, beside mounts. */
  initApps?(context: WorkerContext<Data>): MaybePromise<void>
  /**
   * W: load one app. Returns the plugin's handle of it (anything but undefined), or undefined for "not mine", and the
   * next plugin is asked.
   * @throws AppLoadError with the guest's traceback as `details`
   */
  mountApp?(mount: AppMount, context: WorkerContext<Data>): MaybePromise<unknown>
  /** W: after all apps are loaded. */
  postinitApps?(context: WorkerContext<Data>): MaybePromise<void>
  /** W: just before the first request is taken. */
  fixup?(context: WorkerContext<Data>): void
  /**
   * W: serve one request. A hook that returns a number has done its work when it returns; one that returns a promise
   * holds its core until that settles, and other cores go on meanwhile. What the response lacks is completed by the
   * host: no status set means 500, an unfinished response is finished.
   */
  request?(request: WsgiRequest): RequestResult | Promise<RequestResult>
  /** W: after the response has been handed over, for accounting and clean-up. */
  afterRequest?(request: WsgiRequest): void
  /** W and M: at a clean end. */
  atexit?(): void
  /** W: the class name, message and traceback of what a hook of this plugin threw; undefined when it is not a guest's. */
  exceptionLog?(error: unknown): GuestError | undefined

  // Declared here so that a plugin written against this interface type-checks; they are called by the subsystems they
  // belong to (signals, RPC, mules, spooler, harakiri, async engines), and a host that has none of these never calls them.
  /** M: before the first worker (step 0); W: right after its start (step 1). */
  masterFixup?(step: 0 | 1): void
  /** M: before each worker is started. */
  preUwsgiFork?(): void
  /** M (step 0) and W (step 1): after a worker was started. */
  postUwsgiFork?(step: 0 | 1): void
  /** W: a signal that was registered by this plugin has arrived. True: handled. */
  signalHandler?(signum: number, handler: unknown): boolean
  /** W, U, S: run a function this plugin registered; undefined: failed. */
  rpc?(handler: unknown, args: readonly Uint8Array[]): Uint8Array | undefined
  /** W: save and restore interpreter state around a switch of cores. */
  suspend?(request: WsgiRequest): void
  resume?(request: WsgiRequest): void
  /** M: right before worker `workerId` is ended for having overrun its deadline. */
  harakiri?(workerId: number): void
  /** W: takes the worker over before its first request; it serves no requests until this settles. */
  hijackWorker?(): MaybePromise<void>
  /** U: run a mule's own program. True: it was mine. */
  mule?(program: string): MaybePromise<boolean>
  /** U: a message for a mule. True: handled. */
  muleMsg?(message: Uint8Array): boolean
  /** S: a job. -2 done, -1 retry, 0 not mine. */
  spooler?(file: string, vars: ReadonlyMap<string, Uint8Array>, body: Uint8Array): MaybePromise<number>
  spoolerInit?(): void
  /** M: a positional command-line argument. True: it was mine. */
  magic?(argument: string): boolean
  /** M: a packet on the UDP socket. True: consumed. */
  manageUdp?(address: string, port: number, packet: Uint8Array): boolean
  /** M: before the master exits or reloads. */
  masterCleanup?(): void
}
