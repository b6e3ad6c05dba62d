// What all threads share beside requests: caches, locks, signals, messages to mules, the queue, shared areas, metrics. Each is
// a structure in memory of its own; this file makes them together in the master and opens them together in a thread.
import { Cache, type CacheHandle, type CacheShape } from './cache.ts'
import { Locks, type LocksHandle } from './locks.ts'
import { MessageQueues, type MessageQueuesHandle, type MessageQueuesShape } from './message-queues.ts'
import { Metrics, type MetricsHandle, type MetricsShape } from './metrics.ts'
import { type QueueShape, SharedQueue, type SharedQueueHandle } from './shared-queue.ts'
import { SharedArea, type SharedAreaHandle } from './sharedarea.ts'
import { SignalState, type SignalStateHandle } from './signal-state.ts'
import { type SignalShape, seatCount } from './signal-target.ts'
import { SpoolerSlots, type SpoolerSlotsHandle } from './spooler-slots.ts'

export interface SharedShape {
  readonly caches: readonly CacheShape[]
  /** Beside lock 0. */
  readonly locks: number
  readonly signals: SignalShape
  readonly messages: MessageQueuesShape
  readonly queue: QueueShape | undefined
  /** Bytes of each shared area. */
  readonly sharedareas: readonly number[]
  readonly metrics: MetricsShape
  readonly spoolerFrequencyMs: number
}

/** What crosses to a thread. */
export interface SharedHandles {
  readonly caches: readonly CacheHandle[]
  readonly locks: LocksHandle
  readonly signals: SignalStateHandle
  readonly messages: MessageQueuesHandle
  readonly queue: SharedQueueHandle | undefined
  readonly sharedareas: readonly SharedAreaHandle[]
  readonly metrics: MetricsHandle
  readonly spoolers: SpoolerSlotsHandle
}

export class SharedParts {
  /** By name, in the order they were defined: the first one is the default. */
  readonly caches: ReadonlyMap<string, Cache>
  readonly locks: Locks
  readonly signals: SignalState
  readonly messages: MessageQueues
  readonly queue: SharedQueue | undefined
  readonly sharedareas: readonly SharedArea[]
  readonly metrics: Metrics
  readonly spoolers: SpoolerSlots

  private constructor(parts: Omit<SharedParts, 'handles' | 'threadEnded'>) {
    this.caches = parts.caches
    this.locks = parts.locks
    this.signals = parts.signals
    this.messages = parts.messages
    this.queue = parts.queue
    this.sharedareas = parts.sharedareas
    this.metrics = parts.metrics
    this.spoolers = parts.spoolers
  }

  /**
   * @param log gets what caches have to say to an operator
   * @throws RangeError naming the part that there is no memory for
   */
  static create(shape: SharedShape, log: (line: string) => void): SharedParts {
    const { spoolers } = shape.signals
    const threads = seatCount(shape.signals)
    return new SharedParts({
      caches: new Map(shape.caches.map((cache) => [cache.name, Cache.create(cache, { thread: 0, log })])),
      locks: made('locks', () => Locks.create({ locks: shape.locks })),
      signals: made('signal queues', () => SignalState.create(shape.signals)),
      messages: made('messages to mules', () => MessageQueues.create(shape.messages)),
      queue: made('the queue', () => (shape.queue === undefined ? undefined : SharedQueue.create(shape.queue))),
      sharedareas: shape.sharedareas.map((size) => made('a shared area', () => SharedArea.create({ size, threads }))),
      metrics: made('metrics', () => Metrics.create(shape.metrics)),
      spoolers: made('spoolers', () => SpoolerSlots.create({ spoolers, frequencyMs: shape.spoolerFrequencyMs })),
    })
  }

  /** @param thread the seat of the thread that opens them */
  static open(handles: SharedHandles, thread: number, log: (line: string) => void): SharedParts {
    return new SharedParts({
      caches: new Map(handles.caches.map((handle) => [handle.shape.name, Cache.open(handle, { thread, log })])),
      locks: Locks.open(handles.locks),
      signals: SignalState.open(handles.signals),
      messages: MessageQueues.open(handles.messages),
      queue: handles.queue === undefined ? undefined : SharedQueue.open(handles.queue),
      sharedareas: handles.sharedareas.map((handle) => SharedArea.open(handle)),
      metrics: Metrics.open(handles.metrics),
      spoolers: SpoolerSlots.open(handles.spoolers),
    })
  }

  get handles(): SharedHandles {
    return {
      caches: [...this.caches.values()].map(({ handle }) => handle),
      locks: this.locks.handle,
      signals: this.signals.handle,
      messages: this.messages.handle,
      queue: this.queue?.handle,
      sharedareas: this.sharedareas.map(({ handle }) => handle),
      metrics: this.metrics.handle,
      spoolers: this.spoolers.handle,
    }
  }

  /**
   * The thread of a seat is gone: what it held is given back, what it was writing is mended. For the master.
   * @param number what the thread was; 0 for one that was nothing yet
   * @returns the locks it held
   */
  threadEnded(seat: number, number = seat): number[] {
    for (const cache of this.caches.values()) cache.threadEnded(seat)
    this.signals.threadEnded(seat)
    this.messages.threadEnded(seat)
    this.queue?.threadEnded(seat)
    for (const area of this.sharedareas) area.threadEnded(seat)
    const { workers, mules } = this.signals.shape
    if (number > workers + mules) this.spoolers.spoolerEnded(number - workers - mules)
    return this.locks.threadEnded(seat)
  }
}

/** A cache says by itself how much it wanted. */
const made = <Part>(what: string, make: () => Part): Part => {
  try {
    return make()
  } catch (cause) {
    throw new RangeError(`the memory for ${what} is not to be had: ${(cause as Error).message}`, { cause })
  }
}
