// The master's part in signals: takes what threads have raised, looks up who is to receive it, and puts it into the
// receiver's queue, or into that of a pool, from which the first idle thread takes it.
// Invariant: a signal reaches the receivers its row names, or is counted as unrouted and a line says so. Nothing here waits.
import { Seldom } from '../log/seldom.ts'
import type { Doorbell } from '../state/doorbell.ts'
import type { SignalRing } from '../state/signal-ring.ts'
import type { SignalState } from '../state/signal-state.ts'
import { parseReceiver, type SignalTarget, threadName, workersPool } from '../state/signal-target.ts'

export interface SignalRouterOptions {
  readonly signals: SignalState
  /** Of the thread that stands for a number. */
  readonly doorbell: (thread: number) => Doorbell
  /** Without it each thread's is its number. */
  readonly seatOf?: (thread: number) => number
  /** The thread has loaded its apps and takes signals. */
  readonly isAlive: (thread: number) => boolean
  /** Requests the worker holds at this moment. */
  readonly running: (workerId: number) => number
  readonly log: (line: string) => void
  /** Milliseconds on a clock that never goes back. */
  readonly now?: () => number
}

type Pool = SignalState['pools'][number]

/** After this many in one look the master's event loop gets its turn. */
const burst = 256

export class SignalRouter {
  readonly #options: SignalRouterOptions
  readonly #signals: SignalState
  readonly #targets = new Map<string, SignalTarget>()
  readonly #listeners = new Map<number, Set<(signum: number) => void>>()
  readonly #overflows: Seldom

  constructor(options: SignalRouterOptions) {
    this.#options = options
    this.#signals = options.signals
    this.#overflows = new Seldom(options.now)
  }

  /** Runs `listener` in the master for each signal of the number, beside its other receivers. @returns what ends that */
  onSignal(signum: number, listener: (signum: number) => void): () => void {
    const listeners = this.#listeners.get(signum) ?? new Set()
    // An own function: the same one given twice is there twice, and each is ended by itself.
    const own = (arrived: number): void => listener(arrived)
    this.#listeners.set(signum, listeners.add(own))
    return () => void listeners.delete(own)
  }

  /**
   * Routes what threads have raised. For the master's doorbell.
   * @returns true when it stopped early although more may wait
   */
  drain(): boolean {
    let count = 0
    for (let seat = 0; seat < this.#signals.seats; seat += 1) {
      const ring = this.#signals.outgoing(seat)
      // No more than waited at the look: one thread that raises without end must not keep the others' signals back.
      for (let left = ring.length; left > 0; left -= 1) {
        const signum = ring.take()
        if (signum < 0) break
        this.route(signum)
        count += 1
      }
    }
    return count >= burst
  }

  /** @returns false when nobody received it */
  route(signum: number): boolean {
    const isHeard = this.#callListeners(signum)
    const row = this.#signals.table.row(signum)
    if (row === undefined) {
      if (isHeard) {
        this.#signals.countRouted()
        return true
      }
      // As in uWSGI: one worker gets it all the same, and says that it has no handler; one that waits for it goes on.
      return this.#toRing(signum, this.#signals.pools[workersPool] as Pool)
    }
    return this.#deliver(signum, this.#target(row.receiver)) || isHeard
  }

