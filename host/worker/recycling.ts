// When a worker is to be followed by a new one: after so many requests, so much time, so much memory. The worker finds it out for
// itself, and asks for a successor; until that one is ready it serves on.
// Invariant: a request costs one subtraction and one comparison; a worker asks again as long as nobody follows it.
import { getHeapStatistics } from 'node:v8'

export interface RecyclingPlan {
  /** 0: any number. */
  readonly maxRequests: number
  /** Times the worker's number: they are not all renewed at once. */
  readonly maxRequestsDelta: number
  readonly minLifetimeMs: number
  /** 0: for ever. */
  readonly maxLifetimeMs: number
  readonly maxLifetimeDeltaMs: number
  /** Bytes; 0: no limit but `memory-limit`. */
  readonly maxMemory: number
  readonly memoryIntervalMs: number
}

export interface RecyclingOptions {
  readonly plan: RecyclingPlan
  readonly workerId: number
  /** Bytes that the thread's interpreters have taken. */
  memory(): number
  /** The worker is to be followed by another. */
  onDue(reason: string): void
  /** It still is. */
  onStillDue(reason: string): void
}

/** How often the master is reminded of a worker that nobody has followed: its successor may have failed to start. */
const remindMs = 5000
const longestTimerMs = 2 ** 31 - 1

export class Recycling {
  readonly #options: RecyclingOptions
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #maxRequests: number
  readonly #maxLifetimeMs: number
  #startedAt = 0
  #left: number
  #isDue = false

  constructor(options: RecyclingOptions) {
    this.#options = options
    const { plan, workerId } = options
    this.#maxRequests = plan.maxRequests === 0 ? 0 : plan.maxRequests + plan.maxRequestsDelta * workerId
    this.#maxLifetimeMs = plan.maxLifetimeMs === 0 ? 0 : plan.maxLifetimeMs + plan.maxLifetimeDeltaMs * workerId
    // From 0 it is counted down without ever being 0 again.
    this.#left = this.#maxRequests
  }

  /** The worker takes requests from now on. */
  start(): void {
    const { maxMemory, memoryIntervalMs } = this.#options.plan
    const lifetimeMs = this.#maxLifetimeMs
    this.#startedAt = performance.now()
    if (lifetimeMs > 0) this.#after(lifetimeMs, () => this.#due(`lifetime reached (${lifetimeMs / 1000} s)`))
    if (maxMemory > 0) this.#every(memoryIntervalMs, () => this.#weigh())
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  /** A request has ended. */
  served(): void {
    this.#left -= 1
    if (this.#left === 0) this.#notBeforeItsTime(() => `max requests reached (${this.#maxRequests})`)
  }

  #weigh(): void {
    const { plan, memory } = this.#options
    const bytes = memory()
    if (bytes > plan.maxMemory) {
      this.#notBeforeItsTime(() => `reload-on-rss limit reached (${mebibytes(bytes)} > ${mebibytes(plan.maxMemory)} MiB)`)
    }
  }

  #notBeforeItsTime(reason: () => string): void {
    if (this.#isDue) return
    const restMs = this.#options.plan.minLifetimeMs - (performance.now() - this.#startedAt)
    // Differs from uWSGI: there the first request after that time ends it.
    if (restMs > 0) this.#after(restMs, () => this.#due(reason()))
    else this.#due(reason())
  }

  #due(reason: string): void {
    if (this.#isDue) return
    this.#isDue = true
    this.stop()
    this.#options.onDue(reason)
    this.#every(remindMs, () => this.#options.onStillDue(reason))
  }

  #after(milliseconds: number, act: () => void): void {
    if (milliseconds <= longestTimerMs) this.#timers.add(setTimeout(act, milliseconds).unref())
    else this.#timers.add(setTimeout(() => this.#after(milliseconds - longestTimerMs, act), longestTimerMs).unref())
  }

  #every(milliseconds: number, act: () => void): void {
    this.#timers.add(setInterval(act, milliseconds).unref())
  }
}

/** What V8 has for the thread, beside what its interpreters have taken, each its own memory. @param interpreters bytes */
export const threadMemory = (interpreters: number): number => {
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics()
  return interpreters + heap + external
}

const mebibytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20)
