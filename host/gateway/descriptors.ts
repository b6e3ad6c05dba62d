// The connections that guests open: numbers, since no socket can cross to a thread. The master holds the sockets, a thread's
// calls read and write them one at a time.
// Invariant: a number means something only to the thread that got it, is never given twice, and its connection is closed at
// the latest when the thread ends.
import type { Socket } from 'node:net'
import { ApiError } from '../errors.ts'
import { connectTo } from './remote-client.ts'

/** Who calls, as in host/master/call-handlers.ts. */
interface Caller {
  readonly thread: number
}

/** Past every number that a client's connection can have (host/worker/slot-sink.ts). */
export const firstDescriptor = 2 ** 20

/** As a process's open files commonly are: a leak in a guest is found before the server has no descriptor left. */
const mostPerThread = 1024

/** Most bytes one call reads: more would lie in the master only to be copied again. */
export const mostReceived = 1024 * 1024

/** How long a connection that was given up may take to hand over what was written to it. */
const lingerMs = 4000

interface Descriptor {
  readonly socket: Socket
  /** Why nothing more can be done with it. */
  error: string | undefined
}

export class Descriptors {
  /** By thread, then by number. A number without a descriptor is being connected. */
  readonly #tables = new Map<number, Map<number, Descriptor | undefined>>()
  #next = firstDescriptor

  /** For the table of calls (host/master/call-handlers.ts). */
  readonly handlers = {
    connect: (args: { address: string; timeoutMs: number }, caller: Caller) => this.#connect(args, caller),
    send: (args: { fd: number; data: Uint8Array; timeoutMs: number }, caller: Caller) => this.#send(args, caller),
    recv: (args: { fd: number; max: number; timeoutMs: number }, caller: Caller) => this.#recv(args, caller),
    close: (args: { fd: number }, caller: Caller) => this.#close(args, caller),
    isConnected: (args: { fd: number }, caller: Caller) => this.#isConnected(args, caller),
  }

