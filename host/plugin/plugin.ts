// The plugin interface: uWSGI's `struct uwsgi_plugin`, member by member, in camelCase. A plugin is a module whose default
// export is a `Plugin`. Hooks marked M run in the master's thread, W in every worker's, U in mules, S in the spooler.
// The master's instance of a plugin and the workers' instances share nothing but `data`, which is what the master's `init`
// left there, cloned once per worker: it is what crosses the fork. (A uWSGI worker is a process, ours is a thread.)
import type { BoundApi } from '../api/bind.ts'
import type { ApiContext, Log, ThreadIdentity } from '../api/context.ts'
import type { FunctionOwner } from '../api/guest-function.ts'
import type { BytesMap, OptionMap } from '../api/kinds.ts'
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
  /** Which thread this is: a worker, a mule or a spooler. All of them load the apps, as uWSGI's inherit them by fork. */
  readonly thread: ThreadIdentity
  /** How many requests the worker may hold at once (`--async`). */
  readonly cores: number
  readonly workers: number
  /** The plugin's own `data`, as the master's `init` left it. */
  readonly data: Data
  /** The `uwsgi` module, ready to be installed into a guest. */
  readonly api: BoundApi
  /** What the functions of that module work on: caches, locks, signals, RPC, mules. */
  readonly server: ApiContext
  /** Bytes of memory one interpreter may use (`--memory-limit`). */
  readonly memoryLimit: number
  /** Directories where guests look for modules beside their own (`--pythonpath`). */
  readonly pythonPath: readonly string[]
  /** Reports progress while booting: shown at start-up as `worker 1: python booted in 0.62 s`. */
  booted(what: string, milliseconds: number): void
}

export interface Plugin<Data = unknown> extends FunctionOwner {
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
  /**
   * W, U, S: the apps are loaded and the thread begins its work; what a guest set as `uwsgi.post_fork_hook` runs here. In a
   * mule it may never return. Differs from uWSGI: the apps of a thread are loaded after its start, so this, and not
   * postFork, is where guests have something to run.
   */
  fixup?(context: WorkerContext<Data>): MaybePromise<void>
  /**
   * W: serve one request. A hook that returns a number has done its work when it returns; one that returns a promise
   * holds its core until that settles, and other cores go on meanwhile. What the response lacks is completed by the
   * host: no status set means 500, an unfinished response is finished.
   */
  request?(request: WsgiRequest): RequestResult | Promise<RequestResult>
  /** W: the request that guest code runs for at this moment, where the plugin knows better than the order of calls. */
  currentRequest?(): WsgiRequest | undefined
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
  /** W: save and restore interpreter state around a switch of cores. */
  suspend?(request: WsgiRequest): void
  resume?(request: WsgiRequest): void
  /** M: right before worker `workerId` is ended for having overrun its deadline. */
  harakiri?(workerId: number): void
  /** W: takes the worker over before its first request; it serves no requests until this settles. */
  hijackWorker?(): MaybePromise<void>
  /** U: run a mule's own program, a file or `package.module:callable`, to its end. True: it was mine. */
  mule?(program: string, context: WorkerContext<Data>): MaybePromise<boolean>
  /** U: a message for a mule without a program of its own. True: handled. */
  muleMsg?(message: Uint8Array): MaybePromise<boolean>
  /** S: a job. -2 done, -1 retry, 0 not mine; any other number keeps the job too. Throwing retries. */
  spooler?(file: string, vars: BytesMap, body: Uint8Array): MaybePromise<number>
  /** S: the spooler's thread has loaded its apps. */
  spoolerInit?(context: WorkerContext<Data>): void
  /** M: a positional command-line argument. True: it was mine. */
  magic?(argument: string): boolean
  /** M: a packet on the UDP socket. True: consumed. */
  manageUdp?(address: string, port: number, packet: Uint8Array): boolean
  /** M: before the master exits or reloads. */
  masterCleanup?(): void
}
