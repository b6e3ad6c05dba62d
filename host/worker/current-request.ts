// The request that guest code is running for, as functions of the API see it.

import { dirname, isAbsolute, resolve } from 'node:path'
import type { CurrentRequest } from '../api/context.ts'
import { ClientError, PolywsgiError } from '../errors.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'

export class CurrentRequestView implements CurrentRequest {
  readonly #request: WsgiRequest
  readonly connectionFd: number
  readonly #fileRoots: readonly string[]

  /** @param fileRoots directories from which guests may send files, beside their own app's */
  constructor(request: WsgiRequest, fileRoots: readonly string[] = []) {
    this.#request = request
    this.#fileRoots = fileRoots
    this.connectionFd = request.connectionFd
  }

  get coreId(): number {
    return this.#request.coreId
  }

  get isConnected(): boolean {
    return !this.#request.clientGone
  }

  get contentLength(): number {
    return this.#request.body.contentLength
  }

  sendRaw(data: Uint8Array): boolean {
    const request = this.#request
    if (request.finished || request.clientGone) return false
    try {
      request.writeRaw(data)
    } catch (error) {
      // The client left while the bytes were on their way.
      if (error instanceof ClientError) return false
      throw error
    }
    return true
  }

  receive(max: number): Uint8Array | undefined {
    const piece = this.#request.body.read(max)
    // A copy: a piece is a view on memory that the next request will lie in.
    return piece.length === 0 ? undefined : new Uint8Array(piece)
  }

  async sendRawAsync(data: Uint8Array): Promise<boolean> {
    const request = this.#request
    if (request.finished || request.clientGone) return false
    try {
      await request.writeRawAsync(data)
    } catch (error) {
      if (error instanceof ClientError) return false
      throw error
    }
    return true
  }

  receiveAsync(max: number): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const { body } = this.#request
    if (body.canReadNow?.() !== false) return this.receive(max)
    return body.readAsync(max).then((piece) => (piece.length === 0 ? undefined : new Uint8Array(piece)))
  }

  suspended(): void {
    this.#request.switches += 1
  }

  get isOver(): boolean {
    return this.#request.isOver
  }

  disconnect(): void {
    this.#request.disconnect()
  }

  sendFile(path: string, offset: number, length: number): boolean {
    const request = this.#request
    const source = request.app?.source
    // A module's name tells no directory: it was found in the working directory, or on the python path.
    const own = source === undefined ? [] : [isAbsolute(source) ? dirname(source) : resolve('.')]
    try {
      request.setFile(path, { offset, length, roots: [...own, ...this.#fileRoots] })
    } catch (error) {
      if (error instanceof PolywsgiError && error.code === 'API_IO') return false
      throw error
    }
    return true
  }

  setLogvar(name: string, value: Uint8Array): void {
    this.#request.setLogvar(name, value)
  }

  getLogvar(name: string): Uint8Array | undefined {
    return this.#request.logvars?.get(name)
  }

  logThisRequest(): void {
    this.#request.logThis = true
  }
}
