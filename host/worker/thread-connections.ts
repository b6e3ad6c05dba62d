// The connections that guests of this thread have opened: which belongs to whom. The sockets are the master's, who knows
// threads and no requests.
// Invariant: a connection that was opened in a request is used by that request alone, and closed with it at the latest.
import type { Connections, Log } from '../api/context.ts'
import type { Wait } from '../api/waiting.ts'
import { ApiError } from '../errors.ts'
import { printable } from '../log/printable.ts'
import { Seldom } from '../log/seldom.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { MasterPort } from './master-port.ts'

export interface ThreadConnectionsOptions {
  readonly master: MasterPort
  readonly socketTimeoutMs: number
  readonly log: Log
  readonly current: () => WsgiRequest | undefined
}

export class ThreadConnections implements Connections {
  readonly #options: ThreadConnectionsOptions
  /** Undefined: the thread's, for all. */
  readonly #owners = new Map<number, WsgiRequest | undefined>()
  readonly #byRequest = new Map<WsgiRequest, Set<number>>()
  readonly #leaks = new Seldom()

  constructor(options: ThreadConnectionsOptions) {
    this.#options = options
  }

  /** How many are open. */
  get size(): number {
    return this.#owners.size
  }

  connect(address: string, timeoutMs: number): Wait<number> {
    return this.#opening('connect', { address, timeoutMs })
  }

  begin(address: string, timeoutMs: number): Wait<number> {
    return this.#opening('asyncConnect', { address, timeoutMs })
  }

  send(fd: number, data: Uint8Array): Wait<boolean> {
    this.#assertOwn('send', fd)
    const { master, socketTimeoutMs: timeoutMs } = this.#options
    const args = { fd, data, timeoutMs }
    return { park: () => master.call('send', args), promise: () => master.callAsync('send', args) }
  }

  receive(fd: number, max: number): Wait<Uint8Array | undefined> {
    this.#assertOwn('recv', fd)
    const { master, socketTimeoutMs: timeoutMs } = this.#options
    const args = { fd, max, timeoutMs }
    return { park: () => master.call('recv', args), promise: () => master.callAsync('recv', args) }
  }

  isConnected(fd: number): Wait<boolean> {
    const { master } = this.#options
    if (!this.owns(fd)) return { park: () => false, promise: () => false }
    return { park: () => master.call('isConnected', { fd }), promise: () => master.callAsync('isConnected', { fd }) }
  }

  close(fd: number): void {
    if (!this.owns(fd)) return
    const owner = this.#owners.get(fd)
    this.#owners.delete(fd)
    if (owner !== undefined) this.#byRequest.get(owner)?.delete(fd)
    this.#options.master.notify('closeFds', { fds: [fd] })
  }

  /** Whether the caller may use it. */
  owns(fd: number): boolean {
    if (!this.#owners.has(fd)) return false
    const owner = this.#owners.get(fd)
    return owner === undefined || owner === this.#options.current()
  }

  requestEnded(request: WsgiRequest): void {
    const fds = this.#byRequest.get(request)
    if (fds === undefined) return
    this.#byRequest.delete(request)
    for (const fd of fds) this.#owners.delete(fd)
    // The master has, or will have, taken it over: closing would overtake that.
    if (request.givenFd !== undefined) fds.delete(request.givenFd)
    if (fds.size === 0) return
    this.#options.master.notify('closeFds', { fds: [...fds] })
    const source = request.app?.source ?? `the plugin of modifier1 ${request.modifier1}`
    if (!this.#leaks.isDue(source)) return
    const them = fds.size === 1 ? 'a connection' : `${fds.size} connections`
    const which = printable(`${request.method} ${request.uri}`)
    this.#options.log.text(`${source} left ${them} open at the end of ${which}: closed`)
  }

  #opening(name: 'connect' | 'asyncConnect', args: { address: string; timeoutMs: number }): Wait<number> {
    const { master, current } = this.#options
    const owner = current()
    return {
      park: () => this.#opened(master.call(name, args), owner),
      promise: () => master.callAsync(name, args).then((fd) => this.#opened(fd, owner)),
    }
  }

  #opened(fd: number, owner: WsgiRequest | undefined): number {
    if (owner === undefined) this.#owners.set(fd, undefined)
    else if (owner.isOver) this.#options.master.notify('closeFds', { fds: [fd] })
    else {
      this.#owners.set(fd, owner)
      const own = this.#byRequest.get(owner)
      if (own === undefined) this.#byRequest.set(owner, new Set([fd]))
      else own.add(fd)
    }
    return fd
  }

  #assertOwn(functionName: string, fd: number): void {
    if (this.owns(fd)) return
    throw new ApiError(functionName, 'API_IO', `${fd} is no open connection of this request`)
  }
}
