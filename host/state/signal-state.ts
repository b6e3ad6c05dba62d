// All that threads share about signals: the table, the queues between each thread and the master, the queues of pools, the
// counters, and which signal each thread is handling. One memory, made by the master.
// Every signal passes the master: a thread appends to its own outgoing queue only, and takes from its incoming one and from
// those of its pools. So each queue has one producer, and raising never waits for another thread.

import { ringCapacity, SignalRing, signalRingBytes } from './signal-ring.ts'
import { SignalTable, signalTableBytes } from './signal-table.ts'
import { type SignalPool, type SignalShape, seatCount, signalPools, threadCount } from './signal-target.ts'

export interface SignalStateHandle {
  readonly buffer: SharedArrayBuffer
  readonly shape: SignalShape
}

const cacheLine = 64
const counter = { routed: 0, unrouted: 1 } as const
/**
 * On a line of its own: per seat, the signal that its thread handles + 1; per number, how many its threads have handled.
 */
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
    const seats = seatCount(shape)
    const pools = signalPools(shape)
    const capacity = ringCapacity(shape.bufferSize)
    let end = 0
    const take = (bytes: number): number => {
      const start = end
      end += Math.ceil(bytes / cacheLine) * cacheLine
      return start
    }
    const counters = take(cacheLine)
    const perThread = take(Math.max(threads, seats) * threadWords * 4)
    const table = take(signalTableBytes(seats))
    const rings = Array.from({ length: threads + seats + pools.length }, () => take(signalRingBytes(capacity)))
    const buffer = given ?? new SharedArrayBuffer(end)
    this.handle = { buffer, shape }
    this.shape = shape
    this.#counters = new Int32Array(buffer, counters, 2)
    this.#threads = new Int32Array(buffer, perThread, Math.max(threads, seats) * threadWords)
    this.table = new SignalTable(buffer, table, seats)
    const ring = (index: number): SignalRing => new SignalRing(buffer, rings[index] as number, capacity)
    for (let seat = 0; seat < seats; seat += 1) this.#outgoing.push(ring(seat))
    for (let thread = 0; thread < threads; thread += 1) this.#incoming.push(ring(seats + thread))
    this.pools = pools.map((pool, index) => ({ ...pool, ring: ring(seats + threads + index) }))
  }

  static create(shape: SignalShape): SignalState {
    return new SignalState(shape, undefined)
  }

  static open(handle: SignalStateHandle): SignalState {
    return new SignalState(handle.shape, handle.buffer)
  }

  /** How many seats there are, the master's 0 included. */
  get seats(): number {
    return this.#outgoing.length
  }

  /** From the thread of a seat to the master: it has one producer. */
  outgoing(seat: number): SignalRing {
    return this.#outgoing[seat] as SignalRing
  }

  /** From the master to the thread of a number; what waits here survives the thread, for the next of its number. */
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

  /** The signal whose handler the thread of a seat is running (the scoreboard's `sigN`). */
  handling(seat: number): number | undefined {
    const word = Atomics.load(this.#threads, seat * threadWords + handlingWord)
    return word === 0 ? undefined : word - 1
  }

  setHandling(seat: number, signum: number | undefined): void {
    Atomics.store(this.#threads, seat * threadWords + handlingWord, signum === undefined ? 0 : signum + 1)
  }

  countHandled(thread: number): void {
    Atomics.add(this.#threads, thread * threadWords + handledWord, 1)
  }

  /** Signals that the threads of the number have handled. */
  handled(thread: number): number {
    return Atomics.load(this.#threads, thread * threadWords + handledWord) >>> 0
  }

  threadEnded(seat: number): void {
    this.setHandling(seat, undefined)
    this.table.threadEnded(seat)
  }
}
