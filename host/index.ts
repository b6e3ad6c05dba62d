// The embedding API: a server inside a Node program.

import type { RequestListener } from 'node:http'
import type { Settings } from './config/index.ts'
import { PolywsgiError } from './errors.ts'
import { parseAddress } from './gateway/address.ts'
import { HostCache } from './host-cache.ts'
import type { BoundSocket } from './instance.ts'
import { createPluginLoader, Instance, loadSettings, parts } from './main.ts'
import type { HostFunction } from './master/rpc-router.ts'
import type { HostStats } from './stats.ts'

export type { Settings } from './config/index.ts'
export { AppLoadError, ConfigError, type ErrorCode, GuestError, PolywsgiError } from './errors.ts'
export type { HostCache } from './host-cache.ts'
export type { BoundSocket } from './instance.ts'
export type { HostFunction } from './master/rpc-router.ts'
export type { HostStats, WorkerStats } from './stats.ts'

/**
 * The options of plugins, by their camelCase names: `foobarGreeting` for `foobar-greeting`. They are checked when the plugins
 * are loaded; for the compiler a plugin, or a program, declares them:
 * `declare module 'polywsgi' { interface PluginSettings { foobarGreeting?: string } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: others fill it.
export interface PluginSettings {}

/**
 * Every option of docs/options.md by its camelCase name, and mounts as an object; options of plugins by theirs. Guests are
 * sandboxed unless `sandbox` is false: they connect to nothing but `allowConnect`, read nothing but `allowRead`, `allowWrite` and the
 * directories of their code, write nothing but `allowWrite`, see nothing of the environment but `allowEnv`.
 */
export interface HostOptions extends Partial<Omit<Settings, 'mount'>>, PluginSettings {
  /** Mountpoint to app: `{ '/py': './app.py', '/lua': './app.lua' }`. Paths are relative to `cwd`. */
  readonly mounts?: Readonly<Record<string, string>>
  /** Where relative paths begin. Default: `process.cwd()`. */
  readonly cwd?: string
}

export interface ListenOptions {
  /** `127.0.0.1:8080`, `:0`, or the path of a unix socket. */
  readonly http?: string
  readonly uwsgi?: string
}

export interface Host extends AsyncDisposable {
  /**
   * Serves a web-standard request. A refused or failed one resolves to its 4xx or 5xx response.
   * @throws PolywsgiError HOST_CLOSED
   */
  fetch(input: Request | string | URL, init?: RequestInit): Promise<Response>
  /** A node:http request listener: `http.createServer(host.handler)`, `app.use('/guests', host.handler)`. */
  readonly handler: RequestListener
  /** Binds sockets beside those of the options. Resolves to the addresses, with the ports the system chose. */
  listen(options: ListenOptions): Promise<readonly BoundSocket[]>
  /** The sockets that are bound. */
  readonly sockets: readonly BoundSocket[]
  /**
   * The cache of a name, or the default one: what guests see, read and written from here. Undefined: there is no such cache.
   */
  cache(name?: string): HostCache | undefined
  /**
   * Calls a function that a guest, or this program, has registered. Text arguments are sent as UTF-8.
   * @returns its answer; undefined when it answered nothing
   * @throws PolywsgiError API_REFUSED when there is no such function, WORKER_DIED when its thread ends, HOST_CLOSED; GuestError
   *   when it raised
   */
  rpc(name: string, ...args: readonly (string | Uint8Array)[]): Promise<Uint8Array | undefined>
  /** Lets guests call a function of this program by a name. @returns what ends that */
  registerRpc(name: string, fn: HostFunction): () => void
  /** Raises a signal, 0 to 255. @returns false when nobody received it @throws RangeError */
  signal(signum: number): boolean
  /** Has a function called, beside the guests' handlers, whenever the signal is raised. @returns what ends that */
  onSignal(signum: number, listener: (signum: number) => void): () => void
  stats(): HostStats
  /**
   * Loads the apps anew: a new generation of threads boots while the old one serves, and takes over when it is ready. Resolves when
   * all threads are newer than the call; what cannot be loaded leaves the old ones serving.
   * @throws AppLoadError for an app that loaded before, and for any with `needApp`, PolywsgiError WORKER_DIED when a thread cannot
   *   start anew, HOST_CLOSED
   */
  reload(): Promise<void>
  /**
   * Opens the file of `logto` anew, which a program has moved away. Resolves when nothing is written to the one before any more.
   * @throws PolywsgiError LOG_FILE when there is none, or it cannot be opened: the log goes on in the old one; HOST_CLOSED
   */
  reopenLog(): Promise<void>
  /**
   * Moves the file of `logto` away and begins a new one; two within a second are one.
   * @returns the path where it is now; undefined when somebody else had moved it, so that it was only opened anew
   * @throws PolywsgiError LOG_FILE when there is none, or it cannot be moved: the log goes on where it was; HOST_CLOSED
   */
  rotateLog(): Promise<string | undefined>
  /** Stops: running requests get `reloadMercy` seconds. */
  close(): Promise<void>
}

