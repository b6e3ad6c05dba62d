// The embedding API: a server inside a Node program.

import type { RequestListener } from 'node:http'
import type { Settings } from './config/index.ts'
import { PolywsgiError } from './errors.ts'
import { parseAddress } from './gateway/address.ts'
import type { BoundSocket } from './instance.ts'
import { Instance, parts, settingsFrom } from './main.ts'

export type { Settings } from './config/index.ts'
export { AppLoadError, ConfigError, type ErrorCode, GuestError, PolywsgiError } from './errors.ts'
export type { BoundSocket } from './instance.ts'

/** Every option of docs/options.md by its camelCase name, and mounts as an object. */
export interface HostOptions extends Partial<Omit<Settings, 'mount'>> {
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
  /** Stops: running requests get `reloadMercy` seconds. */
  close(): Promise<void>
}

/**
 * Starts workers and loads the apps. Resolves when all workers take requests.
 * @throws ConfigError for an option that is unknown or out of range; AppLoadError with `needApp` (default here: true)
 */
export const createHost = async (options: HostOptions = {}): Promise<Host> => {
  const { mounts = {}, cwd = process.cwd(), ...settings } = options
  const configuration = settingsFrom({
    needApp: true,
    disableLogging: true,
    ...settings,
    mount: Object.entries(mounts).map(([mountpoint, source]) => `${mountpoint}=${source}`),
  })
  const instance = new Instance(configuration, parts, cwd)
  try {
    await instance.start()
  } catch (error) {
    await instance.stop(0)
    instance.closeLog()
    throw error
  }
  const fetch = instance.fetch()
  let isClosed = false
  const close = async (): Promise<void> => {
    isClosed = true
    await instance.stop()
    instance.closeLog()
  }
  return {
    fetch: async (input, init) => {
      if (isClosed) throw new PolywsgiError('HOST_CLOSED', 'the host is closed')
      return await fetch(new Request(input, init))
    },
    handler: instance.httpListener(),
    listen: async ({ http, uwsgi }) => {
      const sockets: BoundSocket[] = []
      if (http !== undefined) sockets.push(await instance.listen('http', parseAddress(http)))
      if (uwsgi !== undefined) sockets.push(await instance.listen('uwsgi', parseAddress(uwsgi)))
      return sockets
    },
    get sockets() {
      return instance.sockets
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
