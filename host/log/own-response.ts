// What the log says of a response that no app gave: a file that the master served itself.
import { findVar, iterateVars } from '../../protocol/vars.ts'
import type { LoggedRequest } from './request-line.ts'

export class OwnResponse implements LoggedRequest {
  readonly coreId = 0
  readonly logvars = undefined
  readonly writeErrors = 0
  readonly readErrors = 0
  readonly status: string
  readonly responseSize: number
  readonly #packet: Uint8Array
  readonly #headers: string

  /** @param headers names and values in turn, joined by NUL @param size bytes of the body */
  constructor(packet: Uint8Array, { status, headers, size }: { status: string; headers: string; size: number }) {
    this.#packet = packet
    this.status = status
    this.#headers = headers
    this.responseSize = size
  }

  get modifier1(): number {
    return this.#packet[0] as number
  }

  get modifier2(): number {
    return this.#packet[3] as number
  }

  get packetSize(): number {
    return this.#packet.length - 4
  }

  get headerCount(): number {
    return this.#headers === '' ? 0 : this.#headers.split('\0').length >> 1
  }

  get headersSize(): number {
    const statusLine = (this.getVar('SERVER_PROTOCOL') || 'HTTP/1.0').length + 1 + this.status.length + 2
    return statusLine + (this.#headers === '' ? 0 : this.#headers.length + 1 + 2 * this.headerCount) + 2
  }

  getVar(name: string): string | undefined {
    return findVar(this.#packet.subarray(4), name)
  }

  variables(): Iterable<readonly [string, string]> {
    return iterateVars(this.#packet.subarray(4))
  }
}
