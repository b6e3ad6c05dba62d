// One running server: sockets, master and workers, made from a configuration. The command and the embedding API are two
// thin faces of it. Two instances in one process share nothing.

import { closeSync, openSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import type { Server } from 'node:net'
import type { Configuration } from './config/index.ts'
import { ConfigError } from './errors.ts'
import { parseAddress, type SocketAddress } from './gateway/address.ts'
import { createFetch } from './gateway/fetch.ts'
import { createHttpListener, createHttpServer, type HttpGatewayOptions } from './gateway/http.ts'
import { listen } from './gateway/listen.ts'
import { createUwsgiServer } from './gateway/uwsgi.ts'
import { createLogger, type Logger, type LogSettings } from './log/logger.ts'
import { Master } from './master/master.ts'
import { planMounts } from './mounts.ts'
import { locatePlugin } from './plugin/locate.ts'

/** What the composition root knows and nobody else: where our own modules lie. */
export interface Parts {
  readonly version: string
  readonly workerEntry: string
  /** URLs of the plugins that are always there. */
  readonly plugins: readonly string[]
}

export interface BoundSocket {
  readonly protocol: 'http' | 'uwsgi'
  /** As a client writes it: `127.0.0.1:8080`, or the path of a unix socket. */
  readonly address: string
}

const standardError = 2

export class Instance {
  readonly configuration: Configuration
  readonly logger: Logger
  readonly master: Master
  readonly #servers: Server[] = []
  readonly #sockets: BoundSocket[] = []
  #logFd: number
  #stopped: Promise<number> | undefined

  constructor(configuration: Configuration, parts: Parts, cwd: string) {
    const { settings, opt } = configuration
    this.configuration = configuration
    this.#logFd = settings.logto === undefined ? standardError : openLog(settings.logto)
    const logSettings: LogSettings = {
      fd: this.#logFd,
      json: settings.logJson,
      format: settings.logFormat,
      micros: settings.logMicros,
      logRequests: !settings.disableLogging,
    }
    this.logger = createLogger(logSettings, { worker: 0 })
    this.master = new Master({
      version: parts.version,
      workers: settings.workers,
      cores: settings.async,
      listen: settings.listen,
      bufferSize: settings.bufferSize,
      needApp: settings.needApp,
      memoryLimit: settings.memoryLimit,
      pythonPath: settings.pythonpath,
      mounts: planMounts(settings, cwd),
      opt,
      plugins: [...parts.plugins, ...settings.plugin.flatMap((text) => locatePlugin(text, cwd) ?? [])],
      workerEntry: parts.workerEntry,
      logger: this.logger,
      logSettings,
    })
  }

  get sockets(): readonly BoundSocket[] {
    return this.#sockets
  }

  /**
   * Binds every configured socket, then starts the workers. Sockets listen before apps load: requests that come
   * meanwhile are held until the first worker is ready.
   */
  async start(): Promise<void> {
    const { settings, warnings } = this.configuration
    for (const warning of warnings) this.logger.text(`[warning] ${warning}`)
    for (const address of settings.httpSocket) await this.listen('http', parseAddress(address))
    for (const address of settings.socket) await this.listen('uwsgi', parseAddress(address))
    await this.master.start()
  }

  /** Binds one more socket. @throws PolywsgiError SOCKET_BIND */
  async listen(protocol: BoundSocket['protocol'], address: SocketAddress): Promise<BoundSocket> {
    const { settings } = this.configuration
    const server =
      protocol === 'http'
        ? createHttpServer(this.#httpOptions(true))
        : createUwsgiServer({ ...this.#httpOptions(true), socketTimeoutSeconds: settings.socketTimeout })
    const bound = await listen(server, { address, backlog: Math.max(settings.listen, kernelBacklog), mode: settings.chmodSocket })
    const socket = { protocol, address: bound }
    this.#servers.push(server)
    this.#sockets.push(socket)
    return socket
  }

  /** A node:http listener that serves by this instance's workers. */
  httpListener(): RequestListener {
    return createHttpListener(this.#httpOptions(false))
  }

  fetch(): (request: Request) => Promise<Response> {
    return createFetch(this.#httpOptions(false))
  }

  /**
   * Stops: sockets close, running requests get `reload-mercy` seconds, threads end. @returns requests that were cut off
   */
  stop(mercyMs = this.configuration.settings.reloadMercy * 1000): Promise<number> {
    this.#stopped ??= this.#stop(mercyMs)
    return this.#stopped
  }

  /** After the stop: nothing is logged any more. The descriptor's number may be another file's from here on. */
  closeLog(): void {
    this.logger.close()
    if (this.#logFd !== standardError) closeSync(this.#logFd)
    this.#logFd = standardError
  }

  async #stop(mercyMs: number): Promise<number> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    // Keep-alive connections without a request would hold the server open for as long as their clients like.
    for (const server of this.#servers)
      if ('closeIdleConnections' in server) (server as { closeIdleConnections(): void }).closeIdleConnections()
    const cutOff = await this.master.stop(mercyMs)
    for (const server of this.#servers)
      if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections()
    await Promise.race([Promise.all(closed), new Promise((resolve) => setTimeout(resolve, closeMs).unref())])
    this.logger.flush()
    return cutOff
  }

  /** @param ownsChunks false where the embedding program may read the same connection */
  #httpOptions(ownsChunks: boolean): HttpGatewayOptions {
    const { settings } = this.configuration
    return {
      submit: (exchange) => this.master.dispatcher.submit(exchange),
      log: (line) => this.logger.text(line),
      limits: { limitPost: settings.limitPost, postBuffering: settings.postBuffering, ownsChunks },
      bufferSize: settings.bufferSize,
      modifier1: settings.httpSocketModifier1,
      modifier2: settings.httpSocketModifier2,
      keepAliveSeconds: settings.httpKeepalive,
      timeoutSeconds: settings.httpTimeout,
    }
  }
}

const openLog = (path: string): number => {
  try {
    return openSync(path, 'a', 0o640)
  } catch (error) {
    throw new ConfigError('CONFIG_BAD_VALUE', `logto = ${path}: the file cannot be opened: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** uwsgi front ends open a connection per request: a short kernel queue would refuse them in bursts. */
const kernelBacklog = 511
/** Answers that are written get this long to leave, in milliseconds. */
const closeMs = 1000