  #callListeners(signum: number): boolean {
    const listeners = this.#listeners.get(signum)
    if (listeners === undefined || listeners.size === 0) return false
    for (const listener of [...listeners]) {
      try {
        listener(signum)
      } catch (error) {
        this.#options.log((error as Error | undefined)?.stack ?? String(error))
        this.#options.log(`error managing signal ${signum} on the master`)
      }
    }
    return true
  }

  #target(receiver: string): SignalTarget {
    const known = this.#targets.get(receiver)
    if (known !== undefined) return known
    const target = parseReceiver(receiver, this.#signals.shape)
    this.#targets.set(receiver, target)
    return target
  }

  #deliver(signum: number, target: SignalTarget): boolean {
    switch (target.kind) {
      case 'absent':
      case 'invalid':
        return this.#drop(`could not deliver signal ${signum}: ${target.reason}`)
      case 'nobody':
        return true
      case 'threads': {
        const threads = target.aliveOnly ? target.threads.filter(this.#options.isAlive) : target.threads
        if (threads.length === 0) return this.#drop(`could not deliver signal ${signum}: no worker is active`)
        let isDelivered = false
        for (const thread of threads) isDelivered = this.#toThread(signum, thread) || isDelivered
        return isDelivered
      }
      case 'pool':
        return this.#toPool(signum, target.pool)
    }
  }

  #toPool(signum: number, number: number): boolean {
    const pool = this.#signals.pools[number] as Pool
    const alive = pool.members.filter(this.#options.isAlive)
    const able = alive.filter((thread) => this.#signals.table.hasHandler(this.#seatOf(thread), signum))
    if (able.length === alive.length) {
      // All can, or none is up: whoever comes first takes it.
      return this.#toRing(signum, pool)
    }
    if (able.length > 0) return this.#toThread(signum, this.#idlest(able))
    // None of those that are up has it; one that is about to load the apps will.
    const coming = pool.members.find((thread) => !alive.includes(thread))
    if (coming !== undefined) return this.#toThread(signum, coming)
    return this.#drop(`error managing signal ${signum}: none of the ${pool.name} has a handler`)
  }

  #toRing(signum: number, pool: Pool): boolean {
    if (!this.#push(pool.ring, signum, pool.name)) return false
    this.#wake(pool.members.filter(this.#options.isAlive))
    return true
  }

  #toThread(signum: number, thread: number): boolean {
    if (!this.#push(this.#signals.incoming(thread), signum, threadName(this.#signals.shape, thread))) return false
    this.#options.doorbell(thread).ring()
    return true
  }

  #push(ring: SignalRing, signum: number, receiver: string): boolean {
    if (ring.push(signum)) {
      this.#signals.countRouted()
      return true
    }
    this.#signals.countUnrouted()
    // Who floods the queue must not flood the log: its receiver makes room again and again meanwhile.
    if (!this.#overflows.isDue(receiver)) return false
    this.#options.log(`*** SIGNAL QUEUE IS FULL: ${ring.capacity} signals wait (you can tune it with --signal-bufsize) ***`)
    this.#options.log(`could not deliver signal ${signum} to ${receiver}`)
    return false
  }

  #drop(line: string): false {
    this.#signals.countUnrouted()
    this.#options.log(line)
    return false
  }

  /** One idle worker is enough for a signal of the pool; when none is known to be idle, all look. */
  #wake(members: readonly number[]): void {
    const idle = members.find((thread) => this.#isIdle(thread))
    for (const thread of members) {
      const bell = this.#options.doorbell(thread)
      // A thread that is awake is rung too, which costs nothing: it looks once more before it sleeps.
      if (idle === undefined || thread === idle || !bell.isOwnerAsleep) bell.ring()
    }
  }

  /** Asleep in its loop. Of mules and spoolers nobody knows whether their programs look at signals at all. */
  #isIdle(thread: number): boolean {
    return (
      thread <= this.#signals.shape.workers &&
      this.#options.running(thread) === 0 &&
      this.#signals.handling(this.#seatOf(thread)) === undefined &&
      this.#options.doorbell(thread).isOwnerAsleep
    )
  }

  #seatOf(thread: number): number {
    return this.#options.seatOf?.(thread) ?? thread
  }

  #idlest(threads: readonly number[]): number {
    const idle = threads.find((thread) => this.#isIdle(thread))
    if (idle !== undefined) return idle
    const load = (thread: number): number => (thread <= this.#signals.shape.workers ? this.#options.running(thread) : 0)
    return threads.reduce((best, thread) => (load(thread) < load(best) ? thread : best))
  }
}
