// What each core of each worker has done, and what it does: counted by the worker, read by whoever asks.
// A core is one writer's at a time but for the moments in which a worker's successor serves while the old one drains, so each
// count is one atomic addition.
// Past `mostCountedCores` in all nothing is counted core by core: the worker's own counters go on.

/** As many as have metrics of their own (built-in-metrics.ts). */
export const mostCountedCores = 4096

const wordsPerCore = 4
const word = { requests: 0, offloaded: 1, writeErrors: 2, readErrors: 3 } as const

export interface CoreSnapshot {
  readonly requests: number
  /** Those whose rest the master sent. */
  readonly offloadedRequests: number
  readonly writeErrors: number
  readonly readErrors: number
}

export interface CoreSlotsHandle {
  readonly buffer: SharedArrayBuffer
  readonly workers: number
  /** Of each worker. 0: none is counted. */
  readonly cores: number
}

const nothing: CoreSnapshot = { requests: 0, offloadedRequests: 0, writeErrors: 0, readErrors: 0 }

export class CoreSlots {
  readonly handle: CoreSlotsHandle
  readonly #words: Int32Array

  private constructor(handle: CoreSlotsHandle) {
    this.handle = handle
    this.#words = new Int32Array(handle.buffer)
  }

  static create(workers: number, cores: number): CoreSlots {
    const counted = workers * cores <= mostCountedCores ? cores : 0
    return new CoreSlots({ buffer: new SharedArrayBuffer(workers * counted * wordsPerCore * 4), workers, cores: counted })
  }

  static open(handle: CoreSlotsHandle): CoreSlots {
    return new CoreSlots(handle)
  }

  /** How many cores of each worker are counted. */
  get count(): number {
    return this.handle.cores
  }

  countRequest(workerId: number, core: number): void {
    this.#add(workerId, core, word.requests, 1)
  }

  countOffloaded(workerId: number, core: number): void {
    this.#add(workerId, core, word.offloaded, 1)
  }

  countErrors(workerId: number, core: number, writeErrors: number, readErrors: number): void {
    if (writeErrors > 0) this.#add(workerId, core, word.writeErrors, writeErrors)
    if (readErrors > 0) this.#add(workerId, core, word.readErrors, readErrors)
  }

  snapshot(workerId: number, core: number): CoreSnapshot {
    if (core >= this.handle.cores) return nothing
    const at = ((workerId - 1) * this.handle.cores + core) * wordsPerCore
    const read = (which: number): number => Atomics.load(this.#words, at + which) >>> 0
    return {
      requests: read(word.requests),
      offloadedRequests: read(word.offloaded),
      writeErrors: read(word.writeErrors),
      readErrors: read(word.readErrors),
    }
  }

  #add(workerId: number, core: number, which: number, value: number): void {
    const { cores } = this.handle
    if (core < cores) Atomics.add(this.#words, ((workerId - 1) * cores + core) * wordsPerCore + which, value)
  }
}
