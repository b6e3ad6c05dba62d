// Timers and cron: everything that raises a signal, or runs a command, when its time comes. One wake-up of the clock serves
// them all: the earliest.
// Invariant: nothing fires before `start`; a registration that threads repeat while they load counts once.
import type { CronFields } from '../api/cron-fields.ts'
import type { MasterCallTable, Registration } from '../api/master-calls.ts'
import { ApiError } from '../errors.ts'
import type { Clock } from './clock.ts'
import { cronMatches, type LocalTime, localTime as systemLocalTime } from './cron.ts'
import type { RunningCommand } from './cron-command.ts'
import { Registrations } from './registrations.ts'

export interface TimerPlan {
  readonly signum: number
  readonly seconds: number
}

export interface CronPlan {
  readonly fields: CronFields
  readonly command: string
  /** Not while the command of its last time still runs. */
  readonly isUnique: boolean
}

/** What the configuration asks for. */
export interface SchedulePlans {
  readonly timers: readonly TimerPlan[]
  readonly rbTimers: readonly TimerPlan[]
  readonly crons: readonly CronPlan[]
}

export interface SchedulerOptions {
  readonly clock: Clock
  readonly raise: (signum: number) => void
  readonly run: (command: string) => RunningCommand
  readonly log: (line: string) => void
  readonly localTime?: (epochMs: number) => LocalTime
}

/** Of each kind, as in uWSGI. Differs from uWSGI: what has fired for the last time gives its place back. */
export const maxClocks = 64

const minuteMs = 60_000
/** The clock on the wall may be set meanwhile, and setTimeout counts no further than 24.8 days. */
const maxSleepMs = 3_600_000
/** How often a timer of uWSGI's tree with a period of 0 fires: once a turn of its master. */
const zeroPeriodMs = 1000

interface Timer {
  readonly kind: 'timer' | 'rb timer'
  readonly signum: number
  readonly periodMs: number
  /** Times it may still fire. */
  left: number
  /** Undefined: not before `start`, or never. */
  due: number | undefined
}

interface Cron {
  readonly kind: 'cron'
  readonly fields: CronFields
  readonly fire: () => void
  /** The minute (since 1970) it was last looked at: each minute is looked at once, so it never fires twice in one. */
  lookedAt: number
}

