// The connections that guests open: numbers, since no socket can cross to a thread. The master holds the sockets, a thread's
// calls read and write them, and wait for them.
// Invariant: a number means something only to the thread that got it, is never given twice, and its connection is closed at
// the latest when the thread ends. A wait has one outcome, and leaves nothing behind.
import type { Socket } from 'node:net'
import { ApiError, PolywsgiError } from '../errors.ts'
import type { ConnectTarget } from './address.ts'
import type { ConnectPermission } from './connect-permission.ts'
import { GuestConnection, type Interest } from './guest-connection.ts'

/** Who calls, as in host/master/call-handlers.ts. */
interface Caller {
  readonly thread: number
}

interface ConnectArguments {
  readonly address: string
  readonly timeoutMs: number
}

interface Wait {
  readonly id: number
  readonly fds: readonly (Interest & { readonly fd: number })[]
  readonly timeoutMs: number
}

/** Past every number that a client's connection can have (host/worker/slot-sink.ts). */
export const firstDescriptor = 2 ** 20

export interface DescriptorsOptions {
  readonly permission: ConnectPermission
  /** Connections that one thread may have open. */
  readonly most: number
}

/**
 * Connections of one thread. As a process's open files commonly are: a leak in a guest is found before the server has no
 * descriptor left. Where requests are held by the hundred, each may have some: what it leaves open is closed with it.
 */
export const mostConnections = (cores: number): number => 1024 + (cores > 1 ? 16 * cores : 0)

/** Nothing was ready. */
const none = -1

/** A timer ends at 24.8 days; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1

class ThreadTable {
  readonly connections = new Map<number, GuestConnection>()
  /** By the thread's own numbers: what ends a wait. */
  readonly waits = new Map<number, () => void>()
}

export class Descriptors {
  readonly #permission: ConnectPermission
  readonly #most: number
  readonly #tables = new Map<number, ThreadTable>()
  #next = firstDescriptor

  /** For the table of calls (host/master/call-handlers.ts). */
  readonly handlers = {
    connect: (args: ConnectArguments, caller: Caller) => this.#connect(args, caller),
    asyncConnect: (args: ConnectArguments, caller: Caller) => this.#begin(args, caller),
    send: async ({ fd, data, timeoutMs }: { fd: number; data: Uint8Array; timeoutMs: number }, caller: Caller) =>
      await this.#connection('send', fd, caller).send(data, timeoutMs),
    recv: async ({ fd, max, timeoutMs }: { fd: number; max: number; timeoutMs: number }, caller: Caller) =>
      await this.#connection('recv', fd, caller).recv(max, timeoutMs),
    /** A number that is not there is nobody's to complain about, as in uWSGI. */
    close: ({ fd }: { fd: number }, caller: Caller): undefined => this.#close([fd], caller),
    isConnected: async ({ fd }: { fd: number }, { thread }: Caller): Promise<boolean> =>
      (await this.#tables.get(thread)?.connections.get(fd)?.isConnected()) ?? false,
    waitFds: (wait: Wait, caller: Caller) => this.#wait(wait, caller),
  }

  /** For the table of notices. */
  readonly noticeHandlers = {
    cancelWait: ({ id }: { id: number }, { thread }: Caller): void => this.#tables.get(thread)?.waits.get(id)?.(),
    closeFds: ({ fds }: { fds: readonly number[] }, caller: Caller): void => this.#close(fds, caller),
  }

  constructor({ permission, most }: DescriptorsOptions) {
    this.#permission = permission
    this.#most = most
  }

  /** @throws ApiError API_IO when there is none */
  async #connect(args: ConnectArguments, caller: Caller): Promise<number> {
    return await this.#opened('connect', this.#open('connect', args, caller), caller)
  }