  /** @throws ApiError API_REFUSED for one connection too many, API_IO when there is none */
  async #connect({ address, timeoutMs }: { address: string; timeoutMs: number }, { thread }: Caller): Promise<number> {
    const table = this.#tables.get(thread) ?? new Map<number, Descriptor | undefined>()
    this.#tables.set(thread, table)
    if (table.size >= mostPerThread) {
      throw new ApiError('connect', 'API_REFUSED', `there are ${mostPerThread} open connections already: close some`)
    }
    const fd = this.#next
    this.#next += 1
    table.set(fd, undefined)
    let socket: Socket
    try {
      socket = await connectTo(address, timeoutMs)
    } catch (error) {
      table.delete(fd)
      throw new ApiError('connect', 'API_IO', (error as Error).message)
    }
    if (!table.has(fd)) {
      // The thread has ended meanwhile, and its table with it.
      socket.destroy()
      throw new ApiError('connect', 'API_IO', 'the thread has ended')
    }
    const descriptor: Descriptor = { socket, error: undefined }
    socket.on('error', (error: NodeJS.ErrnoException) => {
      descriptor.error = error.code ?? error.message
    })
    table.set(fd, descriptor)
    return fd
  }

  /**
   * Resolves when the system has taken the bytes.
   * @returns false when the other side is gone
   * @throws ApiError API_IO when it takes nothing for `timeoutMs`: how much of the data it got is then unknown, and the
   *   connection is closed
   */
  async #send({ fd, data, timeoutMs }: { fd: number; data: Uint8Array; timeoutMs: number }, caller: Caller): Promise<boolean> {
    const { socket } = this.#descriptor('send', fd, caller)
    if (!socket.writable) return false
    return await new Promise<boolean>((resolve, reject) => {
      // The callback never comes for a socket that is destroyed before it is read on the other side.
      const gone = (): void => finish(() => resolve(false))
      const timer = setTimeout(() => {
        socket.destroy()
        finish(() => reject(new ApiError('send', 'API_IO', `descriptor ${fd}: the other side takes nothing, connection closed`)))
      }, timeoutMs)
      const finish = (settle: () => void): void => {
        clearTimeout(timer)
        socket.off('close', gone)
        settle()
      }
      socket.once('close', gone)
      socket.write(data, (error) => finish(() => resolve(error === undefined || error === null)))
    })
  }

  /**
   * @returns at least one byte; undefined at the end, or when the connection failed
   * @throws ApiError API_IO when nothing comes for `timeoutMs`
   */
  async #recv(
    { fd, max, timeoutMs }: { fd: number; max: number; timeoutMs: number },
    caller: Caller,
  ): Promise<Uint8Array | undefined> {
    const { socket } = this.#descriptor('recv', fd, caller)
    const most = Math.min(max, mostReceived)
    const ready = take(socket, most)
    if (ready !== undefined || socket.readableEnded || socket.destroyed) return ready
    return await new Promise<Uint8Array | undefined>((resolve, reject) => {
      const timer = setTimeout(() => {
        stop()
        reject(new ApiError('recv', 'API_IO', `descriptor ${fd}: nothing came in ${timeoutMs / 1000} seconds`))
      }, timeoutMs)
      const look = (): void => {
        const bytes = take(socket, most)
        if (bytes === undefined && !socket.readableEnded && !socket.destroyed) return
        stop()
        resolve(bytes)
      }
      const stop = (): void => {
        clearTimeout(timer)
        for (const event of ['readable', 'end', 'close']) socket.off(event, look)
      }
      for (const event of ['readable', 'end', 'close']) socket.on(event, look)
      look()
    })
  }

  /** A number that is not there is nobody's to complain about, as in uWSGI. */
  #close({ fd }: { fd: number }, { thread }: Caller): undefined {
    const table = this.#tables.get(thread)
    const descriptor = table?.get(fd)
    table?.delete(fd)
    if (descriptor === undefined) return undefined
    const { socket } = descriptor
    // What was written still leaves; a side that does not read it must not keep the socket.
    setTimeout(() => socket.destroy(), lingerMs).unref()
    socket.resume()
    socket.destroySoon()
    return undefined
  }

  #isConnected({ fd }: { fd: number }, { thread }: Caller): boolean {
    const descriptor = this.#tables.get(thread)?.get(fd)
    return descriptor !== undefined && descriptor.error === undefined && !descriptor.socket.destroyed
  }

  /** The thread gives a connection away. @returns undefined when it has none of that number, or it has failed */
  take(fd: number, thread: number): Socket | undefined {
    const table = this.#tables.get(thread)
    const descriptor = table?.get(fd)
    if (descriptor === undefined || descriptor.socket.destroyed) return undefined
    table?.delete(fd)
    return descriptor.socket
  }

  threadEnded(thread: number): void {
    const table = this.#tables.get(thread)
    this.#tables.delete(thread)
    for (const descriptor of table?.values() ?? []) descriptor?.socket.destroy()
    table?.clear()
  }

  /** The server stops. */
  close(): void {
    for (const thread of [...this.#tables.keys()]) this.threadEnded(thread)
  }

  #descriptor(functionName: string, fd: number, { thread }: Caller): Descriptor {
    const descriptor = this.#tables.get(thread)?.get(fd)
    if (descriptor === undefined) throw new ApiError(functionName, 'API_IO', `${fd} is no open connection of this thread`)
    return descriptor
  }
}

/** What has come, at most so much, in memory of its own: it is posted, and a view takes all that is behind it along. */
const take = (socket: Socket, max: number): Uint8Array | undefined => {
  const length = Math.min(socket.readableLength, max)
  // Reading nothing is what makes the stream look for more, and notice its end.
  const bytes = socket.read(length) as Buffer | null
  return bytes === null || bytes.length === 0 ? undefined : new Uint8Array(bytes)
}
