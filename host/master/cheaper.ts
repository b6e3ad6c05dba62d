// How many workers are to run: pure policy, asked once a second with what was seen (`cheaper`). No clock, no threads.
// Invariant: what it answers lies between the fewest and the most.

export interface CheaperPlan {
  readonly algorithm: CheaperAlgorithm
  /** `cheaper`: so many run at least. */
  readonly fewest: number
  /** `workers`. */
  readonly most: number
  readonly initial: number
  readonly step: number
  /** Rounds; of the algorithm backlog requests. */
  readonly overload: number
  /** Requests that a worker may hold at once. */
  readonly cores: number
  readonly busyness: { readonly min: number; readonly max: number; readonly multiplier: number }
}

export const cheaperAlgorithms = ['spare', 'backlog', 'busyness', 'manual'] as const
export type CheaperAlgorithm = (typeof cheaperAlgorithms)[number]

/** The server at one moment. */
export interface Load {
  /** Workers that take requests. */
  readonly ready: number
  /** Of these, those that could take one more request. */
  readonly idle: number
  /** Requests that wait for a worker. */
  readonly waiting: number
  /** Milliseconds spent in requests so far, by all workers together. */
  readonly spentMs: number
  /** Milliseconds on a clock that never goes back. */
  readonly nowMs: number
}

export class Cheaper {
  readonly #plan: CheaperPlan
  #wanted: number
  /** Rounds in a row without an idle worker, or, below 0, with more than one. */
  #pressure = 0
  #begin: { readonly spentMs: number; readonly nowMs: number } | undefined
  #rounds = 0
  #quiet = 0

  constructor(plan: CheaperPlan) {
    this.#plan = plan
    this.#wanted = plan.initial
  }

  get wanted(): number {
    return this.#wanted
  }

  /** By hand. @returns how many are wanted now */
  change(by: 1 | -1): number {
    this.#pressure = 0
    return this.#want(this.#wanted + by)
  }

  /** Once a second. @returns how many are wanted now */
  round(load: Load): number {
    switch (this.#plan.algorithm) {
      case 'spare':
        return this.#spare(load)
      case 'backlog':
        return this.#backlog(load)
      case 'busyness':
        return this.#busyness(load)
      case 'manual':
        return this.#wanted
    }
  }

  /** One worker is to be idle: so many as that takes. */
  #spare({ ready, idle, waiting }: Load): number {
    const { overload, step } = this.#plan
    // Those that were asked for are not there yet: what they will change is not known.
    if (ready < this.#wanted && idle === 0) return this.#wanted
    if (idle === 0 || waiting > 0) this.#pressure = Math.max(0, this.#pressure) + 1
    else if (idle > 1) this.#pressure = Math.min(0, this.#pressure) - 1
    else this.#pressure = 0
    if (this.#pressure >= overload) {
      this.#pressure = 0
      return this.#want(this.#wanted + step)
    }
    if (this.#pressure <= -overload) {
      this.#pressure = 0
      return this.#want(this.#wanted - 1)
    }
    return this.#wanted
  }

  #backlog({ ready, waiting }: Load): number {
    const { overload, step } = this.#plan
    if (waiting > overload) return ready < this.#wanted ? this.#wanted : this.#want(this.#wanted + step)
    return waiting === 0 ? this.#want(this.#wanted - 1) : this.#wanted
  }

  #busyness({ ready, spentMs, nowMs, waiting }: Load): number {
    const { overload, step, busyness, cores } = this.#plan
    this.#begin ??= { spentMs, nowMs }
    this.#rounds += 1
    if (this.#rounds <= overload) return this.#wanted
    const elapsedMs = (nowMs - this.#begin.nowMs) * Math.max(1, ready) * cores
    const percent = elapsedMs <= 0 ? 0 : Math.min(100, ((spentMs - this.#begin.spentMs) / elapsedMs) * 100)
    this.#begin = { spentMs, nowMs }
    this.#rounds = 1
    // A request is counted when it ends: those that wait tell of one that does not.
    if (percent > busyness.max || waiting > 0) {
      this.#quiet = 0
      return ready < this.#wanted ? this.#wanted : this.#want(this.#wanted + step)
    }
    this.#quiet = percent < busyness.min ? this.#quiet + 1 : 0
    if (this.#quiet < busyness.multiplier) return this.#wanted
    this.#quiet = 0
    return this.#want(this.#wanted - 1)
  }

  #want(workers: number): number {
    const { fewest, most } = this.#plan
    this.#wanted = Math.min(most, Math.max(fewest, workers))
    return this.#wanted
  }
}