/**
 * Starts workers and loads the apps. Resolves when all workers take requests.
 * @throws ConfigError for an option that is unknown or out of range; PolywsgiError PLUGIN_LOAD for a plugin of `needPlugin`
 *   that cannot be loaded; AppLoadError with `needApp` (default here: true)
 */
export const createHost = async (options: HostOptions = {}): Promise<Host> => {
  const { mounts = {}, cwd = process.cwd(), ...settings } = options
  const given = {
    needApp: true,
    disableLogging: true,
    ...settings,
    ...sandboxed(settings),
    mount: Object.entries(mounts).map(([mountpoint, source]) => `${mountpoint}=${source}`),
  }
  const configuration = await loadSettings(given, cwd, createPluginLoader(cwd))
  const instance = new Instance(configuration, parts, cwd)
  let isClosed = false
  const close = async (): Promise<void> => {
    isClosed = true
    await instance.stop()
    instance.closeLog()
  }
  const refuseIfClosed = (): void => {
    if (isClosed) throw new PolywsgiError('HOST_CLOSED', 'the host is closed')
  }
  // An app may say so while it is loaded: then there is no host.
  instance.onStopAsked = () => {
    close().catch((error: Error) => process.stderr.write(`polywsgi: the host could not be closed: ${error.stack}\n`))
  }
  try {
    await instance.start()
  } catch (error) {
    await instance.stop(0)
    instance.closeLog()
    throw error
  }
  const fetch = instance.fetch()
  return {
    fetch: async (input, init) => {
      refuseIfClosed()
      return await fetch(new Request(input, init))
    },
    handler: instance.httpListener(),
    listen: async ({ http, uwsgi }) => {
      refuseIfClosed()
      const sockets: BoundSocket[] = []
      if (http !== undefined) sockets.push(await instance.listen('http', parseAddress(http)))
      if (uwsgi !== undefined) sockets.push(await instance.listen('uwsgi', parseAddress(uwsgi)))
      return sockets
    },
    get sockets() {
      return instance.sockets
    },
    cache: (name) => {
      const { caches } = instance.services.shared
      const cache = name === undefined ? caches.values().next().value : caches.get(name)
      return cache === undefined ? undefined : new HostCache(cache)
    },
    rpc: async (name, ...args) => {
      refuseIfClosed()
      return await instance.services.callRpc(name, args.map(argumentOf))
    },
    registerRpc: (name, fn) => {
      instance.services.rpc.register(name, fn)
      return () => instance.services.rpc.unregister(name, fn)
    },
    signal: (signum) => {
      const checked = checkedSignum(signum)
      return !isClosed && instance.services.signals.route(checked)
    },
    onSignal: (signum, listener) => instance.services.signals.onSignal(checkedSignum(signum), listener),
    stats: () => instance.stats(),
    reload: async () => {
      refuseIfClosed()
      await instance.reload()
    },
    reopenLog: async () => await instance.logFile.reopen(),
    rotateLog: async () => await instance.logFile.rotate(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** On unless it is turned off. An empty list of addresses allows none, while the option that is not given may allow all. */
const sandboxed = ({ sandbox = true, allowConnect }: HostOptions): Pick<HostOptions, 'sandbox' | 'allowConnect'> => {
  if (Array.isArray(allowConnect) && allowConnect.length === 0) return { sandbox, allowConnect: ['none'] }
  return allowConnect === undefined ? { sandbox } : { sandbox, allowConnect }
}

const utf8 = new TextEncoder()

const argumentOf = (value: string | Uint8Array): Uint8Array => {
  if (typeof value === 'string') return utf8.encode(value)
  if (value instanceof Uint8Array) return value
  throw new TypeError(`an argument of an rpc function is text or bytes, not ${value === null ? 'null' : typeof value}`)
}

const checkedSignum = (signum: number): number => {
  if (Number.isInteger(signum) && signum >= 0 && signum <= 255) return signum
  throw new RangeError(`a signal is a number from 0 to 255, not ${signum}`)
}
