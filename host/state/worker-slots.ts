// What every thread may know about every worker: the scoreboard. A worker counts in its own slot, the master writes the
// rest; readers take a snapshot that may be a moment old. A worker's thread that drains and its successor count in one slot.

import { type StateLayout, workerSlotWords } from './layout.ts'
import type { Seats } from './seats.ts'

/**
 * `dead`: no thread; `booting`: interpreters start, apps load; `ready`: takes requests; `stopping`: takes no new ones; `cheap`: no
 * thread, since none is wanted now. Of two threads of one worker it is the state of the newer one that serves.
 */
export const WorkerState = { dead: 0, booting: 1, ready: 2, stopping: 3, cheap: 4 } as const
export type WorkerState = (typeof WorkerState)[keyof typeof WorkerState]

const word = {
  state: 0,
  requests: 2,
  exceptions: 3,
  respawns: 4,
  requestsAtSpawn: 5,
  failedRequests: 6,
  /** Of the whole instance, in the slot of the master, 0. */
  overloads: 7,
  offloadedRequests: 8,
  /** Requests, or other work, that overran its deadline. */
  harakiris: 9,
} as const
type CounterName = 'requests' | 'exceptions' | 'respawns' | 'failedRequests' | 'overloads' | 'offloadedRequests' | 'harakiris'

/**
 * The second half of a slot: doubles, exact as whole numbers up to 2^53. Of the sums there are two, each with one writer, so no
 * atomic addition is needed: a thread and its successor add to different ones. An aligned double is written and read whole on every
 * machine Node.js runs on. The average is written by both: what one of them overwrites, later requests would have halved away.
 */
const double = { runningTime: 8, sent: 10, spawnedAt: 12, averageTime: 13 } as const

/** Which of a worker's two sums a thread adds to: another one than the thread that it follows. */
export type Account = 0 | 1
const slotDoubles = workerSlotWords / 2

/** One worker at one moment. */
export interface WorkerSnapshot {
  readonly id: number
  readonly state: WorkerState
  readonly requests: number
  /** Since the thread's start. */
  readonly deltaRequests: number
  readonly failedRequests: number
  readonly exceptions: number
  /** Those whose rest the master sent. */
  readonly offloadedRequests: number
  readonly status: 'idle' | 'busy'
  /** Deadlines that were overrun. */
  readonly harakiris: number
  /** Microseconds spent in requests. */
  readonly runningTime: number
  /** Seconds since the epoch; 0 before the first start. */
  readonly lastSpawn: number
  readonly respawns: number
  /** Bytes of responses. */
  readonly sent: number
  /** Microseconds; the newest request counts half, the one before it a quarter, and so on, as in uWSGI. */
  readonly averageTime: number
}

export class WorkerSlots {
  readonly #words: Int32Array
  readonly #doubles: Float64Array
  readonly #workers: number

  readonly #seats: Seats

  constructor(buffer: SharedArrayBuffer, layout: StateLayout, seats: Seats) {
    this.#seats = seats
    this.#workers = layout.workers
    this.#words = new Int32Array(buffer, layout.workerSlots, (layout.workers + 1) * workerSlotWords)
    this.#doubles = new Float64Array(buffer, layout.workerSlots, (layout.workers + 1) * slotDoubles)
  }

  /** How many workers there are. */
  get count(): number {
    return this.#workers
  }

