// One connection that a guest has opened, from the moment its opening began.
// Invariant: it is read only while somebody waits for what comes, so that it holds one piece of 64 KiB at most; whoever waits
// for it is told of every change, its end included.
import type { NetConnectOpts, Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ApiError } from '../errors.ts'
import type { ConnectTarget } from './address.ts'
import { QuietSocket } from './quiet-socket.ts'
import { connectFault, noConnectionIn } from './remote-client.ts'

/** Most bytes one call reads: more would lie in the master only to be copied again. */
export const mostReceived = 1024 * 1024

/** How long a connection that was given up may take to hand over what was written to it. */
const lingerMs = 4000

/** What somebody waits for. */
export interface Interest {
  readonly read: boolean
  readonly write: boolean
}

export interface ConnectOptions {
  readonly target: ConnectTarget
  /** As the guest wrote it: for messages. */
  readonly address: string
  readonly timeoutMs: number
}

export class GuestConnection {
  readonly fd: number
  /** Of a unix socket. */
  readonly isLocal: boolean
  readonly #socket = new QuietSocket()
  readonly #watchers = new Set<() => void>()
  /** Why there is no connection, or none any more. */
  #failure: Error | undefined
  #wasConnected = false
  #hasEnded = false
  /** The guest has closed it, or the socket is no more. */
  #isOver = false

  constructor(fd: number, { target, address, timeoutMs }: ConnectOptions) {
    this.fd = fd
    this.isLocal = 'path' in target
    const socket = this.#socket
    const timer = setTimeout(() => socket.destroy(noConnectionIn(address, timeoutMs)), timeoutMs)
    socket.once('connect', () => {
      clearTimeout(timer)
      this.#wasConnected = true
      this.#changed()
    })
    socket.on('error', (error) => {
      this.#failure ??= this.#wasConnected ? error : connectFault(address, error)
    })
    socket.once('close', () => {
      clearTimeout(timer)
      this.#isOver = true
      this.#changed()
    })
    socket.on('readable', this.#lookIntoStream)
    socket.once('end', () => {
      this.#hasEnded = true
      this.#changed()
    })
    socket.on('drain', () => this.#changed())
    socket.connect({ ...target, noDelay: true } as NetConnectOpts)
  }

  /** Resolves when it is connected. @throws PolywsgiError API_IO saying why it is not */
  async opened(): Promise<void> {
    await this.#until(() => this.#wasConnected)
    if (!this.#wasConnected) throw this.#failure ?? new ApiError('connect', 'API_IO', 'the thread has ended')
  }

  /** The socket has no error: so it is also while the connection is in progress. */
  async isConnected(): Promise<boolean> {
    if (this.#wasConnected && this.#socket.isQuiet && !this.#isOver) {
      // That the other side has reset it shows only to one who reads: after the next poll of the event loop.
      this.#socket.ask()
      await nextTurn()
      await nextTurn()
    }
    return this.#failure === undefined && !this.#isOver && !this.#socket.destroyed
  }

  /** What is over is ready: nothing more is to be waited for. */
  isReady({ read, write }: Interest): boolean {
    if (this.#isOver) return true
    return (read && this.#isReadable) || (write && this.#wasConnected && !this.#socket.writableNeedDrain)
  }

  /** Calls back, at once or later, until it is told to stop, whenever it may have become ready. */
  watch(interest: Interest, listener: () => void): () => void {
    const look = (): void => {
      if (this.isReady(interest)) listener()
      else if (interest.read) this.#socket.ask()
    }
    this.#watchers.add(look)
    look()
    return () => this.#watchers.delete(look)
  }

  /** How many wait for it. */
  get watchers(): number {
    return this.#watchers.size
  }

  /** How many bytes were read of what the other side has sent. */
  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  /**
   * Resolves when the system has taken the bytes, which it does not before there is a connection.
   * @returns false when the other side is gone, or there is no connection
   * @throws ApiError API_IO when it takes nothing for `timeoutMs`: how much of the data it got is then unknown, and the
   *   connection is closed
   */
  async send(data: Uint8Array, timeoutMs: number): Promise<boolean> {
    const socket = this.#socket
    if (!socket.writable) return false
    let isTaken: boolean | undefined
    socket.write(data, (error) => {
      isTaken = error === undefined || error === null
      this.#changed()
    })
    // The callback never comes for a socket that is destroyed before it is read on the other side.
    const isInTime = await this.#until(() => isTaken !== undefined, timeoutMs)
    if (isInTime) return isTaken === true
    socket.destroy()
    const why = this.#wasConnected ? 'the other side takes nothing' : 'there is no connection yet'
    throw new ApiError('send', 'API_IO', `descriptor ${this.fd}: ${why}, connection closed`)
  }

  /**
   * @returns at least one byte; undefined at the end, or when the connection failed
   * @throws ApiError API_IO when nothing comes for `timeoutMs`
   */
  async recv(max: number, timeoutMs: number): Promise<Uint8Array | undefined> {
    const isInTime = await this.#until(() => this.#isReadable, timeoutMs, true)
    // What came before a failure can still be read.
    if (isInTime) return take(this.#socket, Math.min(max, mostReceived))
    throw new ApiError('recv', 'API_IO', `descriptor ${this.fd}: nothing came in ${timeoutMs / 1000} seconds`)
  }

  /** What was written still leaves; a side that does not read it must not keep the socket. */
  close(): void {
    const socket = this.#socket
    if (socket.connecting && socket.writableLength === 0) socket.destroy()
    if (!socket.destroyed) {
      const timer = setTimeout(() => socket.destroy(), lingerMs).unref()
      socket.once('close', () => clearTimeout(timer))
      socket.off('readable', this.#lookIntoStream)
      socket.resume()
      socket.free()
      socket.destroySoon()
    }
    this.#isOver = true
    this.#changed()
  }

  destroy(): void {
    this.#socket.destroy()
    this.#isOver = true
    this.#changed()
  }

  /** Gives it away. @returns undefined when it has failed */
  release(): Socket | undefined {
    const socket = this.#socket
    if (socket.destroyed) return undefined
    socket.off('readable', this.#lookIntoStream)
    socket.free()
    this.#isOver = true
    this.#changed()
    return socket
  }

  get #isReadable(): boolean {
    return this.#isOver || this.#hasEnded || this.#socket.readableLength > 0
  }

  readonly #lookIntoStream = (): void => {
    // Reading nothing is what makes the stream notice its end.
    if (this.#socket.readableLength === 0) this.#socket.read(0)
    else this.#changed()
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher()
  }

  /** Resolves to false when neither `isSo` nor the end of the connection comes within the time. */
  async #until(isSo: () => boolean, timeoutMs?: number, isReading = false): Promise<boolean> {
    if (isSo() || this.#isOver) return true
    return await new Promise<boolean>((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => finish(false), timeoutMs)
      const look = (): void => {
        if (isSo() || this.#isOver) finish(true)
        else if (isReading) this.#socket.ask()
      }
      const finish = (isInTime: boolean): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        resolve(isInTime)
      }
      this.#watchers.add(look)
      look()
    })
  }
}

/** What has come, at most so much, in memory of its own: it is posted, and a view takes all that is behind it along. */
const take = (socket: Socket, max: number): Uint8Array | undefined => {
  const bytes = socket.read(Math.min(socket.readableLength, max)) as Buffer | null
  return bytes === null || bytes.length === 0 ? undefined : new Uint8Array(bytes)
}