export class Scheduler {
  readonly #options: SchedulerOptions
  readonly #localTime: (epochMs: number) => LocalTime
  readonly #timers = new Set<Timer>()
  readonly #crons = new Set<Cron>()
  readonly #registrations = new Registrations<Timer | Cron>()
  #state: 'waiting' | 'running' | 'closed' = 'waiting'
  #cancel: (() => void) | undefined

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#localTime = options.localTime ?? systemLocalTime
  }

  /** @throws ApiError API_REFUSED when there are too many */
  addTimer({ signum, seconds, registration }: MasterCallTable['addTimer']['args']): undefined {
    this.#register(['timer', signum, seconds], registration, () => this.#newTimer('timer', signum, seconds * 1000, 0))
  }

  /** @throws ApiError API_REFUSED when there are too many */
  addRbTimer({ signum, milliseconds, iterations, registration }: MasterCallTable['addRbTimer']['args']): undefined {
    this.#register(['rb timer', signum, milliseconds, iterations], registration, () =>
      this.#newTimer('rb timer', signum, milliseconds, iterations),
    )
  }

  /** @throws ApiError API_REFUSED when there are too many */
  addCron({ signum, fields, registration }: MasterCallTable['addCron']['args']): undefined {
    this.#register(['cron', signum, ...fields], registration, () =>
      this.#newCron(fields, () => {
        this.#options.log(`[uwsgi-cron] routing signal ${signum}`)
        this.#options.raise(signum)
      }),
    )
  }

  /**
   * Takes what the configuration asks for; once, before `start`.
   * @throws ApiError API_REFUSED when there are too many
   */
  plan(plans: SchedulePlans): void {
    for (const { signum, seconds } of plans.timers) this.#newTimer('timer', signum, seconds * 1000, 0)
    for (const { signum, seconds } of plans.rbTimers) this.#newTimer('rb timer', signum, seconds * 1000, 0)
    for (const { fields, command, isUnique } of plans.crons) this.#newCron(fields, this.#commandOf(command, isUnique))
  }

  /** Time begins to run: the threads are ready for what fires. */
  start(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'running'
    for (const timer of this.#timers) this.#begin(timer)
    this.#tick()
  }

  /** Commands that run go on. */
  close(): void {
    this.#state = 'closed'
    this.#cancel?.()
  }

  reloadStarted(): void {
    this.#registrations.reloadStarted()
  }

  /** Forgets what the apps as they are now have not registered again. */
  reloadFinished(): void {
    for (const entry of this.#registrations.reloadFinished()) {
      if (entry.kind === 'cron') this.#crons.delete(entry)
      else this.#timers.delete(entry)
    }
  }

  #register(args: readonly unknown[], registration: Registration, make: () => Timer | Cron): undefined {
    this.#registrations.add(args, registration, make)
    // What is new may be due before everything else.
    if (this.#state === 'running') this.#tick()
  }

  #newTimer(kind: Timer['kind'], signum: number, periodMs: number, iterations: number): Timer {
    const functionName = kind === 'timer' ? 'add_timer' : 'add_rb_timer'
    let count = 0
    for (const other of this.#timers) if (other.kind === kind) count += 1
    if (count >= maxClocks) throw tooMany(functionName, kind)
    const timer: Timer = {
      kind,
      signum,
      periodMs,
      left: iterations === 0 ? Number.POSITIVE_INFINITY : iterations,
      due: undefined,
    }
    this.#timers.add(timer)
    if (this.#state === 'running') this.#begin(timer)
    return timer
  }

  #newCron(fields: CronFields, fire: () => void): Cron {
    if (this.#crons.size >= maxClocks) throw tooMany('add_cron', 'cron')
    const cron: Cron = { kind: 'cron', fields, fire, lookedAt: Number.NaN }
    this.#crons.add(cron)
    return cron
  }

  #begin(timer: Timer): void {
    // A timer without a period never fires, as a timerfd set to 0; one of the tree fires at once.
    if (timer.periodMs > 0 || timer.kind === 'rb timer') timer.due = this.#options.clock.elapsed() + timer.periodMs
  }

  #tick(): void {
    if (this.#state !== 'running') return
    const { clock } = this.#options
    const elapsed = clock.elapsed()
    const due = [...this.#timers].filter((timer) => timer.due !== undefined && timer.due <= elapsed)
    due.sort((one, other) => (one.due as number) - (other.due as number))
    for (const timer of due) this.#fire(timer, elapsed)
    this.#lookAtCrons(clock.now())
    this.#sleep()
  }

  #fire(timer: Timer, elapsed: number): void {
    timer.left -= 1
    if (timer.left <= 0) this.#timers.delete(timer)
    const due = timer.due as number
    if (timer.periodMs > 0) {
      // Times that were missed are one, and the next keeps the beat.
      timer.due = due + timer.periodMs * (Math.floor((elapsed - due) / timer.periodMs) + 1)
    } else timer.due = Number.isFinite(timer.left) ? elapsed : elapsed + zeroPeriodMs
    this.#options.raise(timer.signum)
  }

  #lookAtCrons(now: number): void {
    const minute = Math.floor(now / minuteMs)
    let time: LocalTime | undefined
    for (const cron of [...this.#crons]) {
      if (cron.lookedAt === minute) continue
      cron.lookedAt = minute
      time ??= this.#localTime(now)
      if (cronMatches(cron.fields, time)) cron.fire()
    }
  }

  #sleep(): void {
    this.#cancel?.()
    this.#cancel = undefined
    // What fired may have closed this.
    if (this.#state !== 'running') return
    const { clock } = this.#options
    const elapsed = clock.elapsed()
    let sleepMs = this.#crons.size > 0 ? minuteMs - (clock.now() % minuteMs) : Number.POSITIVE_INFINITY
    for (const { due } of this.#timers) if (due !== undefined) sleepMs = Math.min(sleepMs, due - elapsed)
    if (sleepMs === Number.POSITIVE_INFINITY) return
    this.#cancel = clock.after(Math.min(Math.max(sleepMs, 0), maxSleepMs), () => this.#tick())
  }

  #commandOf(command: string, isUnique: boolean): () => void {
    const { clock, log, run } = this.#options
    let running = 0
    return () => {
      if (isUnique && running > 0) return
      const startedAt = clock.elapsed()
      running += 1
      const { pid, ended } = run(command)
      if (pid !== undefined) log(`[uwsgi-cron] running "${command}" (pid ${pid})`)
      ended.then((error) => {
        running -= 1
        const seconds = Math.floor((clock.elapsed() - startedAt) / 1000)
        if (error !== undefined) log(`[uwsgi-cron] unable to run "${command}": ${error.message}`)
        else log(`[uwsgi-cron] command "${command}" running with pid ${pid} exited after ${seconds} second(s)`)
      })
    }
  }
}

const tooMany = (functionName: string, kind: string): ApiError =>
  new ApiError(functionName, 'API_REFUSED', `unable to add ${kind.replace(' ', '_')}: there are ${maxClocks} already`)
