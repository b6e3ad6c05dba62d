// Socket I/O for plugins: connections to other servers that never block the thread. Made for hooks that return a promise: they
// await these, and the worker's other cores, and its signals, go on meanwhile. A hook that returns no promise cannot await; it
// calls the parking functions of the uwsgi API instead (`connect`, `send`, `recv` of `context.api.functions`), which hold its worker.
//
// uWSGI                                         here
// uwsgi_connect, uwsgi_connectn                 connect
// uwsgi_read_nb, uwsgi_read_whole_true_nb       readExactly
// uwsgi_read_true_nb                            read; at the end of the stream 0 bytes, which there is -1
// uwsgi_write_nb, uwsgi_write_true_nb           write
// uwsgi_read_uh, uwsgi_read_response            readPacket
// uwsgi_read_with_realloc                       readPacket, readToEnd
// uwsgi_pipe, uwsgi_pipe_sized                  pipe, with `limit`
// uwsgi_proxy_nb                                connect, write, pipe (docs/plugin-sockets.md)
// wait_read_hook, wait_write_hook               waitReadable, waitWritable
// wait_read2_hook                               Promise.race of two waitReadable
// wait_milliseconds_hook                        waitMilliseconds
// uwsgi_is_again                                nothing: a read waits, it never says "again"
// uwsgi_disconnect                              request.disconnect()
//
// Invariant: what lies here unread is bounded: the socket is read only while somebody waits for more than is here.
import type { Socket } from 'node:net'
import { decodeHeader, headerSize } from '../../protocol/packet.ts'
import { PolywsgiError, TimeoutError } from '../errors.ts'
import { connectTo } from '../gateway/remote-client.ts'
import { ByteQueue } from '../request/byte-queue.ts'
import { socketDefaults } from './socket-timeout.ts'
import { SocketWaiters } from './socket-waiters.ts'

export interface SocketTimeout {
  /**
   * Seconds for which the other side may be silent, or take nothing: each byte that comes begins them anew. `--socket-timeout`
   * unless said otherwise. Above 0, at most 86400.
   */
  readonly timeout?: number
}

export interface SocketLimit extends SocketTimeout {
  /** Most bytes. */
  readonly limit?: number
}

/** A uwsgi packet as it came. */
export interface SocketPacket {
  readonly modifier1: number
  readonly modifier2: number
  /** At most 65535 bytes. */
  readonly block: Buffer
}

/** Where `pipe` puts what it reads: another socket, or a function, whose promise holds the reading back. */
export type PipeTarget = PluginSocket | ((bytes: Buffer) => Promise<void> | void)

/** As many bytes as one read, or one step of a write, is about. */
const pieceSize = 65_536
/** Most bytes `readExactly` keeps together. */
const mostExactly = 64 * 1024 * 1024
const defaultReadLimit = 8 * 1024 * 1024
const longestTimeout = 86_400
const newline = 10

/**
 * Connects to a server.
 * @param address `host:port`, `[ipv6]:port`, the path of a unix socket, or `@name` in the abstract namespace
 * @throws TimeoutError; PolywsgiError API_IO naming the address and why there is no connection, API_ARGUMENT for a bad timeout
 */
export const connect = async (address: string, options: SocketTimeout = {}): Promise<PluginSocket> =>
  new PluginSocket(await connectTo(address, milliseconds(options.timeout)), address)

/** Resolves after so many milliseconds, from 0 (uWSGI: `wait_milliseconds_hook`). @throws PolywsgiError API_ARGUMENT */
export const waitMilliseconds = (count: number): Promise<void> => {
  if (!(count >= 0 && count <= longestTimeout * 1000)) {
    throw new PolywsgiError('API_ARGUMENT', `a wait takes 0 to ${longestTimeout * 1000} milliseconds, not ${count}`)
  }
  return new Promise((resolve) => setTimeout(resolve, count))
}

/**
 * A connection that `connect` has opened. One read at a time: a second one before the first has settled is refused with
 * API_REFUSED. Writes may be many, and go out in the order of the calls. Every method throws PolywsgiError API_IO, naming the
 * address and the reason, when the connection has failed; what had come before is read first.
 */
export class PluginSocket implements AsyncDisposable {
  /** As it was given to `connect`. */
  readonly address: string
  readonly #socket: Socket
  readonly #waiters = new SocketWaiters()
  readonly #received = new ByteQueue()
  #isReading = false
  /** The other side has sent its last byte. */
  #ended = false
  /** Why nothing more can be done. */
  #failure: string | undefined
  #writing: Promise<void> | undefined

