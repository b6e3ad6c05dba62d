// The plugin interface: uWSGI's `struct uwsgi_plugin`, member by member, in camelCase. A plugin is a module whose default
// export is a `Plugin`. Hooks marked M run in the master's thread, W in every worker's, U in mules, S in the spooler.
// The master's instance of a plugin and the workers' instances share nothing but `data`, which is what the master's `init`
// left there, cloned once per thread: it is what crosses the fork. (A uWSGI worker is a process, ours is a thread.)
// When each hook runs, and in which order the plugins are asked, is declared once, in hook-table.ts.
import type { BoundApi } from '../api/bind.ts'
import type { ApiContext, Log, ThreadIdentity } from '../api/context.ts'
import type { FunctionOwner } from '../api/guest-function.ts'
import type { BytesMap, OptionMap } from '../api/kinds.ts'
import type { GuestError } from '../errors.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { AppMount } from './app.ts'
import type { PluginOption, PluginOptionValue } from './plugin-option.ts'

/**
 * What a request hook returns: 0 done, 1 call me again, -1 failed (uWSGI: UWSGI_OK, UWSGI_AGAIN, and below 0 an error).
 * After -1 a response that was not begun becomes a plain 500, and one that was begun is cut.
 */
export type RequestResult = 0 | 1 | -1

type MaybePromise<T> = T | Promise<T>

/** What every hook with a context gets. */
interface PluginContext {
  readonly log: Log
  /** All options as given (`uwsgi.opt`), those nobody knows included. */
  readonly opt: OptionMap
  /** How many worker threads there are. */
  readonly workers: number
  /** The values of the plugin's own `options`, by their names; an option that was not given has its default, or is not here. */
  readonly options: ReadonlyMap<string, PluginOptionValue>
}

/** What hooks of the master get. */
export interface MasterContext extends PluginContext {
  /** True when some configured app will be loaded by this plugin: a language nobody asked for need not be prepared. */
  readonly isNeeded: boolean
}

/** What hooks of a worker, mule or spooler get; the same object in every hook of one thread. */
export interface WorkerContext<Data = unknown> extends PluginContext {
  /** Which thread this is: a worker, a mule or a spooler. All of them load the apps, as uWSGI's inherit them by fork. */
  readonly thread: ThreadIdentity
  /** How many requests the worker may hold at once (`--async`). */
  readonly cores: number
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
  /**
   * Reports progress while booting: shown at start-up as `worker 1: python booted in 0.62 s`.
   * @param heapBytes reads how much memory the interpreter holds now; called again and again, so it is to be cheap
   */
  booted(what: string, milliseconds: number, heapBytes?: () => number): void
}

/**
 * A function that `--hook-*` and `--call-*` options can call. What it returns counts for the actions `callret` and `callintret`.
 * @param argument what stands after the function's name; undefined for nothing
 * @param request with `after-request-hook` only: the request that is done
 */
export type PluginFunction = (argument: string | undefined, request?: WsgiRequest) => MaybePromise<number | void>

/**
 * An action that `--hook-*` options can name (uWSGI: `uwsgi_register_hook`).
 * @param argument what stands after the action's colon, '' for nothing
 * @returns 0 or nothing: done; anything else, and what it throws: failed
 */
export type HookAction = (argument: string) => MaybePromise<number | void>

export interface Plugin<Data = unknown> extends FunctionOwner {
  /** Mandatory, unique. */
  readonly name: string
  /** A second name under which it is found. */
  readonly alias?: string
  /** The request packets it serves, 0 to 255. A plugin with `request` and without it is refused. */
  readonly modifier1?: number
  /** Options of its own: in `--help`, in configuration files, in `uwsgi.opt`. One that another has already is refused. */
  readonly options?: readonly PluginOption[]
  /** Functions for `--hook-*=call:NAME` and `--call-*`, by name, beside the functions that the module exports by name. */
  readonly functions?: Readonly<Record<string, PluginFunction>>
  /** Actions for `--hook-*`, by name. */
  readonly hookActions?: Readonly<Record<string, HookAction>>
  /** File name extensions of apps it loads when a mount does not say which plugin is meant: `['.py', '.wsgi']`. */
  readonly appExtensions?: readonly string[]
  /** Left by `init` in the master, cloned into every thread. */
  data?: Data

