// All that threads share about signals: the table, the queues between each thread and the master, the queues of pools, the
// counters, and which signal each thread is handling. One memory, made by the master.
// Every signal passes the master: a thread appends to its own outgoing queue only, and takes from its incoming one and from
// those of its pools. So each queue has one producer, and raising never waits for another thread.

import { ringCapacity, SignalRing, signalRingBytes } from './signal-ring.ts'
import { SignalTable, signalTableBytes } from './signal-table.ts'
import { type SignalPool, type SignalShape, signalPools, threadCount } from './signal-target.ts'

export interface SignalStateHandle {
  readonly buffer: SharedArrayBuffer
  readonly shape: SignalShape
}

const cacheLine = 64
const counter = { routed: 0, unrouted: 1 } as const
/** Per thread, on a line of its own: the signal it handles + 1, and how many it has handled. */
const threadWords = cacheLine / 4
const handlingWord = 0
const handledWord = 1

export class SignalState {
  readonly handle: SignalStateHandle
  readonly shape: SignalShape
  readonly table: SignalTable
  readonly pools: readonly (SignalPool & { readonly ring: SignalRing })[]
  readonly #outgoing: SignalRing[] = []
  readonly #incoming: SignalRing[] = []
  readonly #counters: Int32Array
  readonly #threads: Int32Array

  private constructor(shape: SignalShape, given: SharedArrayBuffer | undefined) {
    const threads = threadCount(shape)
    const pools = signalPools(shape)
    const capacity = ringCapacity(shape.bufferSize)
    let end = 0
    const take = (bytes: number): number => {
      const start = end
      end += Math.ceil(bytes / cacheLine) * cacheLine
      return start
    }
    const counters = take(cacheLine)
    const perThread = take(threads * threadWords * 4)
    const table = take(signalTableBytes(threads))
    const rings = Array.from({ length: 2 * threads + pools.length }, () => take(signalRingBytes(capacity)))
    const buffer = given ?? new SharedArrayBuffer(end)
    this.handle = { buffer, shape }
    this.shape = shape
    this.#counters = new Int32Array(buffer, counters, 2)
    this.#threads = new Int32Array(buffer, perThread, threads * threadWords)
    this.table = new SignalTable(buffer, table, threads)
    const ring = (index: number): SignalRing => new SignalRing(buffer, rings[index] as number, capacity)
    for (let thread = 0; thread < threads; thread += 1) {
      this.#outgoing.push(ring(2 * thread))
      this.#incoming.push(ring(2 * thread + 1))
    }
    this.pools = pools.map((pool, index) => ({ ...pool, ring: ring(2 * threads + index) }))
  }

  static create(shape: SignalShape): SignalState {
    return new SignalState(shape, undefined)
  }

  static open(handle: SignalStateHandle): SignalState {
    return new SignalState(handle.shape, handle.buffer)
  }

  get threads(): number {
    return this.#outgoing.length
  }

  /** From the thread to the master. */
  outgoing(thread: number): SignalRing {
    return this.#outgoing[thread] as SignalRing
  }

  /** From the master to the thread; what waits here survives the thread, for the next of its number. */
  incoming(thread: number): SignalRing {
    return this.#incoming[thread] as SignalRing
  }

  /** The queues of the pools the thread belongs to. */
  poolsOf(thread: number): SignalRing[] {
    return this.pools.filter(({ members }) => members.includes(thread)).map(({ ring }) => ring)
  }

  countRouted(): void {
    Atomics.add(this.#counters, counter.routed, 1)
  }

  countUnrouted(): void {
    Atomics.add(this.#counters, counter.unrouted, 1)
  }

  /** Signals delivered to a queue (metric `core.routed_signals`). */
  get routed(): number {
    return Atomics.load(this.#counters, counter.routed) >>> 0
  }

  /** Signals dropped, for want of room or of a receiver (metric `core.unrouted_signals`). */
  get unrouted(): number {
    return Atomics.load(this.#counters, counter.unrouted) >>> 0
  }

  /** The signal whose handler the thread is running (the scoreboard's `sigN`). */
  handling(thread: number): number | undefined {
    const word = Atomics.load(this.#threads, thread * threadWords + handlingWord)
    return word === 0 ? undefined : word - 1
  }

  setHandling(thread: number, signum: number | undefined): void {
    Atomics.store(this.#threads, thread * threadWords + handlingWord, signum === undefined ? 0 : signum + 1)
  }

  countHandled(thread: number): void {
    Atomics.add(this.#threads, thread * threadWords + handledWord, 1)
  }

  /** Signals the thread, and those of its number before it, have handled. */
  handled(thread: number): number {
    return Atomics.load(this.#threads, thread * threadWords + handledWord) >>> 0
  }

  threadEnded(thread: number): void {
    this.setHandling(thread, undefined)
    this.table.threadEnded(thread)
  }
}
