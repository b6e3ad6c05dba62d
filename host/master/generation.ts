// Reloads: the threads of the server, or those of one kind, are followed by others that load the apps anew. Gracefully, a whole
// generation boots while the one before it serves, and takes its place when all of it is ready; as a chain, thread by thread.
// Invariant: as long as a new generation is not ready it has no part in serving; when it cannot be, it is ended and nothing has
// happened to the one before it.

import { availableParallelism } from 'node:os'
import type { ReloadKind } from '../control/reload-kinds.ts'
import type { Place } from './place.ts'
import { type ThreadHandle, threadName } from './thread-handle.ts'

export interface GenerationOptions {
  readonly log: (line: string) => void
  /**
   * Boots a thread that is to follow the place's. Resolves when it has loaded its apps and may follow.
   * @throws when it died, or its apps are not what they were
   */
  boot(place: Place): Promise<ThreadHandle>
  /** Has it follow. Resolves when it is ready, and nothing new goes to the one before it. */
  follow(place: Place, successor: ThreadHandle): Promise<void>
  /** False: the server is stopping, and says so itself. */
  isServing(): boolean
  /** Another reload waits for the end of this one. */
  isAwaited(): boolean
  /** How long a thread may load while a reload waits for it; for tests. */
  readonly patienceMs?: number | undefined
}

/** While another reload waits, what is loaded may be old already. */
const loadPatienceMs = 10_000
const lookMs = 200

/** As in uWSGI's log. */
const plural = { workers: 'worker', mules: 'mule', spoolers: 'spooler' } as const

export class Generation {
  readonly #options: GenerationOptions

  constructor(options: GenerationOptions) {
    this.#options = options
  }

  /** @throws what kept it from loading: the threads before it go on */
  async reload(kind: ReloadKind, places: readonly Place[]): Promise<void> {
    if (kind === 'chain') return await this.#chain(places)
    if (kind === 'graceful') return await this.#all(places, '...gracefully reloading...')
    const own = places.filter(({ plan }) => plan.identity.kind === plural[kind])
    await this.#all(own, `...gracefully reloading ${kind}...`)
  }

  /** A thread that does not come to an end of loading keeps the next reload waiting for so long, and not for ever. */
  async #boot(place: Place): Promise<ThreadHandle> {
    const { boot, isAwaited, patienceMs = loadPatienceMs } = this.#options
    const timer = setInterval(() => {
      const { successor } = place
      // What boots to renew the place's thread keeps this reload waiting, and may have loaded code that is no more.
      if (successor === undefined || successor.isLoaded || !(isAwaited() || place.renewal !== undefined)) return
      const loadingMs = performance.now() - successor.startedAt
      if (loadingMs < patienceMs) return
      void successor.terminate(`it has not loaded its apps in ${Math.round(loadingMs / 1000)} s, and a reload waits for it`)
    }, lookMs).unref()
    try {
      return await boot(place)
    } finally {
      clearInterval(timer)
    }
  }

  async #all(places: readonly Place[], announcement: string): Promise<void> {
    const { log, follow, isServing } = this.#options
    log(announcement)
    const booted = new Map<Place, ThreadHandle>()
    try {
      await inParallel(places, availableParallelism(), async (place) => void booted.set(place, await this.#boot(place)))
    } catch (error) {
      await Promise.all([...booted].map(([place, successor]) => place.successor === successor && successor.terminate(undefined)))
      if (isServing()) log(`reload given up: ${(error as Error).message}: the old generation goes on serving`)
      throw error
    }
    if (booted.size > 1) log('reload: the new generation is ready, and takes over')
    // Each by itself: what one of them waits for (a mule's message, a job) is nothing to the others.
    const followed = await Promise.allSettled([...booted].map(([place, successor]) => follow(place, successor)))
    const failed = followed.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) {
      if (isServing()) log(`reload: not every thread could follow: ${(failed.reason as Error).message}`)
      throw failed.reason
    }
    log('reload complete')
  }

  async #chain(places: readonly Place[]): Promise<void> {
    const { log, follow, isServing } = this.#options
    log('...chain reloading...')
    try {
      for (const place of places) {
        log(`chain next victim is ${threadName(place.plan)}`)
        await follow(place, await this.#boot(place))
      }
    } catch (error) {
      if (isServing()) log(`chain reload given up, the other threads go on as they are: ${(error as Error).message}`)
      throw error
    }
    log('chain reloading complete')
  }
}

/** At most so many at once; after the first that fails no more are begun, and those that were are waited for. */
const inParallel = async <Item>(items: readonly Item[], most: number, work: (item: Item) => Promise<void>): Promise<void> => {
  const left = [...items]
  let failure: { readonly error: unknown } | undefined
  const lane = async (): Promise<void> => {
    while (failure === undefined) {
      const item = left.shift()
      if (item === undefined) return
      try {
        await work(item)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, lane))
  if (failure !== undefined) throw failure.error
}
