// The threads of one server: started, replaced when they end by themselves, renewed one by one on a reload, stopped.
// Invariant: a thread number has at most one thread; everything that was in the old one's hands is given back before the
// new one starts.

import { MessageChannel } from 'node:worker_threads'
import { PolywsgiError } from '../errors.ts'
import { sharedNow } from '../state/deadlines.ts'
import type { StateMap } from '../state/state-map.ts'
import { WorkerState } from '../state/worker-slots.ts'
import type { AppFailure, ThreadPlan, ThreadStart } from '../worker/messages.ts'
import type { CallHandlers, NoticeHandlers } from './call-handlers.ts'
import { respawnDelayMs } from './respawn.ts'
import { ThreadCalls } from './thread-calls.ts'
import { type ThreadEvents, ThreadHandle, threadName } from './thread-handle.ts'

export interface SupervisorOptions {
  readonly plans: readonly ThreadPlan[]
  readonly state: StateMap
  readonly entry: string
  readonly log: (line: string) => void
  readonly calls: CallHandlers
  readonly notices: NoticeHandlers
  /** All of a thread's start but its plan and its port. */
  start(): Omit<ThreadStart, 'plan' | 'callPort'>
  appFailed(plan: ThreadPlan, failure: AppFailure): void
  ready(plan: ThreadPlan): void
  /** A thread is gone, with what it held. @returns what is to be said about it in the log, '' for nothing */
  ended(plan: ThreadPlan, status: 500 | 504): string
}

