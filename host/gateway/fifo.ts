// A named pipe that anybody who may write to it sends bytes through. It is opened for writing too: so it has no end when the last
// writer closes it, and many may come and go.
// Invariant: what is made here is removed at the end; nothing else that stands at the path is touched.
import { execFile } from 'node:child_process'
import { closeSync, constants, fstatSync, lstatSync, openSync, unlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { PolywsgiError } from '../errors.ts'

export interface FifoOptions {
  /** Absolute. */
  readonly path: string
  readonly onBytes: (bytes: Uint8Array) => void
  /** It cannot be read any more. */
  readonly onError: (error: Error) => void
}

/** Who may write to it commands the server. */
const mode = '600'

export class Fifo {
  readonly path: string
  readonly #socket: Socket
  readonly #identity: string

  private constructor(fd: number, options: FifoOptions) {
    this.path = options.path
    this.#identity = identityOf(fstatSync(fd, { bigint: true }))
    const socket = new Socket({ fd, readable: true, writable: false })
    socket.on('data', options.onBytes)
    socket.on('error', options.onError)
    socket.unref()
    this.#socket = socket
  }

  /**
   * Makes the pipe and reads it from now on. One that an earlier server has left there is removed.
   * @throws PolywsgiError SOCKET_BIND
   */
  static async open(options: FifoOptions): Promise<Fifo> {
    const { path } = options
    removeLeftOver(path)
    await makeFifo(path)
    let fd: number
    try {
      fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
    } catch (error) {
      throw failed(path, (error as Error).message, error)
    }
    // Somebody may have put something else there.
    if (!fstatSync(fd).isFIFO()) {
      closeSync(fd)
      throw failed(path, 'something else stands there')
    }
    return new Fifo(fd, options)
  }

  close(): void {
    this.#socket.destroy()
    try {
      // Another server may have made its own there meanwhile.
      if (identityOf(lstatSync(this.path, { bigint: true })) === this.#identity) unlinkSync(this.path)
    } catch {
      // It is gone already.
    }
  }
}

const identityOf = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string => `${dev}:${ino}`

const removeLeftOver = (path: string): void => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  // Differs from uWSGI: there whatever has the name is removed.
  if (!found.isFIFO()) throw failed(path, 'something stands there that is no named pipe')
  try {
    unlinkSync(path)
  } catch (error) {
    throw failed(path, (error as Error).message, error)
  }
}

/** Node.js has no call for it. */
const makeFifo = (path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    execFile('mkfifo', ['-m', mode, '--', path], (error, _, stderr) => {
      if (error === null) return resolve()
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      reject(failed(path, isMissing ? 'the system has no command mkfifo' : stderr.trim() || error.message, error))
    })
  })

const failed = (path: string, why: string, cause?: unknown): PolywsgiError =>
  new PolywsgiError('SOCKET_BIND', `master-fifo = ${path}: ${why}`, { cause })
