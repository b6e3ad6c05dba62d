// The request that everything in a worker passes on: what `struct wsgi_request` is to uWSGI's plugins. It holds the vars
// block as it came over the wire, the body, the app that was chosen, and the response under way.
// Invariant: the head goes out exactly once, before the first body byte, after that every attempt to change it throws; or the
// response is raw, without a head: then one that is set is only for the log.
import { ClientError, PolywsgiError } from '../errors.ts'
import type { MimeTypes } from '../files/mime-types.ts'
import type { App } from '../plugin/app.ts'
import type { RequestBody } from './body.ts'
import { type BodyChunk, bytesOf } from './body-chunk.ts'
import { BodyReader } from './body-reader.ts'
import type { HeaderChange } from './header-change.ts'
import { checkedStatus, checkHeaders } from './header-rules.ts'
import { joinHeaders } from './header-text.ts'
import type { OffloadOrder } from './offload-order.ts'
import { OffloadingResponse } from './offloading.ts'
import { namedAnswer } from './request-id.ts'
import type { ResponseHead, ResponseSink } from './response-sink.ts'

export interface WsgiRequestFields {
  /** Number of the core (slot for one running request) in its worker, from 0. */
  readonly coreId: number
  readonly modifier1: number
  readonly modifier2: number
  /**
   * The vars block: repeated `u16le length, key, u16le length, value`. Where a key occurs twice the last one counts.
   * The request's own: it stays as it is for as long as anybody holds it.
   */
  readonly vars: Uint8Array
  readonly body: RequestBody
  readonly sink: ResponseSink
  /** The app the request was routed to; undefined when the plugin has no app or none matched. */
  readonly app: App | undefined
  /** The body of the answer to a failure; undefined: a plain one. */
  readonly describeFailure?: ((request: WsgiRequest, error: unknown) => Uint8Array | undefined) | undefined
  /** What is done to the headers before they go out. */
  readonly changeHeaders?: HeaderChange | undefined
  /** Content types of files; absent: the common ones. */
  readonly mimeTypes?: MimeTypes
  /** When it was taken by its core, as `performance.now()` has it; now unless said otherwise. */
  readonly startedAt?: number
}

/**
 * A request and its response. In groups, as uWSGI's structure has them: the parsed variables (`method`, `uri`, `getVar`,
 * `setVar`...: request-vars.ts), the body (`body`, `input`), the head (`prepareHeaders`, `addHeader`, `addContentLength`...:
 * response-headers.ts), the response (`writeBody`, `finish`...; `sendfile` and what else is handed over: offloading.ts), counters (`responseSize`, `headersSize`, `writeErrors`...) and
 * flags (`doNotLog`, `logThis`, `doNotAccount`).
 */
export class WsgiRequest extends OffloadingResponse {
  readonly coreId: number
  readonly modifier1: number
  readonly modifier2: number
  readonly body: RequestBody
  readonly app: App | undefined

  readonly #sink: ResponseSink
  readonly #describeFailure: WsgiRequestFields['describeFailure']
  readonly #changeHeaders: HeaderChange | undefined
  protected override readonly mimeTypes: MimeTypes | undefined
  #status = ''
  #headers = ''
  #headersSent = false
  #finished = false
  #responseSize = 0
  #isRaw = false
  #isDisconnected = false
  /** Set by who wants this request's line in the log even with `disable-logging`. */
  logThis = false
  /** Set by who wants no line of this request in the log. It counts more than `logThis`. */
  doNotLog = false
  /** Set by who wants this request in none of the counters of its app, its core and its worker. */
  doNotAccount = false
  /** What the app or the plugin has raised. */
  exception: unknown
  /** How often its handler was given the CPU (uWSGI: `switches`). */
  switches = 1
  /** Set when its core has done with it, or its time is over: what comes of it later is for nobody. */
  isOver = false
  /**
   * Ends the handler where it stands. Set by its plugin while the handler waits; called by the loop, which has answered the
   * client by then: the promise of the request hook is to settle soon.
   */
  onCancel: ((error: PolywsgiError) => void) | undefined
  #logvars: Map<string, Uint8Array> | undefined
  #writeErrors = 0
  #input: BodyReader | undefined
  readonly #startedAt: number

  constructor(fields: WsgiRequestFields) {
    super(fields.vars)
    this.#startedAt = fields.startedAt ?? performance.now()
    this.coreId = fields.coreId
    this.modifier1 = fields.modifier1
    this.modifier2 = fields.modifier2
    this.body = fields.body
    this.app = fields.app
    this.#sink = fields.sink
    this.#describeFailure = fields.describeFailure
    this.#changeHeaders = fields.changeHeaders
    this.mimeTypes = fields.mimeTypes
  }

  /**
   * The body with what plugins want of it: lines, exact amounts, seeking. What is read here is not there for `body` any more, so a
   * plugin uses one of the two.
   */
  get input(): BodyReader {
    this.#input ??= new BodyReader(this.body)
    return this.#input
  }

  /** Bytes of the body: 0 without one, -1 when the client did not say (uWSGI: `post_cl`). */
  get contentLength(): number {
    return this.body.contentLength
  }

