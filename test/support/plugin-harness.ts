// Runs one request plugin in this thread, without master, workers or sockets: hooks are called in the order a worker
// calls them, requests are real WsgiRequests, responses are collected in memory. For tests of bindings and plugins.

import { bindApi } from '../../host/api/bind.ts'
import type { ApiContext, Log } from '../../host/api/context.ts'
import type { GuestStops } from '../../host/api/guest-stops.ts'
import type { OptionMap } from '../../host/api/kinds.ts'
import { ClientError } from '../../host/errors.ts'
import type { App } from '../../host/plugin/app.ts'
import type { Plugin, WorkerContext } from '../../host/plugin/plugin.ts'
import { type RequestBody, WholeBody } from '../../host/request/body.ts'
import type { ResponseHead, ResponseSink } from '../../host/request/response-sink.ts'
import { WsgiRequest } from '../../host/request/wsgi-request.ts'
import { encodeVars } from '../../protocol/vars.ts'
import { testContext, testThread } from './api-context.ts'
import { TestStops } from './test-stops.ts'

export interface HarnessOptions {
  opt?: OptionMap
  workerId?: number
  cores?: number
  pythonPath?: readonly string[]
  memoryLimit?: number
  /** Nobody sets the word otherwise. */
  stops?: GuestStops
  /** Services that guests may use; what is not given refuses by name. */
  server?: Partial<ApiContext>
}

export interface HarnessRequest {
  method?: string
  path?: string
  query?: string
  /** Extra request variables, `HTTP_X_FOO` style; values may be any Latin-1. */
  vars?: Record<string, string>
  body?: string | Uint8Array
  /** Replaces the whole-in-memory body: for slow, cut or streamed ones. */
  bodySource?: RequestBody
  mountpoint?: string
  /** Which core serves it; 0 unless given. */
  coreId?: number
  /** The request, before its plugin gets it. */
  onOpen?: (request: WsgiRequest) => void
  /** The client, where it is one that leaves or is slow. */
  client?: HarnessClient
  /** Called on every chunk the plugin sends, before it is stored; throw to play a client that has gone. */
  onSend?: (chunk: Uint8Array | undefined) => void
  /** Resolves when the client leaves. Absent: nobody could tell. */
  clientLeaves?: Promise<void> | undefined
}

/** A client that a test plays. */
export class HarnessClient {
  isGone = false
  /** While true, what is sent has to wait. */
  isSlow = false
  readonly #left = Promise.withResolvers<void>()
  #caughtUp = Promise.withResolvers<void>()

  get leaves(): Promise<void> {
    return this.#left.promise
  }

  get catchesUp(): Promise<void> {
    return this.isSlow && !this.isGone ? this.#caughtUp.promise : Promise.resolve()
  }

  leave(): void {
    this.isGone = true
    this.#left.resolve()
    this.#caughtUp.resolve()
  }

  /** Takes what has been sent, and goes on being slow. */
  catchUp(isSlow = true): void {
    this.isSlow = isSlow
    const before = this.#caughtUp
    this.#caughtUp = Promise.withResolvers()
    before.resolve()
  }
}

export interface HarnessResponse {
  status: string
  /** Header lines in order. */
  headers: [string, string][]
  body: Uint8Array
  /** The chunks as they were sent. */
  chunks: Uint8Array[]
  /** `body` as UTF-8. */
  text: string
  /** True when the response was begun and ended before it was complete. */
  isCut: boolean
  result: number
}

class MemorySink implements ResponseSink {
  head: ResponseHead | undefined
  chunks: Uint8Array[] = []
  ended = false
  isCut = false
  readonly clientLeaves: Promise<void>
  readonly #onSend: ((chunk: Uint8Array | undefined) => void) | undefined
  readonly #client: HarnessClient

  constructor({ onSend, client = new HarnessClient(), clientLeaves = client.leaves }: HarnessRequest) {
    this.#onSend = onSend
    this.#client = client
    this.clientLeaves = clientLeaves
  }

  get clientGone(): boolean {
    return this.#client.isGone
  }

  needsRoom(): boolean {
    return this.#client.isSlow && !this.#client.isGone
  }

  send(head: ResponseHead | undefined, chunk: Uint8Array | undefined, last: boolean): void {
    if (this.ended) throw new Error('sent after the end of the response')
    if (head !== undefined) {
      if (this.head !== undefined) throw new Error('the head was sent twice')
      this.head = head
    }
    this.#onSend?.(chunk)
    if (chunk !== undefined && chunk.length > 0) this.chunks.push(Uint8Array.from(chunk))
    if (last) this.ended = true
  }

  async sendAsync(head: ResponseHead | undefined, chunk: Uint8Array | undefined, last: boolean): Promise<void> {
    await this.#client.catchesUp
    if (this.clientGone && !last) throw new ClientError('CLIENT_GONE', 'the client has closed its connection')
    this.send(head, chunk, last)
  }

