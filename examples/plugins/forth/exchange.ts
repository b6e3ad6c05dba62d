// A request being served and the response a program writes to it: what it types is gathered, and sent at the end, when much
// has gathered, or when the program says so.
import type { WsgiRequest } from 'polywsgi/plugin'

/** When so much has gathered it is sent: a response of any size needs no more memory. */
const mostGathered = 64 * 1024
const noBodyStatus = /^(?:1\d\d|204|304)/

export class Exchange {
  readonly request: WsgiRequest
  readonly #headers: (readonly [name: string, value: string])[] = []
  #gathered = Buffer.allocUnsafe(1024)
  #length = 0

  constructor(request: WsgiRequest) {
    this.request = request
    request.prepareHeaders('200')
  }

  /** @throws PolywsgiError HEADERS_SENT, APP_RESPONSE for what is no status */
  setStatus(code: string): void {
    this.request.prepareHeaders(code)
    // Preparing has dropped them.
    for (const [name, value] of this.#headers) this.request.addHeader(name, value)
  }

  /** @throws PolywsgiError HEADERS_SENT, APP_RESPONSE for what HTTP does not allow */
  addHeader(name: string, value: string): void {
    this.request.addHeader(name, value)
    this.#headers.push([name, value])
  }

  write(bytes: Uint8Array): void {
    if (this.#length + bytes.length > mostGathered) {
      this.flush()
      if (bytes.length > mostGathered) return this.request.writeBody(bytes)
    }
    if (this.#length + bytes.length > this.#gathered.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#gathered.length * 4, this.#length + bytes.length))
      this.#gathered.copy(larger, 0, 0, this.#length)
      this.#gathered = larger
    }
    this.#gathered.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Sends the head, if it has not been sent, and what has gathered. */
  flush(): void {
    this.#completeHead(undefined)
    this.request.writeBody(this.#gathered.subarray(0, this.#length))
    this.#length = 0
  }

  finish(): void {
    this.#completeHead(this.#length)
    this.request.finish(this.#gathered.subarray(0, this.#length))
  }

  #completeHead(length: number | undefined): void {
    const { request } = this
    if (request.headersSent) return
    if (!this.#has('content-type')) request.addHeader('Content-Type', 'text/plain; charset=utf-8')
    if (length === undefined || noBodyStatus.test(request.status) || this.#has('content-length')) return
    request.addHeader('Content-Length', String(length))
  }

  #has(wanted: string): boolean {
    return this.#headers.some(([name]) => name.toLowerCase() === wanted)
  }
}