  /** Takes over a connected socket that nobody has read from. */
  constructor(socket: Socket, address: string) {
    this.address = address
    this.#socket = socket
    socket.pause()
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk)
      this.#waiters.progress()
      if (this.#waiters.isEmpty) socket.pause()
    })
    socket.once('end', () => {
      this.#ended = true
      this.#waiters.releaseAll()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(reasonOf(error)))
    socket.once('close', () => this.#fail('the connection was closed'))
  }

  /** True when nothing can be written any more: the connection has failed or was closed. */
  get closed(): boolean {
    return this.#failure !== undefined
  }

  /**
   * What is here, at least one byte, or waits for it. Empty at the end of what the other side sends.
   * @param max most bytes, from 1
   * @throws TimeoutError after which the socket can be used as before
   */
  read(max = pieceSize, options: SocketTimeout = {}): Promise<Buffer> {
    return this.#reading(async () => {
      checkedCount('the number of bytes', max, 1, Number.MAX_SAFE_INTEGER)
      await this.#hold(() => this.#received.length > 0, options.timeout)
      if (this.#received.length === 0) this.#assertNoFailure()
      return this.#received.take(max)
    })
  }

  /**
   * So many bytes, from 0 to 64 MB.
   * @throws TimeoutError; PolywsgiError API_IO when the other side closes before. What had come, the next read gives
   */
  readExactly(count: number, options: SocketTimeout = {}): Promise<Buffer> {
    return this.#reading(() => {
      checkedCount('the number of bytes', count, 0, mostExactly)
      return this.#exactly(count, options.timeout)
    })
  }

  /**
   * What comes next up to a line feed and with it; the last line may be without. Empty at the end.
   * @param options.limit most bytes of a line, 65536 unless said otherwise
   * @throws TimeoutError; PolywsgiError API_IO for a longer line, of which nothing is read then
   */
  readLine(options: SocketLimit = {}): Promise<Buffer> {
    return this.#reading(async () => {
      const limit = checkedCount('the limit', options.limit ?? pieceSize, 1, mostExactly)
      let searched = 0
      let before = 0
      let length = 0
      const isMet = (): boolean => {
        for (; length === 0 && searched < this.#received.pieces.length; searched += 1) {
          const chunk = this.#received.pieces[searched] as Buffer
          const at = chunk.indexOf(newline)
          if (at !== -1) length = before + at + 1
          before += chunk.length
        }
        return length > 0 || before > limit
      }
      await this.#hold(isMet, options.timeout)
      if (length === 0 && this.#received.length <= limit) {
        this.#assertNoFailure()
        length = this.#received.length
      }
      if (length > limit || (length === 0 && this.#received.length > 0))
        throw this.#error(`sent a line of more than ${limit} bytes`)
      return this.#received.take(length)
    })
  }

  /**
   * Everything until the other side closes.
   * @param options.limit most bytes, 8 MB unless said otherwise
   * @throws TimeoutError; PolywsgiError API_IO for more bytes than the limit, none of which are read then
   */
  readToEnd(options: SocketLimit = {}): Promise<Buffer> {
    return this.#reading(async () => {
      const limit = checkedCount('the limit', options.limit ?? defaultReadLimit, 0, Number.MAX_SAFE_INTEGER)
      await this.#hold(() => this.#received.length > limit, options.timeout)
      if (this.#received.length > limit) throw this.#error(`sent more than ${limit} bytes`)
      this.#assertNoFailure()
      return this.#received.take(this.#received.length)
    })
  }

  /**
   * One uwsgi packet: its header of 4 bytes and its block. Undefined when the other side has closed and sent nothing more.
   * @throws TimeoutError; PolywsgiError API_IO when it closes in the middle
   */
  readPacket(options: SocketTimeout = {}): Promise<SocketPacket | undefined> {
    return this.#reading(async () => {
      await this.#hold(() => this.#received.length >= headerSize, options.timeout)
      if (this.#received.length === 0 && this.#ended) return undefined
      const head = await this.#exactly(headerSize, options.timeout)
      const { modifier1, modifier2, size } = decodeHeader(head)
      try {
        return { modifier1, modifier2, block: await this.#exactly(size, options.timeout) }
      } catch (error) {
        // Nothing of a packet that is not whole has been read.
        this.#received.putBack(head)
        throw error
      }
    })
  }

  /**
   * Resolves when the system has taken all of the bytes, which stay as they are until then.
   * @throws TimeoutError when it takes nothing: how much the other side got is then unknown, and the socket is closed
   */
  async write(bytes: Uint8Array, options: SocketTimeout = {}): Promise<void> {
    const timeoutMs = milliseconds(options.timeout)
    if (!(bytes instanceof Uint8Array)) {
      throw new PolywsgiError('API_ARGUMENT', `a socket writes bytes (Uint8Array), not ${typeof bytes}`)
    }
    const work = (this.#writing ?? Promise.resolve()).then(async () => {
      for (let at = 0; at < bytes.length; at += pieceSize) await this.#writePiece(bytes.subarray(at, at + pieceSize), timeoutMs)
    })
    const settled = work
      .catch(() => {})
      .then(() => {
        if (this.#writing === settled) this.#writing = undefined
      })
    this.#writing = settled
    await work
  }

  /**
   * Resolves to true when there is something to read, the end included; to false when nothing came for so many seconds.
   * Unlike reads it may be waited for by many, and beside a read.
   */
  async waitReadable(timeout?: number): Promise<boolean> {
    const isReadable = await this.#waits(() => this.#received.length > 0, milliseconds(timeout))
    if (isReadable && this.#received.length === 0) this.#assertNoFailure()
    return isReadable
  }

  /** Resolves to true when the system has taken what was written so far; to false when it has not after so many seconds. */
  async waitWritable(timeout?: number): Promise<boolean> {
    const timeoutMs = milliseconds(timeout)
    if (this.#writing !== undefined) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), timeoutMs)))
      const isTaken = await Promise.race([this.#writing.then(() => true), late])
      clearTimeout(timer)
      if (!isTaken) return false
    }
    if (this.#failure !== undefined) throw this.#error(this.#failure)
    return true
  }

  /**
   * Reads to the end, or `limit` bytes, and passes on what comes, piece by piece: no more than one is on its way. The target stays
   * open. `socket.pipe((bytes) => request.writeBodyAsync(bytes))` answers a request with it.
   * @returns how many bytes that were
   * @throws TimeoutError when this side is silent or the target, a socket, takes nothing; what the target throws
   */
  async pipe(target: PipeTarget, options: SocketLimit = {}): Promise<number> {
    const limit = options.limit ?? Number.MAX_SAFE_INTEGER
    checkedCount('the limit', limit, 0, Number.MAX_SAFE_INTEGER)
    let count = 0
    while (count < limit) {
      const piece = await this.read(Math.min(pieceSize, limit - count), options)
      if (piece.length === 0) break
      count += piece.length
      if (typeof target === 'function') await target(piece)
      else await target.write(piece, options)
    }
    return count
  }

  /** Tells the other side that nothing more will be written; its answer can still be read. */
  async end(): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#error(this.#failure)
    await new Promise<void>((resolve) => this.#socket.end(resolve))
  }

  /** Closes the connection. Reads and writes that wait are refused; what `write` has resolved for still goes out. */
  async close(): Promise<void> {
    this.#fail('the socket is closed')
    // Also where all had been read: who reads a socket that he has closed is told.
    this.#ended = false
    this.#received.clear()
    if (this.#socket.closed) return
    await new Promise<void>((resolve) => this.#socket.once('close', () => resolve()).destroy())
  }

  /** `await using socket = await connect(address)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    if (this.#isReading) throw new PolywsgiError('API_REFUSED', `${this.address} is being read from already: await that first`)
    this.#isReading = true
    try {
      return await read()
    } finally {
      this.#isReading = false
    }
  }

  async #exactly(count: number, timeout: number | undefined): Promise<Buffer> {
    await this.#hold(() => this.#received.length >= count, timeout)
    if (this.#received.length >= count) return this.#received.take(count)
    this.#assertNoFailure()
    throw this.#error(`closed the connection after ${this.#received.length} of ${count} bytes`)
  }

  /** Waits until `isMet`, or until nothing more can come. @throws TimeoutError */
  async #hold(isMet: () => boolean, timeout: number | undefined): Promise<void> {
    const timeoutMs = milliseconds(timeout)
    if (await this.#waits(isMet, timeoutMs)) return
    throw new TimeoutError(`${this.address}: was silent for ${seconds(timeoutMs)}`)
  }

  async #waits(isMet: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isMet() || this.#ended || this.#failure !== undefined) return true
    const waiting = this.#waiters.wait(isMet, timeoutMs)
    this.#socket.resume()
    const isTrue = await waiting
    if (this.#waiters.isEmpty) this.#socket.pause()
    return isTrue
  }

  #writePiece(piece: Uint8Array, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#error(this.#failure))
      const timer = setTimeout(() => {
        this.#fail(`took no bytes for ${seconds(timeoutMs)}`)
        this.#socket.destroy()
        reject(new TimeoutError(`${this.address}: ${this.#failure}`))
      }, timeoutMs)
      this.#socket.write(piece, (error) => {
        clearTimeout(timer)
        if (error) reject(this.#error(this.#failure ?? reasonOf(error)))
        else resolve()
      })
    })
  }

  #fail(reason: string): void {
    this.#failure ??= reason
    this.#waiters.releaseAll()
  }

  /** After an end that was no failure there is nothing to throw: a connection closes when both sides have ended. */
  #assertNoFailure(): void {
    if (!this.#ended && this.#failure !== undefined) throw this.#error(this.#failure)
  }

  #error(reason: string): PolywsgiError {
    return new PolywsgiError('API_IO', `${this.address}: ${reason}`)
  }
}

const reasonOf = (error: NodeJS.ErrnoException): string =>
  ({ ECONNRESET: 'reset the connection', EPIPE: 'closed the connection' })[error.code ?? ''] ?? error.message

const seconds = (milliseconds: number): string => `${milliseconds / 1000} second${milliseconds === 1000 ? '' : 's'}`

const milliseconds = (timeout: number = socketDefaults.timeout): number => {
  if (timeout > 0 && timeout <= longestTimeout) return Math.ceil(timeout * 1000)
  throw new PolywsgiError('API_ARGUMENT', `a timeout is above 0 and at most ${longestTimeout} seconds, not ${timeout}`)
}

const checkedCount = (what: string, count: number, min: number, max: number): number => {
  if (Number.isSafeInteger(count) && count >= min && count <= max) return count
  throw new PolywsgiError('API_ARGUMENT', `${what} is a whole number from ${min} to ${max}, not ${count}`)
}