  state(workerId: number): WorkerState {
    return Atomics.load(this.#words, workerId * workerSlotWords + word.state) as WorkerState
  }

  setState(workerId: number, state: WorkerState): void {
    Atomics.store(this.#words, workerId * workerSlotWords + word.state, state)
  }

  /** Requests the worker's threads hold at this moment. */
  running(workerId: number): number {
    return this.#seats.runningOf(workerId)
  }

  /** Requests served since the instance started, respawns of the worker included. @returns the new count */
  countRequest(workerId: number): number {
    return Atomics.add(this.#words, workerId * workerSlotWords + word.requests, 1) + 1
  }

  requests(workerId: number): number {
    return Atomics.load(this.#words, workerId * workerSlotWords + word.requests) >>> 0
  }

  /** The sum over all workers, and the files that the master served itself. */
  totalRequests(): number {
    let total = 0
    for (let id = 0; id <= this.#workers; id += 1) total += this.requests(id)
    return total
  }

  countException(workerId: number): void {
    Atomics.add(this.#words, workerId * workerSlotWords + word.exceptions, 1)
  }

  exceptions(workerId: number): number {
    return Atomics.load(this.#words, workerId * workerSlotWords + word.exceptions) >>> 0
  }

  countRespawn(workerId: number): void {
    Atomics.add(this.#words, workerId * workerSlotWords + word.respawns, 1)
  }

  respawns(workerId: number): number {
    return this.#counter(workerId, 'respawns')
  }

  /** By the master, whenever it starts the worker's thread. @param at seconds since the epoch */
  spawned(workerId: number, at: number): void {
    const slot = workerId * workerSlotWords
    Atomics.store(this.#words, slot + word.requestsAtSpawn, Atomics.load(this.#words, slot + word.requests))
    this.#doubles[workerId * slotDoubles + double.spawnedAt] = Math.floor(at)
  }

  /** By the worker, for each request that has ended. @param sent bytes of its response @param account the thread's own */
  requestEnded(workerId: number, microseconds: number, sent: number, account: Account = 0): void {
    const doubles = this.#doubles
    const slot = workerId * slotDoubles
    doubles[slot + double.runningTime + account]! += microseconds
    doubles[slot + double.sent + account]! += sent
    doubles[slot + double.averageTime] = (doubles[slot + double.averageTime]! + microseconds) / 2
  }

  /** A request that got no answer of its app's: its worker was ended, or had none. */
  countFailedRequest(workerId: number): void {
    this.#count(workerId, 'failedRequests')
  }

  /** By the worker, when the master takes over a response. */
  countOffloadedRequest(workerId: number): void {
    this.#count(workerId, 'offloadedRequests')
  }

  /** By the worker, or by the master that ends it, for each deadline that was overrun. */
  countHarakiri(workerId: number): void {
    this.#count(workerId, 'harakiris')
  }

  /** By the master, for a file that it served itself. @returns the new count */
  countStaticRequest(): number {
    return this.countRequest(0)
  }

  get staticRequests(): number {
    return this.requests(0)
  }

  /** By the master, for a request that found no room to wait. */
  countOverload(): void {
    this.#count(0, 'overloads')
  }

  /** Requests that found no room to wait. */
  get overloads(): number {
    return this.#counter(0, 'overloads')
  }

  snapshot(workerId: number): WorkerSnapshot {
    const requests = this.requests(workerId)
    const words = workerId * workerSlotWords
    const doubles = workerId * slotDoubles
    return {
      id: workerId,
      state: this.state(workerId),
      requests,
      deltaRequests: (requests - Atomics.load(this.#words, words + word.requestsAtSpawn)) >>> 0,
      failedRequests: this.#counter(workerId, 'failedRequests'),
      exceptions: this.exceptions(workerId),
      offloadedRequests: this.#counter(workerId, 'offloadedRequests'),
      harakiris: this.#counter(workerId, 'harakiris'),
      status: this.running(workerId) > 0 ? 'busy' : 'idle',
      runningTime: Math.round(this.#sum(doubles + double.runningTime)),
      lastSpawn: this.#doubles[doubles + double.spawnedAt]!,
      respawns: this.respawns(workerId),
      sent: this.#sum(doubles + double.sent),
      averageTime: Math.round(this.#doubles[doubles + double.averageTime]!),
    }
  }

  #sum(at: number): number {
    return this.#doubles[at]! + this.#doubles[at + 1]!
  }

  #count(workerId: number, name: CounterName): void {
    Atomics.add(this.#words, workerId * workerSlotWords + word[name], 1)
  }

  #counter(workerId: number, name: CounterName): number {
    return Atomics.load(this.#words, workerId * workerSlotWords + word[name]) >>> 0
  }
}
