// What every thread may know about every worker: the scoreboard. A worker writes its own slot, the master writes the
// rest; readers take a snapshot that may be a moment old.

import { type StateLayout, workerSlotWords } from './layout.ts'

/** `dead`: no thread; `booting`: interpreters start, apps load; `ready`: takes requests; `stopping`: takes no new ones. */
export const WorkerState = { dead: 0, booting: 1, ready: 2, stopping: 3 } as const
export type WorkerState = (typeof WorkerState)[keyof typeof WorkerState]

const word = {
  state: 0,
  running: 1,
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
 * The second half of a slot: doubles, exact as whole numbers up to 2^53. Each has one writer, so no atomic addition is
 * needed, and an aligned one is written and read whole on every machine Node.js runs on.
 */
const double = { runningTime: 8, sent: 9, spawnedAt: 10, averageTime: 11 } as const
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

  constructor(buffer: SharedArrayBuffer, layout: StateLayout) {
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

  /** Requests the worker holds at this moment. */
  running(workerId: number): number {
    return Atomics.load(this.#words, workerId * workerSlotWords + word.running)
  }

  setRunning(workerId: number, running: number): void {
    Atomics.store(this.#words, workerId * workerSlotWords + word.running, running)
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

  /** By the worker, for each request that has ended. @param sent bytes of its response */
  requestEnded(workerId: number, microseconds: number, sent: number): void {
    const doubles = this.#doubles
    const slot = workerId * slotDoubles
    doubles[slot + double.runningTime]! += microseconds
    doubles[slot + double.sent]! += sent
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
      runningTime: Math.round(this.#doubles[doubles + double.runningTime]!),
      lastSpawn: this.#doubles[doubles + double.spawnedAt]!,
      respawns: this.respawns(workerId),
      sent: this.#doubles[doubles + double.sent]!,
      averageTime: Math.round(this.#doubles[doubles + double.averageTime]!),
    }
  }

  #count(workerId: number, name: CounterName): void {
    Atomics.add(this.#words, workerId * workerSlotWords + word[name], 1)
  }

  #counter(workerId: number, name: CounterName): number {
    return Atomics.load(this.#words, workerId * workerSlotWords + word[name]) >>> 0
  }
}
