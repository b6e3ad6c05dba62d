// Opens the memory map: the same call in the master, which made it, and in each worker, which got it at its start.

import { AppCounters } from './app-counters.ts'
import { CoreSlots, type CoreSlotsHandle } from './core-slots.ts'
import { CpuShares } from './cpu-shares.ts'
import { Deadlines } from './deadlines.ts'
import { Doorbell } from './doorbell.ts'
import { computeLayout, doorbellWords, type StateLayout, type StateShape } from './layout.ts'
import { LogDescriptor } from './log-descriptor.ts'
import { RequestQueue } from './request-queue.ts'
import { RequestSlots } from './request-slots.ts'
import { ResponseRing } from './response-ring.ts'
import { Seats } from './seats.ts'
import { StopWords } from './stop-words.ts'
import { WorkerSlots } from './worker-slots.ts'

/** What crosses to a worker: shared memory, and the layout by which to read it. */
export interface StateHandle {
  readonly buffer: SharedArrayBuffer
  readonly layout: StateLayout
  readonly deadlines: SharedArrayBuffer
  readonly stops: SharedArrayBuffer
  readonly cpu: SharedArrayBuffer
  readonly apps: SharedArrayBuffer
  readonly cores: CoreSlotsHandle
  readonly log: SharedArrayBuffer
}

export class StateMap {
  readonly handle: StateHandle
  readonly slots: RequestSlots
  readonly queue: RequestQueue
  readonly seats: Seats
  readonly workers: WorkerSlots
  readonly deadlines: Deadlines
  readonly stops: StopWords
  readonly cpu: CpuShares
  readonly apps: AppCounters
  readonly cores: CoreSlots
  readonly log: LogDescriptor

  private constructor(handle: StateHandle) {
    this.handle = handle
    this.slots = new RequestSlots(handle.buffer, handle.layout)
    this.queue = new RequestQueue(handle.buffer, handle.layout, this.slots)
    this.seats = new Seats(handle.buffer, handle.layout)
    this.workers = new WorkerSlots(handle.buffer, handle.layout, this.seats)
    this.deadlines = Deadlines.open(handle.deadlines)
    this.stops = StopWords.open(handle.stops)
    this.cpu = CpuShares.open(handle.cpu)
    this.apps = AppCounters.open(handle.apps)
    this.cores = CoreSlots.open(handle.cores)
    this.log = LogDescriptor.open(handle.log)
  }

  static create(shape: StateShape): StateMap {
    const layout = computeLayout(shape)
    const seats = layout.seatCapacity + 1
    const map = new StateMap({
      buffer: new SharedArrayBuffer(layout.byteLength),
      layout,
      deadlines: Deadlines.create(seats).handle,
      stops: StopWords.create(seats).handle,
      cpu: CpuShares.create(seats).handle,
      apps: AppCounters.create(layout.seatCapacity).handle,
      cores: CoreSlots.create(shape.workers, shape.cores ?? 1).handle,
      log: LogDescriptor.create(seats).handle,
    })
    map.seats.seatAll()
    return map
  }

  static open(handle: StateHandle): StateMap {
    return new StateMap(handle)
  }

  /** The doorbell of a seat's thread, or of the master (0). */
  doorbell(seat: number): Doorbell {
    const { buffer, layout } = this.handle
    return new Doorbell(new Int32Array(buffer, layout.doorbells + seat * doorbellWords * 4, doorbellWords))
  }

  /** Of the thread that stands for a number; the master's when none does, whom a ring costs a look. */
  doorbellOf(number: number): Doorbell {
    return this.doorbell(this.seats.current(number))
  }

  ring(seat: number): ResponseRing {
    return new ResponseRing(this.handle.buffer, this.handle.layout, seat)
  }
}
