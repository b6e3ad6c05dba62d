// Messages to mules and farms as one thread sees them: any thread sends, a mule also receives. Nothing of this passes the
// master.
// Invariant: a mule reads its doorbell's sequence before it looks into its queues, so no message comes unseen while it waits.
import type { Mules } from '../api/context.ts'
import { ApiError } from '../errors.ts'
import type { MessageQueue, MessageQueues } from '../state/message-queues.ts'
import { MessageRefused, MuleMessages } from '../state/mule-messages.ts'
import type { FarmPlan } from './messages.ts'
import type { ServiceParts } from './service-parts.ts'

/** A wait looks again after this long without a ring, should one be lost. */
const watchMs = 500

export interface ThreadMulesOptions {
  readonly queues: MessageQueues
  readonly farms: readonly FarmPlan[]
  /** Runs the handlers of signals that have come. True: more may wait. */
  handleSignals(): boolean
  /** The thread waits for a message and is to take none any more: it ends here, whatever is on its stack. */
  leave(): void
}

export class ThreadMules implements Mules {
  readonly #parts: ServiceParts
  readonly #options: ThreadMulesOptions
  readonly #messages: MuleMessages
  readonly #own: readonly MessageQueue[]
  readonly #farms: readonly MessageQueue[]
  #turn = 0

  constructor(parts: ServiceParts, options: ThreadMulesOptions) {
    this.#parts = parts
    this.#options = options
    const { queues, farms } = options
    const { muleId } = parts.thread
    const { state } = parts
    const { workers } = state.handle.layout
    this.#messages = new MuleMessages({ queues, farms, ring: (mule) => state.doorbellOf(workers + mule).ring() })
    const own = queues.mule(muleId)
    this.#own = own === undefined ? [] : [own, queues.pool]
    this.#farms = farms.flatMap((farm, index) => {
      const queue = queues.farm(index)
      return queue !== undefined && farm.mules.includes(muleId) ? [queue] : []
    })
  }

  /** @throws ApiError API_REFUSED for a mule or farm that does not exist, or a message that is too long */
  send(message: Uint8Array, target: number | string | undefined, functionName = 'mule_msg'): boolean {
    try {
      return this.#messages.send(this.#parts.thread.seat, message, target)
    } catch (error) {
      if (error instanceof MessageRefused) throw refused(functionName, error.message)
      throw error
    }
  }

  /** @throws ApiError API_REFUSED outside of a mule */
  receive({ signals, farms, timeoutMs }: { signals: boolean; farms: boolean; timeoutMs: number }): Uint8Array | undefined {
    if (this.#own.length === 0) throw refused('mule_get_msg', 'only a mule receives messages')
    return this.#wait(farms ? [...this.#own, ...this.#farms] : this.#own, signals, timeoutMs)
  }

  /** @throws ApiError API_REFUSED outside of a mule, and in one that belongs to no farm */
  receiveFromFarm(): Uint8Array {
    if (this.#own.length === 0) throw refused('farm_get_msg', 'only a mule receives messages')
    if (this.#farms.length === 0) throw refused('farm_get_msg', `mule ${this.#parts.thread.muleId} belongs to no farm`)
    return this.#wait(this.#farms, false, -1) as Uint8Array
  }

  isInFarm(name: string | undefined): boolean {
    const { muleId } = this.#parts.thread
    return this.#options.farms.some((farm) => (name === undefined || farm.name === name) && farm.mules.includes(muleId))
  }

  /** The next message that this mule may take, if there is one: for its own loop. */
  take(): Uint8Array | undefined {
    const { state, thread } = this.#parts
    // Told so by the master, who is not heard before the event loop turns: the rest is the successor's.
    if (state.seats.isLeaving(thread.seat)) return undefined
    return this.#takeFrom([...this.#own, ...this.#farms])
  }

  #wait(queues: readonly MessageQueue[], signals: boolean, timeoutMs: number): Uint8Array | undefined {
    const { doorbell, thread } = this.#parts
    const { seats } = this.#parts.state
    const deadline = timeoutMs < 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs
    for (;;) {
      // Read before looking: what comes after the look rings, and the park below returns at once.
      const { sequence } = doorbell
      this.#parts.serveInbox()
      if (seats.isLeaving(thread.seat)) this.#options.leave()
      const moreSignals = signals && this.#options.handleSignals()
      const message = this.#takeFrom(queues)
      if (message !== undefined) return message
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) return undefined
      if (!moreSignals) doorbell.park(sequence, Math.min(leftMs, watchMs))
    }
  }

  /** Begins each time with another queue, so that a busy one does not keep the others waiting. */
  #takeFrom(queues: readonly MessageQueue[]): Uint8Array | undefined {
    this.#turn = (this.#turn + 1) % Math.max(1, queues.length)
    for (let offset = 0; offset < queues.length; offset += 1) {
      const message = queues[(this.#turn + offset) % queues.length]?.take(this.#parts.thread.seat)
      if (message !== undefined) return message
    }
    return undefined
  }
}

const refused = (functionName: string, why: string): ApiError => new ApiError(functionName, 'API_REFUSED', why)
