// Spare workers: threads that have booted their interpreters and loaded their apps, and wait to stand for a worker that has died, so
// that its place is empty for a moment only (`spare`).
// Invariant: what is given away is loaded; one that was given away, or has died, is made up for in the background, one at a time.

import { respawnDelayMs } from './respawn.ts'
import type { ThreadHandle } from './thread-handle.ts'

export interface SparesOptions {
  readonly count: number
  readonly log: (line: string) => void
  /** @throws when there is no thread to be had */
  boot(): ThreadHandle
}

export class Spares {
  readonly #options: SparesOptions
  readonly #threads = new Set<ThreadHandle>()
  #timer: NodeJS.Timeout | undefined
  #failedStarts = 0
  #isOpen = false

  constructor(options: SparesOptions) {
    this.#options = options
  }

  owns(handle: ThreadHandle): boolean {
    return this.#threads.has(handle)
  }

  get threads(): readonly ThreadHandle[] {
    return [...this.#threads]
  }

  /** Spares are booted from now on. */
  open(): void {
    this.#isOpen = true
    this.fill()
  }

  close(): void {
    this.#isOpen = false
    clearTimeout(this.#timer)
  }

  /** Boots the next one that is missing. */
  fill(): void {
    const { count, boot, log } = this.#options
    if (!this.#isOpen || this.#threads.size >= count || this.#timer !== undefined) return
    // One after the other: they are in no hurry, and those that serve need the processors.
    if (this.threads.some(({ isLoaded }) => !isLoaded)) return
    try {
      this.#threads.add(boot())
    } catch (error) {
      log((error as Error).message)
      this.#fillLater()
    }
  }

  /** One of them has loaded its apps. */
  loaded(): void {
    this.#failedStarts = 0
    this.fill()
  }

  /** @returns one that is loaded: it is the caller's; undefined when there is none */
  take(): ThreadHandle | undefined {
    const spare = this.threads.find(({ isLoaded, isStopping }) => isLoaded && !isStopping)
    if (spare !== undefined) this.#threads.delete(spare)
    return spare
  }

  /** @param isFailedStart it died by itself, before it was of any use */
  ended(handle: ThreadHandle, isFailedStart: boolean): void {
    if (!this.#threads.delete(handle)) return
    if (isFailedStart) this.#fillLater()
    else this.fill()
  }

  /** What they have loaded is old. */
  renew(): void {
    for (const spare of this.threads) void spare.terminate(undefined)
  }

  #fillLater(): void {
    if (!this.#isOpen || this.#timer !== undefined) return
    this.#failedStarts += 1
    const delayMs = respawnDelayMs({ failedStarts: this.#failedStarts })
    this.#options.log(`spare worker: next start in ${(delayMs / 1000).toFixed(2)} s`)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.fill()
    }, delayMs)
  }
}