  cut(): void {
    this.ended = true
    this.isCut = true
  }
}

export class PluginHarness {
  readonly plugin: Plugin
  readonly context: WorkerContext
  readonly apps: App[] = []
  /** Everything logged, one string per line (Latin-1 for raw bytes that are no UTF-8). */
  readonly logLines: string[] = []

  /** Of a plugin that has been started already; otherwise `boot`. */
  constructor(plugin: Plugin, context: WorkerContext, logLines: string[]) {
    this.plugin = plugin
    this.context = context
    this.logLines = logLines
  }

  static async boot(plugin: Plugin, options: HarnessOptions = {}): Promise<PluginHarness> {
    const logLines: string[] = []
    const log: Log = {
      text: (line) => void logLines.push(...line.split('\n')),
      bytes: (line) => void logLines.push(...Buffer.from(line).toString('utf8').split('\n')),
    }
    const opt = options.opt ?? new Map()
    const workerId = options.workerId ?? 1
    const master = { log, opt, options: new Map(), workers: 1, isNeeded: true }
    plugin.onLoad?.(master)
    await plugin.init?.(master)
    await plugin.postInit?.(master)
    const thread = testThread(workerId)
    const server = testContext({ log, opt, thread, ...options.server })
    const api = bindApi(server)
    const context: WorkerContext = {
      log,
      opt,
      options: new Map(),
      thread: server.thread,
      cores: options.cores ?? 1,
      workers: 1,
      data: plugin.data,
      api,
      server,
      stops: options.stops ?? new TestStops(false),
      memoryLimit: options.memoryLimit ?? 256 * 1024 * 1024,
      pythonPath: options.pythonPath ?? [],
      booted: () => {},
    }
    await plugin.postFork?.(context)
    await plugin.preinitApps?.(context)
    await plugin.initApps?.(context)
    return new PluginHarness(plugin, context, logLines)
  }

  /** Mounts an app by the plugin's `mountApp`. Throws what that throws. */
  async mount(source: string, mountpoint = '', callable?: string): Promise<App> {
    const handle = await this.plugin.mountApp?.({ mountpoint, source, callable }, this.context)
    if (handle === undefined) throw new Error(`${this.plugin.name} does not take ${source}`)
    const app: App = {
      id: this.apps.length,
      mountpoint,
      source,
      modifier1: this.plugin.modifier1 ?? 0,
      plugin: this.plugin,
      handle,
      startupMs: 0,
      requests: 0,
      exceptions: 0,
    }
    this.apps.push(app)
    return app
  }

  async request(request: HarnessRequest = {}): Promise<HarnessResponse> {
    const body = typeof request.body === 'string' ? new TextEncoder().encode(request.body) : (request.body ?? new Uint8Array(0))
    const path = request.path ?? '/'
    const mountpoint = request.mountpoint ?? this.apps.at(-1)?.mountpoint ?? ''
    const query = request.query ?? ''
    const vars: Record<string, string> = {
      REQUEST_METHOD: request.method ?? 'GET',
      REQUEST_URI: mountpoint + path + (query === '' ? '' : `?${query}`),
      SCRIPT_NAME: mountpoint,
      PATH_INFO: path,
      QUERY_STRING: query,
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_NAME: 'localhost',
      SERVER_PORT: '8080',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_PORT: '40000',
      REQUEST_SCHEME: 'http',
      HTTP_HOST: 'localhost:8080',
      CONTENT_LENGTH: body.length > 0 ? String(body.length) : '',
      CONTENT_TYPE: '',
      ...request.vars,
    }
    const sink = new MemorySink(request)
    const wsgiRequest = new WsgiRequest({
      coreId: request.coreId ?? 0,
      modifier1: this.plugin.modifier1 ?? 0,
      modifier2: 0,
      vars: encodeVars(Object.entries(vars)),
      body: request.bodySource ?? new WholeBody(body),
      sink,
      app: this.apps.find((app) => app.mountpoint === mountpoint),
    })
    request.onOpen?.(wsgiRequest)
    const result = await this.plugin.request?.(wsgiRequest)
    if (!wsgiRequest.finished && wsgiRequest.status !== '') {
      if (result === -1) wsgiRequest.cut()
      else wsgiRequest.finish()
    }
    this.plugin.afterRequest?.(wsgiRequest)
    const flat = sink.head?.headers === undefined || sink.head.headers === '' ? [] : sink.head.headers.split('\0')
    const headers: [string, string][] = []
    for (let index = 0; index < flat.length; index += 2) headers.push([flat[index] as string, flat[index + 1] as string])
    const whole = Buffer.concat(sink.chunks)
    return {
      status: sink.head?.status ?? '',
      headers,
      body: new Uint8Array(whole),
      chunks: sink.chunks,
      text: whole.toString('utf8'),
      isCut: sink.isCut,
      result: result ?? -1,
    }
  }

  close(): void {
    this.plugin.atexit?.()
  }
}