  /** M: right after registration, before anything is started. */
  onLoad?(context: MasterContext): void
  /** M: after sockets are bound, before workers start. Prepares `data`. */
  init?(context: MasterContext): MaybePromise<void>
  /** M: after `init` of all plugins. */
  postInit?(context: MasterContext): MaybePromise<void>
  /** M: after `postInit` of all plugins, where a worker has more than one core. Differs from uWSGI: cores share their worker's thread. */
  enableThreads?(): void
  /** M: before the first thread (step 0); W, U, S: right after the thread's start (step 1). */
  masterFixup?(step: 0 | 1): void
  /** M: before each thread is started. */
  preUwsgiFork?(): void
  /** M: after a thread was started (step 0); W, U, S: first of all in it (step 1). */
  postUwsgiFork?(step: 0 | 1): void
  /** M: once a second while the server runs. Differs from uWSGI, which declares it and never calls it. */
  masterCycle?(): void
  /** M: a positional command-line argument that is neither a configuration file nor an app. True: it was mine. */
  magic?(argument: string): boolean
  /** M: a packet on a `--udp` socket. True: consumed, and no other plugin is asked. */
  manageUdp?(address: string, port: number, packet: Uint8Array): boolean
  /** M: right before worker `workerId` is ended for having overrun its deadline. */
  harakiri?(workerId: number): void
  /** M: before the master reloads, and before it ends. */
  masterCleanup?(): void

  /**
   * W, U, S: the thread has started; boot what serves requests. Of a language, again when a plugin written in it had to be
   * stopped before any app was loaded: what it then boots takes the place of what it booted before.
   */
  postFork?(context: WorkerContext<Data>): MaybePromise<void>
  /**
   * W: may take the whole worker, before any app is loaded. False: it does not want it. A promise: it has taken it until that
   * settles, and no request is served here; then the worker has done its work, as it has at once after true, and another is
   * started in its place.
   */
  worker?(context: WorkerContext<Data>): boolean | Promise<unknown>
  /** W, U, S: before any app is loaded. */
  preinitApps?(context: WorkerContext<Data>): MaybePromise<void>
  /** W, U, S: load the apps that are this plugin's own business, beside mounts. */
  initApps?(context: WorkerContext<Data>): MaybePromise<void>
  /**
   * W, U, S: load one app. Returns the plugin's handle of it (anything but undefined), or undefined for "not mine", and the
   * next plugin is asked.
   * @throws AppLoadError with the guest's traceback as `details`
   */
  mountApp?(mount: AppMount, context: WorkerContext<Data>): MaybePromise<unknown>
  /** W, U, S: after all apps are loaded. */
  postinitApps?(context: WorkerContext<Data>): MaybePromise<void>
  /** W: once for every core but the first (0), before the first request. */
  initThread?(core: number): MaybePromise<void>
  /**
   * W, U, S: the apps are loaded and the thread begins its work; what a guest set as `uwsgi.post_fork_hook` runs here. In a
   * mule it may never return. Differs from uWSGI: the apps of a thread are loaded after its start, so this, and not
   * postFork, is where guests have something to run.
   */
  fixup?(context: WorkerContext<Data>): MaybePromise<void>
  /** W: takes the worker over before its first request; it serves no requests until this settles, which may be never. */
  hijackWorker?(context: WorkerContext<Data>): MaybePromise<void>

