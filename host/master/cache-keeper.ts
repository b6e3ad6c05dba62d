// What the master does for caches: sweeps out what has expired, fills caches from their stores at the start, and writes the
// stores, every `store_sync` seconds and at the end. All of it in small steps between turns of the event loop.
// Differs from uWSGI: a cache is swept by a timer of the master and not by a thread of its own.

import { access, constants, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { ConfigError } from '../errors.ts'
import type { Cache } from '../state/cache.ts'
import { loadStore, saveStore, UnusableStore } from './cache-store.ts'
import { type Clock, systemClock } from './clock.ts'

export interface CacheKeeperOptions {
  readonly caches: readonly Cache[]
  readonly log: (line: string) => void
  /** `cache-expire-freq`. */
  readonly sweepSeconds: number
  /** `cache-report-freed-items`. */
  readonly reportFreed?: boolean
  readonly clock?: Clock
}

/** Items looked at between two turns of the event loop: well below a millisecond. */
const itemsPerTurn = 4096

export class CacheKeeper {
  readonly #options: CacheKeeperOptions
  readonly #clock: Clock
  readonly #swept: readonly Cache[]
  /** Changes of each cache that its store holds. */
  readonly #saved = new Map<Cache, number>()
  readonly #timers = new Map<string, () => void>()
  #work: Promise<unknown> = Promise.resolve()
  #isOpen = false

  constructor(options: CacheKeeperOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#swept = options.caches.filter(({ handle: { shape } }) => !shape.noExpire && !shape.lazyExpire)
  }

  /**
   * Fills the caches from their stores, then keeps them.
   * @throws ConfigError for a store that cannot be used
   */
  async start(): Promise<void> {
    for (const cache of this.#options.caches) await this.#load(cache)
    this.#isOpen = true
    if (this.#swept.length > 0) this.#every('sweep', this.#options.sweepSeconds, () => this.sweep())
    for (const cache of this.#options.caches) {
      const { name, store, storeSync } = cache.handle.shape
      if (store !== undefined && storeSync > 0) this.#every(`store ${name}`, storeSync, () => this.#save(cache, store))
    }
  }

  /** Writes the stores a last time. Nobody should change the caches any more. */
  async stop(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const cancel of this.#timers.values()) cancel()
    await this.#work
    for (const cache of this.#options.caches) {
      const { store } = cache.handle.shape
      if (store !== undefined) await this.#save(cache, store)
    }
  }

  /** Removes what has expired from every cache that is swept. @returns how many items that were */
  async sweep(): Promise<number> {
    let total = 0
    for (const cache of this.#swept) {
      let freed = 0
      let place = 0
      do {
        const { removed, next } = cache.sweep(place, itemsPerTurn)
        freed += removed
        place = next
        if (place > 0) await setImmediate()
      } while (place > 0)
      if (freed > 0 && this.#options.reportFreed) this.#options.log(`freed ${freed} items for cache "${cache.name}"`)
      total += freed
    }
    return total
  }

  async #load(cache: Cache): Promise<void> {
    const { name, store, storeDelete } = cache.handle.shape
    if (store === undefined) return
    await this.#requireWritable(name, store)
    try {
      const count = await loadStore(cache, store, this.#clock.now())
      if (count === undefined) return
      this.#options.log(`cache "${name}": ${count} items recovered from ${store}`)
      this.#saved.set(cache, cache.changes)
    } catch (error) {
      const { message } = error as Error
      if (!(error instanceof UnusableStore)) {
        throw new ConfigError('CONFIG_BAD_VALUE', `cache2 ${name}: the store ${store} cannot be read: ${message}`, {
          cause: error,
        })
      }
      if (!storeDelete) {
        throw new ConfigError(
          'CONFIG_BAD_VALUE',
          `cache2 ${name}: the store ${store} cannot be used: ${message}; remove it, or set store_delete to have it removed`,
          { cause: error },
        )
      }
      this.#options.log(`cache "${name}": the store ${store} cannot be used: ${message}; it is removed`)
      await unlink(store)
    }
  }

  /** Found out at the end, it would cost all items. */
  async #requireWritable(name: string, store: string): Promise<void> {
    try {
      await access(dirname(store), constants.W_OK)
    } catch (cause) {
      const message = `cache2 ${name}: the store ${store} cannot be written: ${(cause as Error).message}`
      throw new ConfigError('CONFIG_BAD_VALUE', message, { cause })
    }
  }

  async #save(cache: Cache, store: string): Promise<void> {
    const { changes } = cache
    if (this.#saved.get(cache) === changes) return
    try {
      await saveStore(cache, store)
      this.#saved.set(cache, changes)
    } catch (error) {
      this.#options.log(`cache "${cache.name}": the store ${store} cannot be written: ${(error as Error).message}`)
    }
  }

  /** Every period counts from the end of the work, so that slow disks get no queue of work. */
  #every(name: string, seconds: number, work: () => Promise<unknown>): void {
    const run = (): void => {
      // One work at a time: the end can wait for all of it by waiting for the last.
      this.#work = this.#work.then(work).finally(() => {
        if (this.#isOpen) this.#every(name, seconds, work)
      })
    }
    this.#timers.set(name, this.#clock.after(seconds * 1000, run))
  }
}