/** A mule or spooler that lived shorter than this has failed to start, as far as a pause before the next start goes. */
const shortLifeMs = 2000
/** How long an idle worker may take for its exit hooks. */
const stopMs = 5000
/** A mule may be in a program of its own, or a spooler in a job, that no message reaches. */
const otherStopMs = 1000
const harakiriWatchMs = 200

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #handles = new Map<number, ThreadHandle>()
  readonly #calls = new Map<number, ThreadCalls>()
  readonly #failedStarts = new Map<number, number>()
  readonly #respawns = new Map<number, NodeJS.Timeout>()
  readonly #readyWaiters = new Map<number, PromiseWithResolvers<void>>()
  #watch: NodeJS.Timeout | undefined
  #phase: 'starting' | 'serving' | 'stopping' = 'starting'
  #reload: Promise<void> | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /**
   * Starts all threads. Resolves when all are ready.
   * @throws PolywsgiError WORKER_DIED when one cannot start at all
   */
  async start(): Promise<void> {
    const ready = this.#options.plans.map((plan) => this.#readiness(plan))
    for (const plan of this.#options.plans) this.#spawn(plan)
    await Promise.all(ready)
    this.#phase = 'serving'
    this.#watch = setInterval(() => this.#enforceDeadlines(), harakiriWatchMs)
    this.#watch.unref()
  }

  get readyWorkers(): number {
    return [...this.#handles.values()].filter(({ isReady, plan }) => isReady && plan.identity.kind === 'worker').length
  }

  isReady(thread: number): boolean {
    return this.#handles.get(thread)?.isReady === true
  }

  /** Has a thread run one of its functions. */
  run(thread: number, name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    const calls = this.#calls.get(thread)
    if (calls === undefined) return Promise.reject(new PolywsgiError('WORKER_DIED', `thread ${thread} does not run`))
    return calls.run(name, args)
  }

  /**
   * Renews every thread, one after the other: each finishes what it runs (at most `mercyMs`), and its successor is ready
   * before the next one is asked. Requests wait meanwhile, none is lost.
   */
  reload(mercyMs: number): Promise<void> {
    this.#reload ??= this.#renewAll(mercyMs).finally(() => {
      this.#reload = undefined
    })
    return this.#reload
  }

  /** No thread is started any more; those that run are left alone until `stop`. */
  beginStop(): void {
    this.#phase = 'stopping'
    clearInterval(this.#watch)
    for (const timer of this.#respawns.values()) clearTimeout(timer)
    this.#respawns.clear()
  }

  /** @param isUrgent something was cut off already: threads are ended where they stand */
  async stop(isUrgent: boolean): Promise<void> {
    await Promise.all([...this.#handles.values()].map((handle) => this.#stopThread(handle, isUrgent ? 0 : undefined)))
  }

  async #stopThread(handle: ThreadHandle, patienceMs: number | undefined): Promise<void> {
    if (!handle.isReady) return await handle.terminate(undefined)
    await handle.stop(patienceMs ?? (handle.plan.identity.kind === 'worker' ? stopMs : otherStopMs))
  }

  async #renewAll(mercyMs: number): Promise<void> {
    const { log, plans } = this.#options
    log('...gracefully reloading...')
    for (const plan of plans) {
      const { number, kind } = plan.identity
      const handle = this.#handles.get(number)
      // One that is not ready loads the apps anew already.
      if (this.#phase !== 'serving' || handle?.isReady !== true) continue
      log(`reload: next is ${threadName(plan)}`)
      const ready = this.#readiness(plan)
      if (kind === 'worker') this.#options.state.workers.setState(number, WorkerState.stopping)
      await handle.stop(kind === 'worker' ? mercyMs : otherStopMs)
      await ready
    }
    log('reload complete')
  }

  #readiness(plan: ThreadPlan): Promise<void> {
    const waiter = Promise.withResolvers<void>()
    this.#readyWaiters.set(plan.identity.number, waiter)
    return waiter.promise
  }

  #spawn(plan: ThreadPlan): void {
    const { number, kind } = plan.identity
    const { state, entry, calls, notices } = this.#options
    if (kind === 'worker') {
      state.workers.setState(number, WorkerState.booting)
      state.workers.setRunning(number, 0)
      state.workers.spawned(number, Date.now() / 1000)
    }
    const { port1, port2 } = new MessageChannel()
    const caller = { thread: number }
    this.#calls.set(number, new ThreadCalls({ port: port1, doorbell: state.doorbell(number), caller, calls, notices }))
    this.#handles.set(number, new ThreadHandle(entry, { ...this.#options.start(), plan, callPort: port2 }, this.#events))
  }

  readonly #events: ThreadEvents = {
    booted: (plan, what, milliseconds) => this.#options.log(`${threadName(plan)}: ${what} booted in ${seconds(milliseconds)} s`),
    app: (plan, app) => {
      const { id, mountpoint, source, language, milliseconds } = app
      const where = `app ${id} (mountpoint='${mountpoint}', ${source})`
      this.#options.log(`${threadName(plan)}: ${where} ready in ${seconds(milliseconds)} s (${language})`)
    },
    appFailed: (plan, failure) => this.#options.appFailed(plan, failure),
    ready: (plan) => {
      const { number, kind } = plan.identity
      if (kind === 'worker') this.#failedStarts.delete(number)
      const startedAt = this.#handles.get(number)?.startedAt ?? 0
      this.#options.log(`${threadName(plan)}: ready in ${seconds(performance.now() - startedAt)} s`)
      this.#options.ready(plan)
      this.#readyWaiters.get(number)?.resolve()
      this.#readyWaiters.delete(number)
    },
    ended: (plan, reason) => this.#ended(plan, reason),
  }

  #ended(plan: ThreadPlan, reason: string | undefined): void {
    const { state, log } = this.#options
    const { number, kind } = plan.identity
    const handle = this.#handles.get(number)
    this.#handles.delete(number)
    this.#calls.get(number)?.close()
    this.#calls.delete(number)
    if (kind === 'worker') {
      state.workers.setState(number, WorkerState.dead)
      state.workers.setRunning(number, 0)
      state.apps.threadEnded(number)
    }
    state.deadlines.threadEnded(number)
    const said = this.#options.ended(plan, reason === harakiri ? 504 : 500)
    if (this.#phase === 'stopping') return
    // An end that was asked for, while the server goes on, is a reload's.
    if (reason === undefined && handle?.isReady === true) return this.#respawn(plan, 0)
    log(`DAMN ! ${threadName(plan)} died: ${reason ?? 'no reason given'}${said}`)
    if (this.#phase === 'starting' && !handle?.isReady) {
      const error = new PolywsgiError('WORKER_DIED', `${threadName(plan)} could not start: ${reason ?? 'no reason given'}`)
      this.#readyWaiters.get(number)?.reject(error)
      return
    }
    const isFailedStart =
      !handle?.isReady || (kind !== 'worker' && reason !== harakiri && performance.now() - handle.startedAt < shortLifeMs)
    const failedStarts = isFailedStart ? (this.#failedStarts.get(number) ?? 0) + 1 : 0
    this.#failedStarts.set(number, failedStarts)
    this.#respawn(plan, respawnDelayMs({ failedStarts }))
  }

  #respawn(plan: ThreadPlan, delayMs: number): void {
    const { number, kind } = plan.identity
    if (kind === 'worker') this.#options.state.workers.countRespawn(number)
    if (delayMs > 0) this.#options.log(`${threadName(plan)}: next start in ${seconds(delayMs)} s`)
    const timer = setTimeout(() => {
      this.#respawns.delete(number)
      this.#spawn(plan)
    }, delayMs)
    this.#respawns.set(number, timer)
  }

  #enforceDeadlines(): void {
    const now = sharedNow()
    for (const handle of this.#handles.values()) {
      const { number } = handle.plan.identity
      if (!this.#options.state.deadlines.isOver(number, now)) continue
      this.#options.state.deadlines.threadEnded(number)
      this.#options.log(`*** HARAKIRI ON ${threadName(handle.plan).toUpperCase()} ***`)
      void handle.terminate(harakiri)
    }
  }
}

const harakiri = 'it overran the deadline it had set itself (set_user_harakiri)'

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(2)
