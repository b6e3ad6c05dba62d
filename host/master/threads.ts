// The living threads, each on a seat of its own: started here, asked here, and cleared away here when they have ended.
// Invariant: a seat is free again only when all that was in its thread's hands has been given back.

import { MessageChannel } from 'node:worker_threads'
import { PolywsgiError } from '../errors.ts'
import type { StateMap } from '../state/state-map.ts'
import type { ThreadPlan, ThreadStart } from '../worker/messages.ts'
import type { CallHandlers, NoticeHandlers } from './call-handlers.ts'
import { SeatPool } from './seat-pool.ts'
import { ThreadCalls } from './thread-calls.ts'
import { type ThreadEvents, ThreadHandle, threadName } from './thread-handle.ts'

export interface ThreadsOptions {
  readonly state: StateMap
  readonly entry: string
  readonly log: (line: string) => void
  readonly calls: CallHandlers
  readonly notices: NoticeHandlers
  /** All of a thread's start but its plan, its seat and its port. */
  start(plan: ThreadPlan): Omit<ThreadStart, 'plan' | 'seat' | 'callPort'>
  /** Around the start of each thread. */
  threadStarts?(): void
  threadStarted?(): void
  /**
   * A thread is gone: what it held is to be given back, what it had begun is answered.
   * @returns what is to be said about it in the log, '' for nothing
   */
  ended(handle: ThreadHandle, status: 500 | 503 | 504): string
}

export class Threads {
  readonly #options: ThreadsOptions
  readonly #seats: SeatPool
  /** By seat. */
  readonly #living = new Map<number, { readonly handle: ThreadHandle; readonly calls: ThreadCalls }>()

  constructor(options: ThreadsOptions) {
    this.#options = options
    const { seats } = options.state
    this.#seats = new SeatPool(seats.capacity)
    for (let seat = 1; seat <= seats.capacity; seat += 1) seats.threadEnded(seat)
  }

  get handles(): ThreadHandle[] {
    return [...this.#living.values()].map(({ handle }) => handle)
  }

  at(seat: number): ThreadHandle | undefined {
    return this.#living.get(seat)?.handle
  }

  /** @throws PolywsgiError WORKER_DIED when the system has no thread to give */
  spawn(plan: ThreadPlan, events: ThreadEvents): ThreadHandle {
    const { state, entry, log, calls, notices, threadStarts, threadStarted } = this.#options
    threadStarts?.()
    const seat = this.#seats.take()
    const { port1, port2 } = new MessageChannel()
    const own = new ThreadCalls({
      port: port1,
      doorbell: state.doorbell(seat),
      caller: { thread: seat },
      name: () => threadName(this.at(seat)?.plan ?? plan),
      log,
      calls,
      notices,
    })
    let handle: ThreadHandle
    try {
      state.seats.name(seat, plan.identity.number)
      handle = new ThreadHandle(entry, { ...this.#options.start(plan), plan, seat, callPort: port2 }, events)
    } catch (error) {
      own.close()
      state.seats.threadEnded(seat)
      this.#seats.giveBack(seat)
      throw new PolywsgiError('WORKER_DIED', `${threadName(plan)} could not start: ${(error as Error).message}`, { cause: error })
    }
    this.#living.set(seat, { handle, calls: own })
    threadStarted?.()
    return handle
  }

  /** Takes what the thread has said so far by its port: what it says elsewhere must not overtake it. */
  catchUp(handle: ThreadHandle): void {
    this.#living.get(handle.seat)?.calls.catchUp()
  }

  /** Has the thread of a seat run one of its functions. */
  run(seat: number, name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    const calls = this.#living.get(seat)?.calls
    if (calls !== undefined) return calls.run(name, args)
    return Promise.reject(new PolywsgiError('WORKER_DIED', `the thread that has ${name} does not run`))
  }

  /** The thread has ended. @returns what is to be said about it */
  cleared(handle: ThreadHandle, status: 500 | 503 | 504): string {
    const { seat } = handle
    const { state } = this.#options
    this.#living.get(seat)?.calls.close()
    this.#living.delete(seat)
    state.apps.threadEnded(seat)
    state.deadlines.threadEnded(seat)
    state.stops.threadEnded(seat)
    state.cpu.threadEnded(seat)
    state.log.threadEnded(seat)
    const said = this.#options.ended(handle, status)
    state.seats.threadEnded(seat)
    this.#seats.giveBack(seat)
    return said
  }
}
