// One response that the master itself sends, piece by piece: waits until the client has taken a piece before it sends the
// next, and knows when the client has left.
// Invariant: an exchange ends by exactly one of a last piece, one `fail`, or the client's leaving; `ended` resolves then.
import type { Exchange, ExchangeHead, OffloadedResponse } from '../master/exchange.ts'

export class Delivery implements OffloadedResponse {
  readonly ended: Promise<void>
  readonly #exchange: Exchange
  readonly #log: (line: string) => void
  readonly #resolveEnded: () => void
  #isOver = false
  #unacknowledged = 0
  #wake: (() => void) | undefined
  #onOver: (() => void) | undefined

  constructor(exchange: Exchange, log: (line: string) => void) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#resolveEnded = resolve
    this.#exchange = exchange
    this.#log = log
  }

  /** Nothing more can be sent. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Called when nothing more can be sent, at once if that is so already: for what is to be closed then. */
  set onOver(listener: () => void) {
    if (this.#isOver) listener()
    else this.#onOver = listener
  }

  /** The client has taken bytes, those that a worker sent before among them. */
  acknowledge(bytes: number): void {
    this.#unacknowledged = Math.max(0, this.#unacknowledged - bytes)
    if (this.#unacknowledged === 0) this.#awake()
  }

  abandon(): void {
    this.#end()
  }

  /**
   * Sends a piece. `isLasting`: its bytes stay as they are for as long as anybody holds them, so they need not be copied.
   * @returns undefined when there is room for the next one, else a promise of that
   */
  send(
    head: ExchangeHead | undefined,
    chunk: Uint8Array,
    last: boolean,
    { isRaw = false, isLasting = false } = {},
  ): Promise<void> | undefined {
    if (this.#isOver) return undefined
    let isTaken: boolean
    try {
      isTaken = this.#exchange.respond(head, chunk, last, isRaw, isLasting)
    } catch (error) {
      this.#log(`response refused: ${(error as Error).message}`)
      this.fail(500, 'the response was refused')
      return undefined
    }
    if (last) {
      this.#end()
      return undefined
    }
    if (isTaken) return undefined
    this.#unacknowledged += chunk.length
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  fail(status: 500 | 503 | 504, reason: string): void {
    if (this.#isOver) return
    this.#exchange.fail(status, reason)
    this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#awake()
    this.#onOver?.()
    this.#resolveEnded()
  }

  #awake(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
