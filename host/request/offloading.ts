// What of a response is handed over: files, memory, connections and answers of RPC functions that the master sends, while the
// worker goes on. uWSGI's offload engines, on top of what WsgiRequest does with the response.
// Invariant: after one of these the response is over as far as the worker goes; what is written to it then is dropped.
import { PolywsgiError } from '../errors.ts'
import type { KnownFile } from '../files/containment.ts'
import type { MimeTypes } from '../files/mime-types.ts'
import { copyFile } from './copy-file.ts'
import type { OffloadOrder } from './offload-order.ts'
import { ResponseHeaders } from './response-headers.ts'
import { answerPart, type FilePart, findPart, type SendfileOptions } from './sendfile.ts'

export abstract class OffloadingResponse extends ResponseHeaders {
  #file: FilePart | undefined
  #isOffloaded = false
  #givenFd: number | undefined

  abstract readonly status: string
  abstract readonly headersSent: boolean
  abstract readonly finished: boolean
  abstract setHead(status: string, headers: string): void
  abstract writeBody(chunk: Uint8Array): void
  abstract finish(chunk?: Uint8Array): void

  /** Content types of files; undefined: the common ones. */
  protected abstract readonly mimeTypes: MimeTypes | undefined
  /** Can orders be sent at all? */
  protected abstract readonly hasMaster: boolean
  /** No head is sent from here on. */
  protected abstract beginRaw(): void
  /** Sends the head, if it is still to be sent, and the order. @param size bytes of the body, as far as they are known */
  protected abstract handOver(order: OffloadOrder, parcel: Uint8Array | undefined, size: number): void

  /** Can a response be handed to the master, so that this worker is free at once? (uWSGI: `can_offload`.) */
  get canOffload(): boolean {
    return this.hasMaster && !this.finished
  }

  /** True once the master has taken over the response. */
  get isOffloaded(): boolean {
    return this.#isOffloaded
  }

  /** The connection that was given away with it: it is closed by whoever got it. */
  get givenFd(): number | undefined {
    return this.#givenFd
  }

  /** True while a file waits to be the body (`setFile`). */
  get hasFile(): boolean {
    return this.#file !== undefined
  }

  /** The app has failed: what waits to be the body is not sent. */
  dropFile(): void {
    this.#file = undefined
  }

  /**
   * Sends a file, or a part of it, and ends the response; the worker is free at once (uWSGI: the engine `sendfile`). What was
   * not set is said of it: 200, Content-Type by the extension, Content-Length, Last-Modified; conditional requests get 304,
   * ranges 206 or 416. After a head has been sent the bytes follow it.
   * @param path absolute, or from the server's working directory
   * @throws PolywsgiError API_IO, API_REFUSED as `findPart` says: nothing has been sent then
   */
  sendfile(path: string, options: SendfileOptions = {}): void {
    this.setFile(path, options)
    this.finish()
  }

  /**
   * Makes a file the body, whatever is written to the body from here on: it is sent when the response is finished, with the
   * head that is set by then.
   * @returns the file that was found
   * @throws PolywsgiError as `sendfile`; HEADERS_SENT when the response is over
   */
  setFile(path: string, options: SendfileOptions = {}): KnownFile {
    if (this.finished) throw new PolywsgiError('HEADERS_SENT', 'the response is over')
    this.#file = findPart(path, options, this.mimeTypes)
    return this.#file.file
  }

  /**
   * Sends bytes as the whole rest of the body and ends the response; a slow client takes them from the master (uWSGI: the
   * engine `memory`). They are the master's from now on: memory of their own is moved there, and they are empty here.
   */
  offloadMemory(bytes: Uint8Array): void {
    if (this.canOffload) this.#offload({ engine: 'memory' }, bytes.length, bytes)
    else this.finish(bytes)
  }

  /**
   * Has the master connect to an address (`host:port`, the path of a unix socket), write `request` there, and send what comes
   * back to the client until its end (uWSGI: the engine `net`). With a status set, it is the body; without one it is the whole
   * response as it is. A number is a connection of `uwsgi.connect`, which is given away (uWSGI: the engine `pipe`).
   * @param timeoutMs how long the other side may be silent
   * @throws PolywsgiError API_REFUSED when this response cannot be handed over
   */
  offloadTransfer(target: string | number, request?: Uint8Array, timeoutMs = 60_000): void {
    this.#assertOffload()
    if (this.status === '' && !this.headersSent) this.beginRaw()
    const order: OffloadOrder =
      typeof target === 'number' ? { engine: 'pipe', fd: target, timeoutMs } : { engine: 'net', address: target, timeoutMs }
    this.#offload(order, 0, request)
  }

  /**
   * Has the master call an RPC function and send its answer as the body; the status and headers are those set before, 200
   * without any. No such function, or one that raises: the client gets 500, unless the head has been sent.
   * @throws PolywsgiError API_REFUSED when this response cannot be handed over
   */
  offloadRpc(name: string, args: readonly Uint8Array[] = []): void {
    this.#assertOffload()
    if (this.status === '' && !this.headersSent) this.setHead('200', '')
    const texts = args.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'))
    this.#offload({ engine: 'rpc', name, args: texts }, 0, undefined)
  }

  #assertOffload(): void {
    if (!this.canOffload) throw new PolywsgiError('API_REFUSED', 'this response cannot be handed over')
  }

  #offload(order: OffloadOrder, size: number, parcel: Uint8Array | undefined): void {
    this.handOver(order, parcel, size)
    this.#isOffloaded = true
    if (order.engine === 'pipe') this.#givenFd = order.fd
  }

  /** The file that waits is sent: the response is being finished. */
  protected sendWaitingFile(): void {
    const part = this.#file
    if (part === undefined) return
    this.#file = undefined
    const getVar = (name: string): string | undefined => this.getVar(name)
    let { offset, length } = part
    if (!this.headersSent) {
      const answer = answerPart(part, { status: this.status, headers: this.headerText, getVar })
      offset = answer.offset
      length = getVar('REQUEST_METHOD') === 'HEAD' ? 0 : answer.length
      this.setHead(answer.status, answer.headers)
    }
    if (length === 0) return this.finish()
    const { path, dev, ino } = part.file
    if (this.canOffload) return this.#offload({ engine: 'sendfile', path, dev, ino, offset, length }, length, undefined)
    copyFile(part.file, offset, length, (piece) => this.writeBody(piece))
    this.finish()
  }
}
