// What every thread may know about every worker: the scoreboard. A worker writes its own slot, the master writes the
// rest; readers take a snapshot that may be a moment old.

import { type StateLayout, workerSlotWords } from './layout.ts'

/** `dead`: no thread; `booting`: interpreters start, apps load; `ready`: takes requests; `stopping`: takes no new ones. */
export const WorkerState = { dead: 0, booting: 1, ready: 2, stopping: 3 } as const
export type WorkerState = (typeof WorkerState)[keyof typeof WorkerState]

const word = { state: 0, running: 1, requests: 2, exceptions: 3, respawns: 4 } as const

export class WorkerSlots {
  readonly #words: Int32Array
  readonly #workers: number

  constructor(buffer: SharedArrayBuffer, layout: StateLayout) {
    this.#workers = layout.workers
    this.#words = new Int32Array(buffer, layout.workerSlots, (layout.workers + 1) * workerSlotWords)
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

  /** The sum over all workers. */
  totalRequests(): number {
    let total = 0
    for (let id = 1; id <= this.#workers; id += 1) total += this.requests(id)
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
    return Atomics.load(this.#words, workerId * workerSlotWords + word.respawns) >>> 0
  }
}
