// How a place's thread is followed by another: the successor boots while the one before it serves, and takes over when it is ready.
// Invariant: until the successor is ready, the one before it serves; a successor that is not to be is ended, and nothing else happens.

import type { Place } from './place.ts'
import { serverStopped } from './place.ts'
import { respawnDelayMs } from './respawn.ts'
import { type ThreadHandle, threadName } from './thread-handle.ts'

export interface RenewalOptions {
  readonly log: (line: string) => void
  isServing(): boolean
  /** Starts a thread of the place's plan. */
  spawn(place: Place): ThreadHandle
  /** The thread was lost with a plugin that is not loaded any more. */
  isLost(handle: ThreadHandle): boolean
  /** @throws when what a thread has loaded is no worthy successor of what served before */
  judge(successor: ThreadHandle, before: ThreadHandle | undefined): void
  /** Has a thread begin its work. */
  attach(place: Place, handle: ThreadHandle): void
  /** It takes nothing more. Resolves when it is gone. */
  drain(place: Place, handle: ThreadHandle): Promise<void>
  /** The successor is the place's thread now, with nobody before it. */
  takeOver(place: Place): void
}

export class Renewal {
  readonly #options: RenewalOptions

  constructor(options: RenewalOptions) {
    this.#options = options
  }

  /** Has another thread follow the place's, unless one is about to anyway. What keeps it from that is logged. */
  renew(place: Place, reason: string): void {
    if (place.renewal !== undefined || place.successor !== undefined || performance.now() < place.notRenewedBefore) return
    const { log, isServing } = this.#options
    log(`${threadName(place.plan)} is renewed: ${reason}`)
    place.renewal = this.#renew(place)
      .catch((error: Error) => {
        if (!isServing() || !place.isWanted) return
        place.failedRenewals += 1
        place.notRenewedBefore = performance.now() + respawnDelayMs({ failedStarts: place.failedRenewals })
        log(`${threadName(place.plan)} is not renewed, it goes on as it is: ${error.message}`)
      })
      .finally(() => {
        place.renewal = undefined
      })
  }

  async #renew(place: Place): Promise<void> {
    await this.follow(place, await this.boot(place))
    place.failedRenewals = 0
  }

  /**
   * Boots a thread that is to follow the place's. Resolves when it has loaded its apps.
   * @throws PolywsgiError WORKER_DIED, HOST_CLOSED, what `judge` throws
   */
  async boot(place: Place): Promise<ThreadHandle> {
    const { spawn, isLost, judge, isServing } = this.#options
    // There is room for two threads of a place.
    await place.allLeft()
    clearTimeout(place.nextStart)
    place.failedStarts = 0
    const before = place.current
    if (before !== undefined && !before.isReady) {
      // It may have read half of what was there before.
      place.leaves(before)
      await before.terminate(undefined)
    }
    for (;;) {
      if (!isServing() || !place.isWanted) throw serverStopped()
      const successor = spawn(place)
      place.successor = successor
      try {
        await successor.loaded
        judge(successor, before)
        return successor
      } catch (error) {
        if (isLost(successor)) continue
        // With nobody to go on in its stead it serves as well as it can.
        if (successor.isLoaded && place.successor === successor) await successor.terminate(undefined)
        throw isServing() ? error : serverStopped()
      }
    }
  }

  /** Resolves when the successor is ready. The one before it may still have something to finish. */
  async follow(place: Place, successor: ThreadHandle): Promise<void> {
    const { attach, drain, takeOver } = this.#options
    // Otherwise it has taken over already, from one that has died meanwhile.
    if (place.successor === successor) {
      if (place.isWorker) attach(place, successor)
      else {
        // What the one before it has in hand, a message or a job, is not to be had twice at once.
        if (place.current !== undefined) await drain(place, place.current)
        takeOver(place)
      }
    }
    await successor.ready
  }
}
