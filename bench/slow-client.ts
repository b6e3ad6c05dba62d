// A process of its own whose clients are slow: some send a long body bit by bit, some read a long answer bit by bit. It ends with
// the process that started it.
// Invariant: none of them comes to its end while the process lives, so one whose connection is over has failed.
import { connect, type Socket } from 'node:net'

export interface SlowPlan {
  readonly port: number
  /** Paths that take a body, and that answer a long one. */
  readonly uploadPath: string
  readonly downloadPath: string
  readonly uploaders: number
  readonly readers: number
}

export type FromSlow =
  | { readonly kind: 'begun' }
  | { readonly kind: 'report'; readonly failed: number; readonly sentBytes: number; readonly readBytes: number }

export type ToSlow = { readonly kind: 'begin'; readonly plan: SlowPlan } | { readonly kind: 'report' }

const pieceBytes = 4096
const pauseMs = 100
/** Of a body that would take hours. */
const claimedBytes = 2 ** 30

export class SlowClients {
  readonly #sockets: Socket[] = []
  #failed = 0
  #sentBytes = 0
  #readBytes = 0

  /** Resolves when each has sent its first bytes, or has read some. */
  async begin({ port, uploadPath, downloadPath, uploaders, readers }: SlowPlan): Promise<void> {
    const all = [
      ...Array.from({ length: uploaders }, () => this.#upload(port, uploadPath)),
      ...Array.from({ length: readers }, () => this.#read(port, downloadPath)),
    ]
    await Promise.all(all)
  }

  report(): FromSlow {
    return { kind: 'report', failed: this.#failed, sentBytes: this.#sentBytes, readBytes: this.#readBytes }
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.removeAllListeners('close').destroy()
  }

  async #upload(port: number, path: string): Promise<void> {
    const socket = await this.#open(port)
    if (socket === undefined) return
    socket.resume()
    socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${claimedBytes}\r\n\r\n`)
    const piece = Buffer.alloc(pieceBytes, 'x')
    const send = (): void => {
      this.#sentBytes += pieceBytes
      socket.write(piece)
    }
    send()
    this.#every(socket, send)
  }

  async #read(port: number, path: string): Promise<void> {
    const socket = await this.#open(port)
    if (socket === undefined) return
    socket.pause()
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('close', resolve)
    this.#every(socket, () => {
      const piece = socket.read(pieceBytes) as Buffer | null
      if (piece === null) return
      this.#readBytes += piece.length
      resolve()
    })
    // Asked for once, so that the system's buffer is read from.
    socket.read(0)
    await promise
  }

  #every(socket: Socket, action: () => void): void {
    const timer = setInterval(action, pauseMs)
    socket.once('close', () => clearInterval(timer))
  }

  async #open(port: number): Promise<Socket | undefined> {
    const { promise, resolve } = Promise.withResolvers<Socket | undefined>()
    const socket = connect(port, '127.0.0.1')
    this.#sockets.push(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.#failed += 1
      resolve(undefined)
    })
    socket.once('connect', () => resolve(socket))
    return await promise
  }
}

function serve(): void {
  const send = (message: FromSlow): void => void process.send?.(message)
  const clients = new SlowClients()
  process.on('message', async (message: ToSlow) => {
    if (message.kind === 'begin') {
      await clients.begin(message.plan)
      send({ kind: 'begun' })
    } else {
      send(clients.report())
    }
  })
  process.once('disconnect', () => process.exit())
}

if (import.meta.main) serve()
