// Opens the memory map: the same call in the master, which made it, and in each worker, which got it at its start.

import { AppCounters } from './app-counters.ts'
import { Deadlines } from './deadlines.ts'
import { Doorbell } from './doorbell.ts'
import { computeLayout, doorbellWords, type StateLayout, type StateShape } from './layout.ts'
import { RequestQueue } from './request-queue.ts'
import { RequestSlots } from './request-slots.ts'
import { ResponseRing } from './response-ring.ts'
import { Seats } from './seats.ts'
import { WorkerSlots } from './worker-slots.ts'

/** What crosses to a worker: shared memory, and the layout by which to read it. */
export interface StateHandle {
  readonly buffer: SharedArrayBuffer
  readonly layout: StateLayout
  readonly deadlines: SharedArrayBuffer
  readonly apps: SharedArrayBuffer
}

export class StateMap {
  readonly handle: StateHandle
  readonly slots: RequestSlots
  readonly queue: RequestQueue
  readonly seats: Seats
  readonly workers: WorkerSlots
  readonly deadlines: Deadlines
  readonly apps: AppCounters

  private constructor(handle: StateHandle) {
    this.handle = handle
    this.slots = new RequestSlots(handle.buffer, handle.layout)
    this.queue = new RequestQueue(handle.buffer, handle.layout, this.slots)
    this.seats = new Seats(handle.buffer, handle.layout)
    this.workers = new WorkerSlots(handle.buffer, handle.layout, this.seats)
    this.deadlines = Deadlines.open(handle.deadlines)
    this.apps = AppCounters.open(handle.apps)
  }

  static create(shape: StateShape): StateMap {
    const layout = computeLayout(shape)
    const deadlines = Deadlines.create(layout.seatCapacity + 1).handle
    const map = new StateMap({
      buffer: new SharedArrayBuffer(layout.byteLength),
      layout,
      deadlines,
      apps: AppCounters.create(layout.seatCapacity).handle,
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
