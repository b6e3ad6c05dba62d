// The stop word of a thread in tests of bindings: who has set it says what is judged of the code that looks at it.
import type { GuestStops } from '../../host/api/guest-stops.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import { stopValue } from '../../host/state/stop-words.ts'

export class TestStops implements GuestStops {
  readonly word: Int32Array
  readonly isWanted: boolean
  /** What `judge` answers: undefined lets the code go on. */
  verdict: string | undefined = 'it took longer than it may: harakiri'
  /** For whom the code runs that looks: what is condemned of it is over, and answered once it is stopped. */
  current: () => WsgiRequest | undefined = () => undefined
  judged = 0
  #condemned: WsgiRequest | undefined
  /** What `stopped` was called with. */
  readonly traces: string[] = []

  /** @param word in memory shared with the thread that sets it while guest code runs in this one */
  constructor(isWanted = true, word: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.word = new Int32Array(word)
    this.isWanted = isWanted
  }

  /** What the master does when something has overrun. */
  set(): void {
    Atomics.store(this.word, 0, stopValue)
  }

  judge(): string | undefined {
    Atomics.store(this.word, 0, 0)
    this.judged += 1
    this.#condemned = this.verdict === undefined ? undefined : this.current()
    if (this.#condemned !== undefined) this.#condemned.isOver = true
    return this.verdict
  }

  stopped(trace: string): void {
    this.traces.push(trace)
    this.#condemned?.timeOut('some-id')
  }
}
