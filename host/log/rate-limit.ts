// How much guests may say: so many lines in a second, and then one that tells how many more there were. It stands between guests and
// the log of their thread; what the server itself writes goes past it, so no guest can hide what is said of it in a flood of its own.
import type { Log } from '../api/context.ts'

export interface RateLimitOptions {
  /** Lines in a second. */
  readonly rate: number
  /** Whose lines: `worker 1`. A spare becomes one later. */
  who(): string
  /** Milliseconds on a clock that only goes on. */
  readonly now?: () => number
  /** Calls back after so many milliseconds. */
  readonly after?: (milliseconds: number, call: () => void) => void
}

const windowMs = 1000

/** @param rate 0: no limit, and the log itself */
export const limitedLog = <Lines extends Log>(log: Lines, { rate, who, now, after }: RateLimitOptions): Log =>
  rate === 0 ? log : new LimitedLog(log, { rate, who, now: now ?? (() => performance.now()), after: after ?? later })

const later = (milliseconds: number, call: () => void): void => void setTimeout(call, milliseconds).unref()

class LimitedLog implements Log {
  readonly #log: Log
  readonly #options: Required<RateLimitOptions>
  #windowEnd = Number.NEGATIVE_INFINITY
  #written = 0
  #dropped = 0

  constructor(log: Log, options: Required<RateLimitOptions>) {
    this.#log = log
    this.#options = options
  }

  text(line: string): void {
    if (this.#takes()) this.#log.text(line)
  }

  bytes(line: Uint8Array): void {
    if (this.#takes()) this.#log.bytes(line)
  }

  #takes(): boolean {
    const { rate, now, after } = this.#options
    const at = now()
    if (at >= this.#windowEnd) {
      this.#tell()
      this.#windowEnd = at + windowMs
      this.#written = 0
    }
    if (this.#written < rate) {
      this.#written += 1
      return true
    }
    // Told when the second is over, or, where the thread is kept from that, with the next line.
    if (this.#dropped === 0) after(this.#windowEnd - at, () => this.#tell())
    this.#dropped += 1
    return false
  }

  #tell(): void {
    if (this.#dropped === 0) return
    const { rate, who } = this.#options
    this.#log.text(
      `[log-rate] ${who()}: ${this.#dropped} more lines in a second than the ${rate} that guests may log were dropped`,
    )
    this.#dropped = 0
  }
}
