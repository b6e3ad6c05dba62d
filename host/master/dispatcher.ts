// Carries exchanges to workers and answers back. Requests wait here in order, then in shared slots, from which workers
// take them; a request is begun by whoever takes it, so one that waits is never lost with a worker.
// Invariant: every exchange submitted ends by exactly one of: a last `respond`, one `fail`, or the gateway's `abandon`.

import { requestIdOf, varsOfPacket } from '../request/request-id.ts'
import { sharedNow } from '../state/deadlines.ts'
import type { Doorbell } from '../state/doorbell.ts'
import { BodyMode, PullState } from '../state/request-slots.ts'
import { RecordKind, ResponseFlag, type ResponseRecord, type ResponseRing } from '../state/response-ring.ts'
import type { StateMap } from '../state/state-map.ts'
import type { BodyPiece, Exchange, ExchangeHead, OffloadedResponse, OffloadRequest, Ticket } from './exchange.ts'
import type { FailedRequest } from './failed-requests.ts'
import { Parcels } from './parcels.ts'

const noSlot = -1

class Passage implements Ticket {
  readonly exchange: Exchange
  slot = noSlot
  generation = 0
  /** Bytes of a whole body that were pulled already. */
  pulled = 0
  /** True once the client is out of it or the request is over: the slot may be another's, and nothing is said about it. */
  abandoned = false
  /** What sends the rest of the response; the slot is another's then. */
  offloaded: OffloadedResponse | undefined
  readonly #dispatcher: Dispatcher

  constructor(dispatcher: Dispatcher, exchange: Exchange) {
    this.#dispatcher = dispatcher
    this.exchange = exchange
  }

  acknowledge(bytes: number): void {
    if (this.offloaded !== undefined) this.offloaded.acknowledge(bytes)
    else if (this.slot !== noSlot && !this.abandoned) this.#dispatcher.acknowledge(this.slot, bytes)
  }

  abandon(): void {
    this.#dispatcher.abandon(this)
  }
}

/** A worker's thread. */
interface Living {
  readonly seat: number
  readonly doorbell: Doorbell
  readonly ring: ResponseRing
}

export interface RunningExchange {
  readonly slot: number
  readonly packet: Uint8Array
}

export interface DispatcherOptions {
  readonly state: StateMap
  readonly workers: number
  readonly cores: number
  /** How many requests may wait beside those that run (`listen`). */
  readonly listen: number
  readonly log: (line: string) => void
  /** Takes over a response whose worker is done with it. */
  readonly offload?: (request: OffloadRequest) => OffloadedResponse
  /** The master's doorbell has rung: something else than a response may have come. True: more may wait. */
  readonly onRing?: () => boolean
}

export class Dispatcher {
  readonly #state: StateMap
  readonly #options: DispatcherOptions
  /** All that may say something. */
  #living: readonly Living[] = []
  /** Those of them that take requests. */
  #serving: readonly Living[] = []
  readonly #freeSlots: number[] = []
  readonly #passages: (Passage | undefined)[]
  readonly #attention: { close(): void }
  /** Exchanges that have no slot yet, oldest first from `#waitingStart` on. */
  #waiting: Passage[] = []
  #waitingStart = 0
  #active = 0
  /** Requests whose responses go on without a worker. They take no place in the queue. */
  readonly #offloaded = new Set<Passage>()
  /** What threads send beside their orders. */
  readonly parcels = new Parcels()
  #isClosed = false
  #isPaused = false
  #onIdle: (() => void) | undefined

  constructor(options: DispatcherOptions) {
    this.#options = options
    this.#state = options.state
    this.#passages = new Array(options.state.slots.count).fill(undefined)
    for (let slot = options.state.slots.count - 1; slot >= 0; slot -= 1) this.#freeSlots.push(slot)
    this.#attention = options.state.doorbell(0).attend(() => this.#drain())
  }

  /** Requests accepted and not over yet. */
  get active(): number {
    return this.#active + this.#offloaded.size
  }

