// What happens between entries into the guest: the job queue of promises, timers, work the host finishes later.
// Invariants: a turn runs a bounded number of jobs, so that no chain of microtasks keeps the worker from its other
// requests; whatever enters the guest from the event loop ends with `endTurn`; no turn ends while a frame of the guest waits
// for the host.
import type { CpuOwners } from '../../host/api/guest-stops.ts'
import type { AsyncContext } from './async-context.ts'
import type { Converter } from './convert.ts'
import type { Engine, Pointer, RawFunction } from './engine.ts'
import { FatalGuestError, GuestThrow } from './errors.ts'
import { HostPromises } from './host-promises.ts'
import { Tag } from './layout.ts'

// About 2 ms of jobs: then the event loop gets its turn.
const jobsPerTurn = 1000

// Each costs the host memory that the guest's own limit does not count.
const mostTimers = 50_000

// Requests that were given up, of which is known for so long that their code may still run.
const mostAbandoned = 10_000

/** For how long the queue has had jobs at every turn where a request that is given up may have made a storm of them. */
const fullMs = 200
/** How many jobs of such a request are stopped one by one. */
const mostOverstays = 64
/** How many jobs may be ahead of one: some tens of milliseconds. */
const mostBehind = 10_000

export class Suspension {
  readonly #engine: Engine
  readonly #converter: Converter
  readonly #timers = new Map<number, NodeJS.Timeout>()
  readonly #lastContext: Pointer
  /** Called when a turn is over, with or without jobs left. */
  readonly onTurnEnd = new Set<() => void>()
  /** Makes room when there is no memory. */
  relieve: () => void = () => {}
  /** Called with the error of a job that failed outside of any promise. Takes the error over. */
  onJobError: (error: Pointer) => void = () => {}
  readonly #context: AsyncContext
  readonly #cpu: CpuOwners | undefined
  /** The request of a number, while it is not over. Set by who knows them. */
  requestOf: (id: number) => object | undefined = () => undefined
  /** Whose CPU time is taken by jobs that nobody waits for. */
  #nobody: object | undefined
  readonly #entry: (name: string) => Pointer
  /** What the host finishes later. */
  readonly promises: HostPromises
  /** And since when. */
  readonly #abandoned = new Map<number, number>()
  #isPumpScheduled = false
  /** Since when there have been jobs at the end of each turn. */
  #pendingSince = Number.POSITIVE_INFINITY
  /** How many jobs had to be stopped, meanwhile, that went on for requests given up long ago. */
  #overstays = 0
  #hasLapped = false
  /** Jobs of the queue run: each for whom it was begun, be that nobody, and not for who is served at the moment. */
  isRunningJobs = false