  /** Of a unix socket it is known at once whether somebody listens: what fails at once raises, as for an address that is none. */
  #begin(args: ConnectArguments, caller: Caller): number | Promise<number> {
    const connection = this.#open('async_connect', args, caller)
    return connection.isLocal ? this.#opened('async_connect', connection, caller) : connection.fd
  }

  async #opened(functionName: string, connection: GuestConnection, { thread }: Caller): Promise<number> {
    try {
      await connection.opened()
    } catch (error) {
      this.#tables.get(thread)?.connections.delete(connection.fd)
      throw error instanceof ApiError ? error : new ApiError(functionName, 'API_IO', (error as Error).message)
    }
    return connection.fd
  }

  /** @throws ApiError API_REFUSED for one connection too many and where guests may not connect, API_IO for what is no address */
  #open(functionName: string, { address, timeoutMs }: ConnectArguments, { thread }: Caller): GuestConnection {
    const target = this.#target(functionName, address)
    const { connections } = this.#table(thread)
    if (connections.size >= this.#most) {
      throw new ApiError(functionName, 'API_REFUSED', `there are ${this.#most} open connections already: close some`)
    }
    const connection = new GuestConnection(this.#next, { target, address, timeoutMs })
    this.#next += 1
    connections.set(connection.fd, connection)
    return connection
  }

  #target(functionName: string, address: string): ConnectTarget {
    try {
      return this.#permission.target(address)
    } catch (error) {
      if (!(error instanceof PolywsgiError)) throw error
      throw new ApiError(functionName, error.code === 'API_REFUSED' ? 'API_REFUSED' : 'API_IO', error.message)
    }
  }

  async #wait({ id, fds, timeoutMs }: Wait, caller: Caller): Promise<number> {
    const watched = fds.map(({ fd, read, write }) => {
      const connection = this.#tables.get(caller.thread)?.connections.get(fd)
      if (connection !== undefined) return { connection, interest: { read, write } }
      const why = `unable to fd ${fd} to the event queue: it is no open connection of this thread`
      throw new ApiError(read ? 'wait_fd_read' : 'wait_fd_write', 'API_IO', why)
    })
    const ready = watched.find(({ connection, interest }) => connection.isReady(interest))
    if (ready !== undefined) return ready.connection.fd
    const { waits } = this.#table(caller.thread)
    waits.get(id)?.()
    return await new Promise<number>((resolve) => {
      const stops: (() => unknown)[] = []
      let isOver = false
      const finish = (fd: number): void => {
        isOver = true
        clearTimeout(timer)
        for (const stop of stops) stop()
        if (waits.get(id) === cancel) waits.delete(id)
        resolve(fd)
      }
      const cancel = (): void => finish(none)
      const timer = timeoutMs > 0 ? setTimeout(cancel, Math.min(timeoutMs, longestTimerMs)) : undefined
      waits.set(id, cancel)
      for (const { connection, interest } of watched) {
        const stop = connection.watch(interest, () => finish(connection.fd))
        stops.push(stop)
        if (isOver) return void stop()
      }
    })
  }

  #close(fds: readonly number[], { thread }: Caller): undefined {
    const connections = this.#tables.get(thread)?.connections
    for (const fd of fds) {
      const connection = connections?.get(fd)
      connections?.delete(fd)
      connection?.close()
    }
    return undefined
  }

  /** The thread gives a connection away. @returns undefined when it has none of that number, or it has failed */
  take(fd: number, thread: number): Socket | undefined {
    const connections = this.#tables.get(thread)?.connections
    const socket = connections?.get(fd)?.release()
    if (socket !== undefined) connections?.delete(fd)
    return socket
  }

  /** How many wait for a descriptor. */
  watchers(fd: number, thread: number): number {
    return this.#tables.get(thread)?.connections.get(fd)?.watchers ?? 0
  }

  /** How many bytes were read of what the other side has sent. */
  bytesRead(fd: number, thread: number): number {
    return this.#tables.get(thread)?.connections.get(fd)?.bytesRead ?? 0
  }

  threadEnded(thread: number): void {
    const table = this.#tables.get(thread)
    this.#tables.delete(thread)
    for (const cancel of [...(table?.waits.values() ?? [])]) cancel()
    for (const connection of table?.connections.values() ?? []) connection.destroy()
  }

  /** The server stops. */
  close(): void {
    for (const thread of [...this.#tables.keys()]) this.threadEnded(thread)
  }

  #table(thread: number): ThreadTable {
    const table = this.#tables.get(thread) ?? new ThreadTable()
    this.#tables.set(thread, table)
    return table
  }

  #connection(functionName: string, fd: number, { thread }: Caller): GuestConnection {
    const connection = this.#tables.get(thread)?.connections.get(fd)
    if (connection === undefined) throw new ApiError(functionName, 'API_IO', `${fd} is no open connection of this thread`)
    return connection
  }
}
