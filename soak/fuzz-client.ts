// Sends inputs to a socket, many at once, each on a connection of its own: whole, in pieces, or cut off; then reads to the
// end. A connection that the server does not end although the client has, is a hang.
import { connect } from 'node:net'
import type { FuzzInput } from './http-inputs.ts'
import type { Violations } from './part.ts'
import type { Random } from './random.ts'

export interface FuzzTarget {
  /** Path of a unix socket. */
  readonly path: string
  readonly make: (random: Random) => FuzzInput
  /** What the server says, when it says anything, begins so. */
  readonly answers: RegExp
  /** Of these inputs 500 is the answer. */
  readonly isRefused?: (input: Buffer) => boolean
}

const patienceMs = 20_000
const keptBytes = 64 * 1024
/** Shown of an input that did harm. */
const shownBytes = 300

export class FuzzClient {
  readonly #target: FuzzTarget
  readonly #random: Random
  readonly #violations: Violations
  readonly statuses = new Map<string, number>()
  sent = 0

  constructor(target: FuzzTarget, random: Random, violations: Violations) {
    this.#target = target
    this.#random = random
    this.#violations = violations
  }

  /** @param isOver asked before each input */
  async run(connections: number, isOver: () => boolean): Promise<void> {
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (!isOver()) {
          this.sent += 1
          await this.#send(this.#target.make(this.#random))
        }
      }),
    )
  }

  async #send(input: FuzzInput): Promise<void> {
    const manner = this.#random.below(20)
    const text = await this.#exchange(input.bytes, manner)
    if (text === undefined) return
    const status = /^HTTP\/1\.[01] (\d{3}) /.exec(text)?.[1] ?? (text === '' ? 'closed' : 'other')
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    if (text !== '' && !this.#target.answers.test(text)) this.#blame('an answer of no known form', input.bytes, text)
    const isRefused = status === '500' && this.#target.isRefused?.(input.bytes) === true
    if ((status === '500' || status === '502') && !isRefused) this.#blame(`an answer with status ${status}`, input.bytes, text)
    if (input.hides && text.includes('SMUGGLED')) this.#blame('a hidden request was served', input.bytes, text)
  }

  /** What the server said; undefined when the client left before. */
  #exchange(bytes: Buffer, manner: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ path: this.#target.path, allowHalfOpen: true })
      const chunks: Buffer[] = []
      let length = 0
      const timer = setTimeout(() => {
        this.#blame('a connection that the client has ended was not closed', bytes, '')
        socket.destroy()
      }, patienceMs)
      socket.on('data', (chunk: Buffer) => {
        if (length < keptBytes) chunks.push(chunk)
        length += chunk.length
      })
      // The server may close while the input is on its way: that is its right.
      socket.on('error', () => {})
      socket.on('end', () => socket.end())
      socket.on('close', () => {
        clearTimeout(timer)
        resolve(manner === 0 ? undefined : Buffer.concat(chunks).toString('latin1'))
      })
      if (manner === 0) socket.write(bytes, () => socket.destroy())
      else if (manner < 3) sendInPieces(socket, bytes, manner === 1 ? 1 : 100)
      else socket.end(bytes)
    })
  }

  #blame(kind: string, input: Buffer, answer: string): void {
    const shown = JSON.stringify(input.subarray(0, shownBytes).toString('latin1'))
    this.#violations.add(kind, `${shown} => ${JSON.stringify(answer.slice(0, shownBytes))}`)
  }
}

/** One piece after another has left; the last few end the connection, so that a long input does not take long. */
const sendInPieces = (socket: ReturnType<typeof connect>, bytes: Buffer, size: number): void => {
  let at = 0
  const next = (): void => {
    if (at >= Math.min(bytes.length, size * 200)) {
      socket.end(bytes.subarray(at))
      return
    }
    const piece = bytes.subarray(at, at + size)
    at += size
    socket.write(piece, () => setImmediate(next))
  }
  next()
}