  /** When its core took the request, in milliseconds since the epoch, with fractions (uWSGI: `start_of_request`, in microseconds). */
  get startedAt(): number {
    return performance.timeOrigin + this.#startedAt
  }

  /** `200 OK`, or '' while the plugin has not set one. */
  get status(): string {
    return this.#status
  }

  /** True once no head can be sent any more: it has been, or the response is raw. */
  get headersSent(): boolean {
    return this.#headersSent
  }

  /** True for a response without a head, whose bytes reach the client as they are. */
  get isRaw(): boolean {
    return this.#isRaw
  }

  /** True once the response has been handed over whole. */
  get finished(): boolean {
    return this.#finished
  }

  get clientGone(): boolean {
    return this.#isDisconnected || this.#sink.clientGone
  }

  /** Tells the master when its worker is to be done with it. @param end as `sharedNow` has it; 0 for never */
  noteDeadline(end: number): void {
    this.#sink.setDeadline?.(end)
  }

  /** Resolves when the client's connection is closed. */
  get clientLeaves(): Promise<void> {
    return this.clientGone ? Promise.resolve() : (this.#sink.clientLeaves ?? new Promise(() => {}))
  }

  /** True when a write of so many bytes would park the thread until the client has taken others. */
  needsRoom(size: number): boolean {
    return this.#sink.needsRoom?.(size) ?? false
  }

  /** Resolves when the client has taken enough of what was written; undefined when it has. */
  get roomAppears(): Promise<void> | undefined {
    return this.#sink.roomAppears
  }

  /** The number under which guests know the client's connection; -1 when it has none. */
  get connectionFd(): number {
    return this.#sink.connectionFd ?? -1
  }

  /** Values that guests set for the log's format (`%(name)`), by name. */
  get logvars(): ReadonlyMap<string, Uint8Array> | undefined {
    return this.#logvars
  }

  /** @param value text is UTF-8 in the log */
  setLogvar(name: string, value: Uint8Array | string): void {
    this.#logvars ??= new Map()
    this.#logvars.set(name, bytesOf(value))
  }

  /** How often the response could not be written: the client had gone. */
  get writeErrors(): number {
    return this.#writeErrors
  }

  /** How often the body could not be read: the client had gone, or did not send it in time. */
  get readErrors(): number {
    return this.body.readErrors ?? 0
  }

  /** Body bytes written so far. */
  get responseSize(): number {
    return this.#responseSize
  }

  get headerCount(): number {
    return this.#headers === '' ? 0 : this.#headers.split('\0').length >> 1
  }

  /** Bytes of the whole head as a uwsgi client gets it: status line, header lines and the empty line. 0 for a response without one. */
  get headersSize(): number {
    if (this.#status === '' || this.#isRaw) return 0
    const statusLine = (this.getVar('SERVER_PROTOCOL') || 'HTTP/1.0').length + 1 + this.#status.length + 2
    // Each line has four more characters than its name and value (`: ` and CRLF), where the joined text has two NULs.
    const lines = this.#headers === '' ? 0 : this.#headers.length + 1 + 2 * this.headerCount
    return statusLine + lines + 2
  }

  /**
   * Sets the status line and drops headers added before (uWSGI: `uwsgi_response_prepare_headers`). A bare code gets its
   * standard reason.
   * @param status `200`, `200 OK`, or the number
   * @throws PolywsgiError HEADERS_SENT, APP_RESPONSE for a status of another form
   */
  prepareHeaders(status: string | number): void {
    this.#assertHeadersPending()
    this.#status = checkedStatus(String(status))
    this.#headers = ''
  }

  override addHeader(name: string, value: string): void {
    this.#assertHeadersPending()
    const header = `${name}\0${value}`
    checkHeaders(header, 2)
    this.#headers = joinHeaders(this.#headers, header)
  }

  protected override get headerText(): string {
    return this.#headers
  }

  protected override replaceHeaderText(headers: string): void {
    this.#assertHeadersPending()
    this.#headers = headers
  }

  /**
   * Status and all headers at once, for bindings: names and values in turn, joined by NUL (so a value cannot hold one).
   * @throws PolywsgiError as `prepareHeaders` and `addHeader` do
   */
  setHead(status: string, headers: string): void {
    this.#assertHeadersPending()
    const checked = checkedStatus(status)
    if (headers !== '') checkHeaders(headers, undefined)
    this.#status = checked
    this.#headers = headers
  }

  /**
   * Sends a body chunk, and the head before the first one: its status is `200 OK` where none was set. Parks the thread while the client is slower than the app.
   * @throws ClientError CLIENT_GONE when there is nobody to send to: an app that streams should learn of it
   */
  writeBody(chunk: BodyChunk): void {
    const bytes = bytesOf(chunk)
    if (!this.#takes(bytes)) return
    try {
      this.#sink.send(this.#takeHead(), bytes, false, this.#isRaw)
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async writeBodyAsync(chunk: BodyChunk): Promise<void> {
    const bytes = bytesOf(chunk)
    if (!this.#takes(bytes)) return
    try {
      await this.#sink.sendAsync(this.#takeHead(), bytes, false, this.#isRaw)
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /**
   * Sends bytes that are no body but the client's as they are. After the head they are bytes like those of the body; before
   * it they are the response: no head is sent, whether one was set or not, and the connection closes after the last byte.
   * Without bytes, that alone: a raw response that is empty closes the connection without a word.
   * @throws ClientError CLIENT_GONE as `writeBody`
   */
  writeRaw(chunk: BodyChunk): void {
    this.beginRaw()
    this.writeBody(chunk)
  }

  async writeRawAsync(chunk: BodyChunk): Promise<void> {
    this.beginRaw()
    await this.writeBodyAsync(chunk)
  }

  /** Ends the response, with the last (or only) chunk if there is one: a whole small response is one message. */
  finish(chunk?: BodyChunk): void {
    if (this.#finished) return
    if (this.hasFile) return this.sendWaitingFile()
    const bytes = chunk === undefined ? undefined : bytesOf(chunk)
    this.#finished = true
    this.#sink.send(this.#takeHead(), bytes, true, this.#isRaw)
    this.#responseSize += bytes?.length ?? 0
  }

  async finishAsync(chunk?: BodyChunk): Promise<void> {
    if (this.#finished) return
    if (this.hasFile) return this.sendWaitingFile()
    const bytes = chunk === undefined ? undefined : bytesOf(chunk)
    this.#finished = true
    await this.#sink.sendAsync(this.#takeHead(), bytes, true, this.#isRaw)
    this.#responseSize += bytes?.length ?? 0
  }

  /**
   * Ends a response that was begun and cannot be completed: the client's connection is cut, so that it does not take what
   * it got for the whole. Before the headers are sent there is nothing to cut, and the host answers 500.
   */
  cut(): void {
    if (this.#finished || !this.#headersSent) return
    this.#finished = true
    this.#sink.cut()
  }

  /**
   * Answers for what the app has raised: a plain 500, or, with `catch-exceptions`, what it was. A begun response is for the host to cut.
   * @param error a GuestError, or whatever the plugin's exception hooks know
   */
  fail(error: unknown): void {
    this.exception ??= error
    if (this.#headersSent || this.#finished) return
    this.#answer('500 Internal Server Error', 'Content-Type\0text/plain', this.#describeFailure?.(this, error))
  }

  /** Answers in the name of a handler that took too long: 504, or, when its response has begun, the end of that. */
  timeOut(requestId?: string): void {
    if (this.#finished || this.#headersSent) return this.cut()
    const { headers, text } = namedAnswer('Gateway Timeout', requestId)
    this.#answer('504 Gateway Timeout', headers, text)
  }

  #answer(status: string, headers: string, text: BodyChunk = status.slice(4)): void {
    this.dropFile()
    this.#sink.unlimited?.()
    this.setHead(status, headers)
    this.finish(text)
  }

  /**
   * Closes the client's connection after what was written (uWSGI: `uwsgi_disconnect`); a head that was not sent never is.
   * The handler may go on: `writeBody` then throws that the client is gone, and what is set or finished is discarded. The
   * request body can no longer be read.
   */
  disconnect(): void {
    const wasOver = this.#finished
    this.#isDisconnected = true
    this.#finished = true
    if (wasOver) return
    // After a head the flag says that the connection is to be closed, whatever the protocol would do with it.
    if (!this.#headersSent) this.#isRaw = true
    this.#headersSent = true
    this.#sink.send(undefined, undefined, true, true)
  }

  /** False: there is nothing to be sent for this chunk. */
  #takes(chunk: Uint8Array): boolean {
    if (this.#isDisconnected) throw this.#failed(new ClientError('CLIENT_GONE', 'the client has been disconnected'))
    // What is said after the response was given away is said to nobody.
    if (this.isOffloaded || this.hasFile || (chunk.length === 0 && this.#headersSent)) return false
    this.#responseSize += chunk.length
    return true
  }

  #failed(error: unknown): unknown {
    if (error instanceof ClientError) this.#writeErrors += 1
    return error
  }

  protected override get hasMaster(): boolean {
    return this.#sink.offload !== undefined
  }

  protected override handOver(order: OffloadOrder, parcel: Uint8Array | undefined, size: number): void {
    this.#sink.offload?.(this.#takeHead(), order, parcel, this.#isRaw)
    this.#finished = true
    this.#responseSize += size
  }

  protected override beginRaw(): void {
    this.#isRaw ||= !this.#headersSent
    this.#headersSent = true
  }

  #takeHead(): ResponseHead | undefined {
    if (this.#headersSent) return undefined
    if (this.#status === '') this.#status = '200 OK'
    this.#headersSent = true
    if (this.#changeHeaders !== undefined) this.#headers = this.#changeHeaders(this.#headers)
    return { status: this.#status, headers: this.#headers }
  }

  #assertHeadersPending(): void {
    if (this.#headersSent && !this.#isRaw && !this.#isDisconnected && !this.isOffloaded)
      throw new PolywsgiError('HEADERS_SENT', 'the headers have already been sent')
  }
}
