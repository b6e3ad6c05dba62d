// What each request of this thread has taken of its CPU (`cpu-limit`): the sum of the stretches in which its code ran, each from where it
// begins or goes on to where it returns or waits for other code. Code outside of requests is counted by its runs: a signal handler's, a
// message's, a job's. Whoever runs code says so here, and the master sees how far the thread's CPU time may go meanwhile.
// Invariant: at each moment the CPU time of the thread is one owner's, or nobody's. Time in which the thread is parked needs no care:
// its clock stands still then.
import type { CpuOwners } from '../api/guest-stops.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { CpuShares } from '../state/cpu-shares.ts'

/** Code that runs for no request: one handler, one message, one job, one turn of what nobody waits for. */
export class CpuRun {
  /** For the compiler, which tells classes apart by what they have. */
  readonly isRequest = false
}

export type CpuOwner = WsgiRequest | CpuRun

export interface CpuTimesOptions {
  readonly shares: CpuShares
  readonly seat: number
  readonly limitMs: number
  /** Microseconds that this thread has taken. */
  readonly read?: () => number
}

/**
 * Microseconds of CPU time that this thread has taken. Linux brings a thread's own figure up to date at each tick of the clock alone (4 ms),
 * which most stretches are shorter than, and whenever the whole process's is asked for: that is why it is. Both together take 4 to 5 us.
 */
export const threadCpuUs = (): number => {
  process.cpuUsage()
  const { user, system } = process.threadCpuUsage()
  return user + system
}

export class CpuTimes implements CpuOwners {
  readonly #options: CpuTimesOptions
  readonly #limitUs: number
  readonly #read: () => number
  /** Of those that have run, and do not at this moment. */
  readonly #used = new WeakMap<CpuOwner, number>()
  /** Who was condemned, and has not ended: the thread is to be ended with the first of them that does not within the grace. */
  readonly #condemned = new Map<WsgiRequest, number>()
  #current: CpuOwner | undefined
  #since = 0
  #isLoaded = false
  /** The message or the job that this thread is at. */
  #work: CpuRun | undefined
  /** The request that ran has had its share, and nobody has noticed yet: it ran in stretches too short for that. */
  onUsedUp: (request: WsgiRequest) => void = () => {}

  constructor(options: CpuTimesOptions) {
    this.#options = options
    this.#limitUs = Math.ceil(options.limitMs * 1000)
    this.#read = options.read ?? threadCpuUs
  }

  /** Who is counted at this moment. */
  get current(): CpuOwner | undefined {
    return this.#current
  }

  /** The apps are loaded: what runs for no request from now on is limited too. */
  loaded(): void {
    this.#isLoaded = true
  }

  /** For code that runs for no request: the message or the job that this thread is at, or a run of its own. */
  run(): CpuRun | undefined {
    return this.#work ?? (this.#isLoaded ? new CpuRun() : undefined)
  }

  switchTo(owner: CpuOwner | undefined): CpuOwner | undefined {
    const outer = this.#current
    if (owner === outer) return outer
    const now = this.#read()
    if (outer !== undefined) this.#charge(outer, now)
    this.#current = owner
    this.#since = now
    this.#tell()
    return outer
  }

  /** A message or a job begins, which this thread is at until `workEnds`, waits included. */
  workBegins(): void {
    this.#work = new CpuRun()
    this.switchTo(this.#work)
  }

  workEnds(): void {
    this.#work = undefined
    this.switchTo(undefined)
  }

  /**
   * Whether the code that runs has had its share.
   * @param request whom it serves, as who asks knows it; undefined for none
   */
  isUsedUp(request: WsgiRequest | undefined): boolean {
    const current = this.#current
    if (current === undefined) return false
    const isMeant = current instanceof CpuRun ? request === undefined || request.isOver : current === request
    return isMeant && this.#usedBy(current) + this.#read() - this.#since >= this.#limitUs
  }

  /** It is to end: the master sees so until it has. */
  condemn(request: WsgiRequest): void {
    if (this.#condemned.has(request)) return
    this.#condemned.set(request, this.#read())
    this.#tell()
  }

  requestEnded(request: WsgiRequest): void {
    if (this.#condemned.delete(request)) this.#tell()
  }

  #usedBy(owner: CpuOwner): number {
    return this.#used.get(owner) ?? 0
  }

  #charge(owner: CpuOwner, now: number): void {
    const before = this.#usedBy(owner)
    const used = before + now - this.#since
    this.#used.set(owner, used)
    if (used >= this.#limitUs && before < this.#limitUs && !(owner instanceof CpuRun)) this.onUsedUp(owner)
  }

  #tell(): void {
    const { shares, seat } = this.#options
    const current = this.#current
    // Its client has been answered, or is answered by its slot's deadline.
    for (const since of this.#condemned.values()) return shares.set(seat, Math.max(1, since), 0)
    if (current === undefined) return shares.set(seat, 0, 0)
    const end = this.#since + this.#limitUs - this.#usedBy(current)
    shares.set(seat, Math.max(1, end), current instanceof CpuRun ? 0 : current.connectionFd)
  }
}