  /**
   * @param context which tells of jobs where there is `cpu`
   * @param entry finds a function of the glue by name
   */
  constructor(
    engine: Engine,
    converter: Converter,
    context: AsyncContext,
    entry: (name: string) => Pointer,
    cpu?: CpuOwners | undefined,
  ) {
    this.#engine = engine
    this.#converter = converter
    this.#context = context
    this.#entry = entry
    this.#cpu = cpu
    context.onJob = (id) => void cpu?.switchTo(this.#ownerOf(id))
    this.promises = new HostPromises(engine, this, entry)
    this.#lastContext = engine.allocate(4)
  }

  /**
   * Number of the request that guest code runs for; 0 none that is known. What goes on later, by a timer or by work that the
   * host finishes, goes on for the request that it was begun for; promises are followed by AsyncContext.
   */
  get current(): number {
    return this.#context.current
  }

  set current(id: number) {
    this.#context.current = id
  }

  /** True while something may still enter the guest by itself: jobs, timers, work under way. */
  get isBusy(): boolean {
    return this.promises.size > 0 || this.#timers.size > 0 || this.hasJobs
  }

  /**
   * Gives up what goes on for a request: what it waits for is rejected, and it is not let wait again. What it has begun for
   * others too, as timers may be, goes on.
   */
  abandon(request: number, error: unknown): void {
    this.#abandoned.set(request, performance.now())
    // Numbers are used in order: what was given up so long ago is not heard of any more.
    if (this.#abandoned.size > mostAbandoned) {
      for (const oldest of this.#abandoned.keys()) {
        this.#abandoned.delete(oldest)
        break
      }
    }
    this.promises.cancel(request, error)
    // Before the request is over, since its worker takes the next one then.
    this.#endStorm()
  }

  /** True while guest code runs for a request that was given up. */
  get isAbandoned(): boolean {
    return this.#abandoned.size > 0 && this.#abandoned.has(this.current)
  }

  /** True while code runs for a request that was given up so long ago. */
  isAbandonedFor(milliseconds: number): boolean {
    if (this.#abandoned.size === 0) return false
    const since = this.#abandoned.get(this.current)
    return since !== undefined && performance.now() - since > milliseconds
  }

  /** Code of a request is stopped that was given up long ago. */
  noteOverstay(): void {
    if (this.isRunningJobs) this.#overstays += 1
  }

  get hasJobs(): boolean {
    return this.#engine.dead === undefined && this.#engine.ffi._QTS_IsJobPending(this.#engine.runtime) !== 0
  }

  /**
   * Runs pending jobs, at most a turn's share; the rest after the event loop had its turn. Inside a call of the guest this
   * does nothing: who made the outermost one ends the turn.
   * @throws FatalGuestError
   */
  endTurn(): void {
    if (this.#engine.depth > 0) return
    if (this.#engine.ffi._QTS_IsJobPending(this.#engine.runtime) !== 0) this.#runJobs()
    for (const listener of this.onTurnEnd) listener()
  }

  /** Runs jobs inside a call of the guest, one by one, at most a turn's share. */
  runJobsUntil(isDone: () => boolean): void {
    for (let left = jobsPerTurn; left > 0 && !isDone() && this.hasJobs; left -= 1) this.#runBatch(1)
  }

  #runJobs(): void {
    const { ffi, runtime } = this.#engine
    let left = jobsPerTurn
    // A job that throws stops the batch without saying how many had run: an eighth of the share pays for it.
    while (left > 0 && !this.#runBatch(left)) left -= jobsPerTurn >> 3
    if (ffi._QTS_IsJobPending(runtime) === 0) {
      this.#pendingSince = Number.POSITIVE_INFINITY
      this.#overstays = 0
      return
    }
    this.#endIfStorm()
    if (!this.#isPumpScheduled) {
      this.#isPumpScheduled = true
      setImmediate(() => {
        this.#isPumpScheduled = false
        this.enterFromEventLoop(0, () => {})
      })
    }
  }

  /**
   * Promises that make more promises than can be stopped, for a request that is over, cannot be told apart in the queue from those
   * of others, which wait behind ever more of them: the interpreter is given up.
   */
  #endIfStorm(): void {
    this.#pendingSince = Math.min(this.#pendingSince, performance.now())
    if (this.#overstays >= mostOverstays && this.#isFullForLong) this.#giveUpInterpreter()
  }

  /**
   * A request is given up, and the queue has been full for long. Chains of promises go round in it, each a job long, and are stopped one
   * by one; where a job that is put in now has not had its turn after so many others, there are ever more of them. That is found out
   * before the request is over, since its worker takes the next one then.
   */
  #endStorm(): void {
    if (!this.hasJobs || !this.#isFullForLong) return
    this.#hasLapped = false
    this.discard(this.#engine.call(this.#entry('lap'), 0))
    for (let left = mostBehind; left > 0 && !this.#hasLapped && this.hasJobs; left -= 1) this.#runBatch(1)
    if (!this.#hasLapped) this.#giveUpInterpreter()
  }

  get #isFullForLong(): boolean {
    return performance.now() - this.#pendingSince >= fullMs
  }

  #giveUpInterpreter(): void {
    const lose = (): Pointer => {
      throw new Error('promises of a request that was ended make more promises without an end')
    }
    try {
      this.#engine.enter(lose)
    } finally {
      // Nobody may be left to hear of it.
      setImmediate(() => {
        throw this.#engine.dead
      })
    }
  }

  /** @returns false when a job failed: others may have to wait for another batch */
  #runBatch(most: number): boolean {
    const { ffi, runtime } = this.#engine
    const isInside = this.isRunningJobs
    this.isRunningJobs = true
    const outer = this.#cpu?.current
    let result: Pointer
    try {
      result = this.#engine.enter(() => ffi._QTS_ExecutePendingJob(runtime, most, this.#lastContext))
    } finally {
      this.isRunningJobs = isInside
      this.#nobody = undefined
      this.#cpu?.switchTo(outer)
    }
    const tag = this.#engine.i32[(result >> 2) + 1]!
    const isCount = tag === Tag.int || tag > Tag.shortBigInt || tag < Tag.bigInt
    if (isCount) this.#engine.free(result)
    else this.onJobError(result)
    return isCount
  }

  /** Tries twice: out of memory may mean full of garbage, and a promise left unsettled for that would hold its core for ever. */
  withRelief<T>(run: () => T): T {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof GuestThrow)) throw error
      this.relieve()
      return run()
    }
  }

  // A lost interpreter has told everybody by its onDeath already: nobody up here could do anything about it.
  /** Runs what enters the guest from the event loop, for a request or (0) for nobody, and ends the turn. */
  enterFromEventLoop(current: number, run: () => void): void {
    if (this.#engine.dead !== undefined) return
    this.current = current
    const outer = this.#cpu?.switchTo(this.#ownerOf(current))
    try {
      run()
      this.current = 0
      this.endTurn()
    } catch (error) {
      if (!(error instanceof FatalGuestError) && !(error instanceof GuestThrow)) throw error
    } finally {
      this.current = 0
      this.#nobody = undefined
      this.#cpu?.switchTo(outer)
    }
  }

  /** Whose CPU time it takes that a number stands for. Jobs of one batch that run for nobody share what one may take. */
  #ownerOf(id: number): object | undefined {
    if (this.#cpu === undefined) return undefined
    const request = id === 0 ? undefined : this.requestOf(id)
    if (request !== undefined) return request
    this.#nobody ??= this.#cpu.run()
    return this.#nobody
  }

  /** Frees what a call of the guest gave; an error is for the log. */
  discard(result: Pointer): void {
    if (this.#engine.isException(result)) this.onJobError(this.#engine.takeException(result))
    else this.#engine.free(result)
  }

  /** Stops all timers: nothing enters the guest by itself any more. */
  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  functions(): Record<string, RawFunction> {
    const converter = this.#converter
    return {
      lapped: () => {
        this.#hasLapped = true
        return 0
      },
      startTimer: (_argc, argv) => {
        const id = converter.int(argv)!
        const delay = converter.int(argv + 8)!
        const repeats = converter.value(argv + 16) === true
        this.#startTimer(id, delay, repeats)
        return 0
      },
      stopTimer: (_argc, argv) => {
        const id = converter.int(argv)!
        clearTimeout(this.#timers.get(id))
        this.#timers.delete(id)
        return 0
      },
    }
  }

  #startTimer(id: number, delayMs: number, repeats: boolean): void {
    if (this.#timers.size >= mostTimers) throw new GuestThrow('RangeError', `more than ${mostTimers} timers at once`)
    const { current } = this
    const fire = (): void => {
      if (!repeats) this.#timers.delete(id)
      this.enterFromEventLoop(current, () => {
        this.#engine.setInt(0, id)
        this.discard(this.#engine.call(this.#entry('fireTimer'), 1))
      })
    }
    const timer = repeats ? setInterval(fire, delayMs) : setTimeout(fire, delayMs)
    // A guest's timer must not keep a worker alive that is to end; while the worker serves, its link does.
    timer.unref()
    this.#timers.set(id, timer)
  }
}