  /** Requests in shared slots, begun or not. */
  *running(): Generator<RunningExchange> {
    for (const [slot, passage] of this.#passages.entries())
      if (passage !== undefined) yield { slot, packet: passage.exchange.packet }
  }

  /** Requests that wait for a worker, or have one. */
  get held(): number {
    return this.#active
  }

  /** Resolves when no request is active. */
  async idle(): Promise<void> {
    if (this.active > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  /** @returns the exchange's ticket; undefined when the queue is full or the server has stopped, and the gateway answers 503 itself */
  submit(exchange: Exchange): Ticket | undefined {
    const { workers, cores, listen } = this.#options
    if (this.#isClosed) return undefined
    if (this.#active >= workers * cores + listen) {
      this.#state.workers.countOverload()
      return undefined
    }
    this.#active += 1
    const passage = new Passage(this, exchange)
    if (this.#waiting.length > this.#waitingStart || !this.#dispatch(passage)) this.#waiting.push(passage)
    return passage
  }

  acknowledge(slot: number, bytes: number): void {
    this.#state.slots.acknowledge(slot, bytes)
  }

  abandon(passage: Passage): void {
    if (passage.offloaded !== undefined) return passage.offloaded.abandon()
    if (passage.abandoned) return
    passage.abandoned = true
    const { slot } = passage
    if (slot === noSlot) {
      const index = this.#waiting.indexOf(passage, this.#waitingStart)
      if (index < 0) return
      this.#waiting.splice(index, 1)
      this.#over(passage)
    } else if (this.#state.slots.withdraw(slot)) this.#freeSlot(slot, passage)
    else this.#state.slots.setClientGone(slot)
  }

  /** A worker's thread is about to take requests. */
  seatTaken(seat: number): void {
    const living = { seat, doorbell: this.#state.doorbell(seat), ring: this.#state.ring(seat) }
    living.ring.reset()
    this.#living = [...this.#living, living]
    this.#serving = [...this.#serving, living]
  }

  /** It takes none any more, and finishes what it has begun. */
  seatLeaves(seat: number): void {
    this.#serving = this.#serving.filter((living) => living.seat !== seat)
    // It may have been woken for a request that it leaves where it is.
    for (const { doorbell } of this.#serving) doorbell.ring()
  }

  /**
   * A worker's thread has ended. What it had said is delivered; what it had begun fails, with 504 where the worker was ended for
   * a deadline that was this request's, with 503 for the others of that worker, which may be tried again.
   * @returns those that failed
   */
  seatEnded(seat: number, status: 500 | 503 | 504, reason: string): readonly FailedRequest[] {
    const failed: FailedRequest[] = []
    const living = this.#living.find((each) => each.seat === seat)
    if (living === undefined) return failed
    living.ring.drain((record) => this.#handle(record))
    this.#living = this.#living.filter((each) => each !== living)
    this.#serving = this.#serving.filter((each) => each !== living)
    this.parcels.threadEnded(seat)
    const now = sharedNow()
    for (let slot = 0; slot < this.#passages.length; slot += 1) {
      const passage = this.#passages[slot]
      if (passage === undefined || this.#state.slots.runningSeat(slot) !== seat) continue
      const { abandoned } = passage
      const own = status !== 504 || this.#state.slots.isOverdue(slot, now) ? status : 503
      const vars = varsOfPacket(passage.exchange.packet)
      const requestId = requestIdOf(vars)
      const run = this.#state.slots.runningCore(slot)
      failed.push({ status: own, vars, requestId, since: run?.begunAt ?? 0, coreId: run?.core ?? 0 })
      this.#freeSlot(slot, passage)
      if (!abandoned) passage.exchange.fail(own, reason, requestId)
    }
    return failed
  }

  /** No worker will serve what is here, or comes from now on: fails everything that waits or runs, takes nothing more. */
  failAll(status: 503, reason: string): void {
    // First of all: a client that is told may ask again at once.
    this.#isClosed = true
    const passages = [...this.#waiting.slice(this.#waitingStart), ...this.#passages.filter((passage) => passage !== undefined)]
    for (const passage of passages) {
      const { abandoned } = passage
      passage.abandon()
      if (!abandoned) passage.exchange.fail(status, reason)
    }
    for (const passage of [...this.#offloaded]) {
      passage.abandon()
      passage.exchange.fail(status, reason)
    }
  }

  /** The threads are gone. Gateways of the embedding program may still be asked: nothing more is taken. */
  close(): void {
    this.#isClosed = true
    this.#attention.close()
  }

  /** Requests that no worker has yet wait, as many as may; called again they go on. @returns whether they wait now */
  togglePause(): boolean {
    this.#isPaused = !this.#isPaused
    if (!this.#isPaused) this.#dispatchWaiting()
    return this.#isPaused
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  resume(): void {
    if (this.#isPaused) this.togglePause()
  }

  /** Puts an exchange into a shared slot and wakes a worker for it. @returns false when there is no slot */
  #dispatch(passage: Passage): boolean {
    if (this.#isPaused) return false
    const { slots, queue } = this.#state
    const slot = this.#freeSlots.pop()
    if (slot === undefined) return false
    const { packet, body } = passage.exchange
    const fits = body.mode === 'whole' && packet.length + (body.bytes?.length ?? 0) <= slots.areaSize
    passage.slot = slot
    passage.generation = slots.fill(slot, {
      packet,
      bodyMode: fits ? BodyMode.inline : body.mode === 'file' ? BodyMode.file : BodyMode.pull,
      body: fits ? body.bytes : undefined,
      contentLength: body.mode === 'whole' ? (body.bytes?.length ?? 0) : body.mode === 'file' ? body.length : body.contentLength,
      bodyFd: body.mode === 'file' ? body.fd : -1,
    })
    if (!queue.append(slot)) {
      slots.withdraw(slot)
      passage.slot = noSlot
      this.#freeSlots.push(slot)
      return false
    }
    this.#passages[slot] = passage
    this.#wakeWorker()
    return true
  }

  /** Wakes the least loaded worker that sleeps. When none sleeps all are told, since one may be about to. */
  #wakeWorker(): void {
    const { seats } = this.#state
    const serving = this.#serving
    let least = Number.POSITIVE_INFINITY
    let chosen: Doorbell | undefined
    for (let index = 0; index < serving.length; index += 1) {
      const { doorbell, seat } = serving[index] as Living
      if (!doorbell.isOwnerAsleep || !seats.isServing(seat)) continue
      const running = seats.running(seat)
      if (running >= this.#options.cores || running >= least) continue
      least = running
      chosen = doorbell
      if (running === 0) break
    }
    if (chosen !== undefined) chosen.ring()
    else for (const { doorbell } of serving) doorbell.ring()
  }

  #drain(): boolean {
    for (const { ring } of this.#living) ring.drain(this.#handleRecord)
    return this.#options.onRing?.() ?? false
  }

  readonly #handleRecord = (record: ResponseRecord): void => this.#handle(record)

  #handle(record: ResponseRecord): void {
    const passage = this.#passages[record.slot]
    if (passage === undefined || passage.generation !== record.generation) return
    if (record.kind === RecordKind.pull) {
      void this.#answerPull(passage, record.wanted)
      return
    }
    const { exchange, slot } = passage
    const last = (record.flags & ResponseFlag.last) !== 0
    if ((record.flags & ResponseFlag.offload) !== 0) {
      this.#offload(passage, record)
      this.#freeSlot(slot, passage)
      return
    }
    if (!passage.abandoned && (record.flags & ResponseFlag.cut) !== 0)
      exchange.fail(500, 'the app could not complete its response')
    else if (!passage.abandoned) {
      const head: ExchangeHead | undefined =
        (record.flags & ResponseFlag.head) !== 0 ? { status: record.status, headers: record.headers } : undefined
      const { length } = record.chunk
      let isTaken: boolean
      try {
        isTaken = exchange.respond(head, record.chunk, last, (record.flags & ResponseFlag.raw) !== 0)
      } catch (error) {
        // What the app said cannot be said in the client's protocol. The other requests on this ring must not suffer.
        this.#options.log(`response refused: ${(error as Error).message}`)
        exchange.fail(500, 'the response was refused')
        if (!last) passage.abandon()
        isTaken = true
      }
      if (isTaken && !last && length > 0) this.#state.slots.acknowledge(slot, length)
    }
    if (last) this.#freeSlot(slot, passage)
  }

  #offload(passage: Passage, record: ResponseRecord): void {
    const { offload } = this.#options
    const seat = this.#state.slots.runningSeat(passage.slot)
    const { exchange } = passage
    const { status, headers, flags, chunk } = record
    if (offload === undefined) {
      if (!passage.abandoned) exchange.fail(500, 'nothing is offloaded here')
      return
    }
    passage.offloaded = offload({
      exchange,
      head: (flags & ResponseFlag.head) !== 0 ? { status, headers } : undefined,
      order: Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('utf8'),
      isRaw: (flags & ResponseFlag.raw) !== 0,
      thread: seat,
      parcel: (id) => this.parcels.take(seat, id),
    })
    this.#offloaded.add(passage)
    // The client has left before: what comes with the order, bytes or a connection, is still to be let go.
    if (passage.abandoned) passage.offloaded.abandon()
    void passage.offloaded.ended.then(() => {
      this.#offloaded.delete(passage)
      if (this.active === 0) this.#onIdle?.()
    })
  }

  async #answerPull(passage: Passage, wanted: number): Promise<void> {
    const { body } = passage.exchange
    let piece: BodyPiece
    if (passage.abandoned) piece = { kind: 'gone' }
    else if (body.mode === 'whole') {
      const bytes = (body.bytes as Uint8Array).subarray(passage.pulled, passage.pulled + wanted)
      passage.pulled += bytes.length
      piece = bytes.length === 0 ? { kind: 'end' } : { kind: 'bytes', bytes }
    } else if (body.mode === 'stream') piece = await body.pull(wanted)
    else piece = { kind: 'end' }
    // The worker may have died while the client was waited for, and the slot may be another's by now.
    if (this.#passages[passage.slot] !== passage) return
    const { slots } = this.#state
    if (piece.kind === 'bytes') slots.answerPull(passage.slot, PullState.filled, piece.bytes)
    else slots.answerPull(passage.slot, { end: PullState.end, gone: PullState.gone, timeout: PullState.timeout }[piece.kind])
  }

  #freeSlot(slot: number, passage: Passage): void {
    this.#passages[slot] = undefined
    this.#state.slots.free(slot)
    this.#freeSlots.push(slot)
    this.#over(passage)
    this.#dispatchWaiting()
  }

  #dispatchWaiting(): void {
    while (this.#waitingStart < this.#waiting.length) {
      if (!this.#dispatch(this.#waiting[this.#waitingStart] as Passage)) break
      this.#waitingStart += 1
    }
    if (this.#waitingStart > 64 && this.#waitingStart * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#waitingStart)
      this.#waitingStart = 0
    }
  }

  #over(passage: Passage): void {
    passage.abandoned = true
    const { body } = passage.exchange
    if (body.mode === 'file') body.release()
    this.#active -= 1
    if (this.active === 0) this.#onIdle?.()
  }
}
