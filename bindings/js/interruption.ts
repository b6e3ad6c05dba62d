// How code of the guest is stopped that overran: the interpreter polls, and throws an error that no code of the guest can catch.
// Invariants: what was stopped is told once, with its stack, as soon as an error of it reaches the host; nothing that the guest says
// for a request that was stopped is taken for its answer.
import type { GuestStops } from '../../host/api/guest-stops.ts'
import { PolywsgiError } from '../../host/errors.ts'
import type { Engine } from './engine.ts'
import { GuestThrow } from './errors.ts'
import type { GuestRequest, RequestTable } from './requests.ts'
import type { Suspension } from './suspend.ts'

/** What describes the interpreter's own error, ahead of its stack. */
const interrupted = 'InternalError: interrupted'

/** How long code of a request that was given up may go on: to clean up. */
const cleanUpMs = 1000

interface Stopped {
  readonly reason: string
  readonly request: GuestRequest | undefined
  /** Where it stood: of its innermost function the last call is known, or nothing. Its error knows better, if that gets here. */
  readonly trace: string
  /** Turns that have ended since. */
  turns: number
}

/** Without those of the glue, which are nobody's to mend. */
const guestFrames = (stack: string): string =>
  stack
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('(polywsgi:'))
    .join('\n')

export class Interruption {
  readonly #engine: Engine
  readonly #stops: GuestStops
  readonly #suspension: Suspension
  readonly #requests: RequestTable
  readonly #describeStack: () => string
  /** Whose error has not reached the host. */
  #stopped: Stopped | undefined

  /** @param describeStack of the code that runs; '' where it cannot be told */
  constructor(engine: Engine, stops: GuestStops, suspension: Suspension, requests: RequestTable, describeStack: () => string) {
    this.#engine = engine
    this.#stops = stops
    this.#suspension = suspension
    this.#requests = requests
    this.#describeStack = describeStack
    // An error that stays within the guest, as in a promise that nobody looks at, never comes.
    suspension.onTurnEnd.add(() => {
      if (this.#stopped === undefined) return
      this.#stopped.turns += 1
      if (this.#stopped.turns > 1 || !suspension.hasJobs) this.#end(this.#stopped, this.#stopped.trace)
    })
  }

  /** From now on the interpreter asks, once in ten thousand calls and rounds of loops. */
  begin(): void {
    this.#engine.shouldInterrupt = this.isDue
    this.#engine.ffi._QTS_RuntimeEnableInterruptHandler(this.#engine.runtime)
  }

  /** Asked from within code that runs. */
  readonly isDue = (): boolean => {
    if (this.#stops.word[0] === 0) {
      if (!this.#suspension.isAbandonedFor(cleanUpMs)) return false
      this.#suspension.noteOverstay()
      return true
    }
    const reason = this.#stops.judge()
    if (reason === undefined) return false
    // It is another one's code when calls of it are nested.
    if (this.#stopped !== undefined) this.#end(this.#stopped, this.#stopped.trace)
    const request = this.#requests.running
    this.#stopped = { reason, request, trace: guestFrames(this.#currentStack()), turns: 0 }
    if (request?.wsgi.isOver === true) request.isAnswered = true
    return true
  }

  /**
   * An error of the guest has reached the host.
   * @param description name, message and stack
   * @returns for what was stopped, the error by which whoever ran it is to end
   */
  errorOf(description: string): PolywsgiError | undefined {
    if (this.#stopped === undefined || !description.startsWith(interrupted)) return undefined
    const { reason, trace } = this.#stopped
    this.#end(this.#stopped, guestFrames(description.slice(interrupted.length)) || trace)
    return new PolywsgiError('HARAKIRI', reason)
  }

  #currentStack(): string {
    try {
      return this.#describeStack()
    } catch (error) {
      // No memory, or no stack, is left for it.
      if (error instanceof GuestThrow) return ''
      throw error
    }
  }

  #end({ reason, request }: Stopped, trace: string): void {
    this.#stopped = undefined
    this.#stops.stopped(trace)
    // A handler outside of requests may have run while a request waited below it.
    if (request?.wsgi.isOver === true && !request.isOver) this.#requests.giveUp(request, new PolywsgiError('HARAKIRI', reason))
  }
}