  /**
   * W: serve one request. A hook that returns a number has done its work when it returns; one that returns a promise
   * holds its core until that settles, and other cores go on meanwhile. What the response lacks is completed by the
   * host: no status set and nothing written means 500, an unfinished response is finished.
   */
  request?(request: WsgiRequest): RequestResult | Promise<RequestResult> | Promise<number>
  /**
   * W: the request that guest code runs for at this moment, where the plugin knows better than the order of calls; null: for none,
   * though one may be served below.
   */
  currentRequest?(): WsgiRequest | null | undefined
  /**
   * W: the request's core gives the CPU away: its hook has returned 1, or a promise. Of every plugin, so that one that keeps
   * state of the request that runs can save it.
   */
  suspend?(request: WsgiRequest): void
  /** W: the request's core has the CPU again: its hook is to be called anew, or its promise has settled. */
  resume?(request: WsgiRequest): void
  /** W: the response has been handed over; for accounting and clean-up. Of the plugin that served the request. */
  afterRequest?(request: WsgiRequest): void

  /** U: run a mule's own program, a file or `package.module:callable`, to its end. True: it was mine. */
  mule?(program: string, context: WorkerContext<Data>): MaybePromise<boolean>
  /** U: a message for a mule without a program of its own. True: handled. */
  muleMsg?(message: Uint8Array): MaybePromise<boolean>
  /** S: the spooler's thread has loaded its apps. */
  spoolerInit?(context: WorkerContext<Data>): void
  /** S: a job. -2 done, -1 retry, 0 not mine; any other number keeps the job too. Throwing retries. */
  spooler?(file: string, vars: BytesMap, body: Uint8Array): MaybePromise<number>
  /** W, U, S and M: at a clean end. */
  atexit?(): void

  /** W, U, S: the class name, message and traceback of what a hook of this plugin threw; undefined when it is not a guest's. */
  exceptionLog?(error: unknown): GuestError | undefined
  /** W: where what the request hook threw was thrown, for `--catch-exceptions`: a traceback as text. */
  backtrace?(error: unknown): string | Uint8Array | undefined
  /** W: the class of what the request hook threw (`ValueError`), for `--catch-exceptions` and `--reload-on-exception-type`. */
  exceptionClass?(error: unknown): string | Uint8Array | undefined
  /** W: its message, for `--catch-exceptions` and `--reload-on-exception-value`. */
  exceptionMsg?(error: unknown): string | Uint8Array | undefined
  /** W: both, as the language writes them (`ValueError: no such thing`), for `--catch-exceptions` and `--reload-on-exception-repr`. */
  exceptionRepr?(error: unknown): string | Uint8Array | undefined

  /** Any thread: bytes of this plugin as text for the host, such as what its exception hooks answer. UTF-8 without this. */
  decodeString?(bytes: Uint8Array): string
  /** M: evaluates `code` (a file) and calls its `functionName` with `key`, for the action `code:` of `--hook-*`. */
  codeString?(id: string, code: string, functionName: string, key: string): MaybePromise<string | undefined>

  /**
   * uWSGI's hooks around a jail, and those of an Emperor's vassals, which threads of one process cannot have. A plugin that brings
   * one is refused, with the reason that hook-table.ts gives.
   */
  readonly jail?: never
  readonly earlyPostJail?: never
  readonly postJail?: never
  readonly beforePrivilegesDrop?: never
  readonly vassal?: never
  readonly vassalBeforeExec?: never

  /** A language's own: file name extensions of plugins written in it. `--plugin ./hello.lua` is loaded by whoever has `.lua`. */
  readonly pluginExtensions?: readonly string[]
  /**
   * W, U, S, after `postFork`: a plugin written in this language. Its hooks run guest code. What `onLoad`, `init` and
   * `postInit` do in the master for others, they do in every thread for it: the master runs no guest code.
   * @throws AppLoadError with the guest's traceback as `details`
   */
  loadPlugin?(file: string, context: WorkerContext<Data>): MaybePromise<Plugin>
}
