// The threads of one server: started, replaced when they end by themselves, renewed one by one on a reload, stopped.
// Invariant: a thread number has at most one thread; everything that was in the old one's hands is given back before the
// new one starts.

import { MessageChannel } from 'node:worker_threads'
import { PolywsgiError } from '../errors.ts'
import type { StateMap } from '../state/state-map.ts'
import { WorkerState } from '../state/worker-slots.ts'
import type { AppFailure, ThreadPlan, ThreadStart } from '../worker/messages.ts'
import type { CallHandlers, NoticeHandlers } from './call-handlers.ts'
import { Harakiri } from './harakiri.ts'
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
  start(plan: ThreadPlan): Omit<ThreadStart, 'plan' | 'callPort'>
  /** Around the start of each thread. */
  threadStarts?(): void
  threadStarted?(): void
  /** How long what overran its deadline may take to end. */
  readonly harakiriGraceMs: number
  /** Worker `workerId` is about to be ended for its deadline. */
  harakiri?(workerId: number): void
  appFailed(plan: ThreadPlan, failure: AppFailure): void
  pluginLost(plan: ThreadPlan, name: string, reason: string): void
  ready(plan: ThreadPlan): void
  /** A thread has sent bytes beside an order to offload. */
  parcel(plan: ThreadPlan, id: number, bytes: Uint8Array): void
  /** A thread is gone, with what it held. @returns what is to be said about it in the log, '' for nothing */
  ended(plan: ThreadPlan, status: 500 | 504): string
}

/** A mule or spooler that lived shorter than this has failed to start, as far as a pause before the next start goes. */
const shortLifeMs = 2000
/** How long an idle worker may take for its exit hooks. */
const stopMs = 5000
/** A mule may be in a program of its own, or a spooler in a job, that no message reaches. */
const otherStopMs = 1000

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #handles = new Map<number, ThreadHandle>()
  readonly #calls = new Map<number, ThreadCalls>()
  readonly #failedStarts = new Map<number, number>()
  readonly #respawns = new Map<number, NodeJS.Timeout>()
  readonly #readyWaiters = new Map<number, PromiseWithResolvers<void>>()
  readonly #harakiri: Harakiri
  #phase: 'starting' | 'serving' | 'stopping' = 'starting'

  constructor(options: SupervisorOptions) {
    this.#options = options
    const { state, harakiriGraceMs: graceMs } = options
    this.#harakiri = new Harakiri({ state, graceMs, threads: () => this.#handles.keys(), end: (thread) => this.#overran(thread) })
  }

  /**
   * Starts all threads. Resolves when all are ready.
   * @throws PolywsgiError WORKER_DIED when one cannot start at all, HOST_CLOSED when the server is stopped meanwhile
   */
  async start(): Promise<void> {
    // Stopped while the plugins were prepared.
    if (this.#phase === 'stopping') throw stopped()
    const ready = this.#options.plans.map((plan) => this.#readiness(plan))
    for (const plan of this.#options.plans) this.#spawn(plan)
    await Promise.all(ready)
    this.#phase = 'serving'
    this.#harakiri.start()
  }

  get readyWorkers(): number {
    return [...this.#handles.values()].filter(({ isReady, plan }) => isReady && plan.identity.kind === 'worker').length
  }

  /** It runs, and was not told to end. */
  isReady(thread: number): boolean {
    const handle = this.#handles.get(thread)
    return handle?.isReady === true && !handle.isStopping
  }

  /** Has a thread run one of its functions. */
  run(thread: number, name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    const calls = this.#calls.get(thread)
    if (calls !== undefined) return calls.run(name, args)
    const plan = this.#options.plans.find(({ identity }) => identity.number === thread)
    const who = plan === undefined ? `thread ${thread}` : threadName(plan)
    return Promise.reject(new PolywsgiError('WORKER_DIED', `${who} does not run`))
  }

  /**
   * Renews every thread, one after the other: each finishes what it runs (at most `mercyMs`), and its successor is ready
   * before the next one is asked. Requests wait meanwhile, none is lost. For one caller at a time.
   * @param renewed looks at what has become of a thread; what it throws ends the reload
   * @throws PolywsgiError WORKER_DIED when a successor dies before it is ready, HOST_CLOSED when the server is stopped
   *   meanwhile: the threads that were not renewed go on as they are
   */
  async reload(mercyMs: number, renewed: () => void = () => {}): Promise<void> {
    const { log, plans } = this.#options
    log('...gracefully reloading...')
    try {
      for (const plan of plans) {
        await this.#renew(plan, mercyMs)
        renewed()
      }
    } catch (error) {
      if (this.#phase === 'serving') log(`reload given up, the other threads go on as they are: ${(error as Error).message}`)
      throw error
    }
    log('reload complete')
  }

  /** No thread is started any more; those that run are left alone until `stop`. */
  beginStop(): void {
    this.#phase = 'stopping'
    this.#harakiri.stop()
    for (const timer of this.#respawns.values()) clearTimeout(timer)
    this.#respawns.clear()
    for (const waiter of this.#readyWaiters.values()) waiter.reject(stopped())
    this.#readyWaiters.clear()
  }

  /** @param isUrgent something was cut off already: threads are ended where they stand */
  async stop(isUrgent: boolean): Promise<void> {
    await Promise.all([...this.#handles.values()].map((handle) => this.#stopThread(handle, isUrgent ? 0 : undefined)))
  }

  async #stopThread(handle: ThreadHandle, patienceMs: number | undefined): Promise<void> {
    if (!handle.isReady) return await handle.terminate(undefined)
    await handle.stop(patienceMs ?? (handle.plan.identity.kind === 'worker' ? stopMs : otherStopMs))
  }

  async #renew(plan: ThreadPlan, mercyMs: number): Promise<void> {
    if (this.#phase !== 'serving') throw stopped()
    const { number, kind } = plan.identity
    this.#options.log(`reload: next is ${threadName(plan)}`)
    const ready = this.#readiness(plan)
    const handle = this.#handles.get(number)
    if (handle === undefined) {
      // It waits for its next start: what kept it from starting may be mended.
      clearTimeout(this.#respawns.get(number))
      this.#failedStarts.delete(number)
      this.#respawn(plan, 0)
    } else if (!handle.isReady) {
      // It may have read half of what was there before.
      await handle.terminate(undefined)
    } else {
      if (kind === 'worker') this.#options.state.workers.setState(number, WorkerState.stopping)
      await handle.stop(kind === 'worker' ? mercyMs : otherStopMs)
    }
    await ready
  }

  /** Rejects when the thread ends before it is ready, or the server stops. */
  #readiness(plan: ThreadPlan): Promise<void> {
    const waiter = Promise.withResolvers<void>()
    this.#readyWaiters.set(plan.identity.number, waiter)
    // Whoever asked may still be busy with the thread before.
    waiter.promise.catch(() => {})
    return waiter.promise
  }

  #spawn(plan: ThreadPlan): void {
    const { number, kind } = plan.identity
    const { state, entry, calls, notices, log } = this.#options
    if (kind === 'worker') {
      state.workers.setState(number, WorkerState.booting)
      state.workers.setRunning(number, 0)
      state.workers.spawned(number, Date.now() / 1000)
    }
    this.#options.threadStarts?.()
    const { port1, port2 } = new MessageChannel()
    const own = new ThreadCalls({
      port: port1,
      doorbell: state.doorbell(number),
      caller: { thread: number },
      name: threadName(plan),
      log,
      calls,
      notices,
    })
    try {
      this.#handles.set(number, new ThreadHandle(entry, { ...this.#options.start(plan), plan, callPort: port2 }, this.#events))
      this.#calls.set(number, own)
    } catch (error) {
      own.close()
      if (kind === 'worker') state.workers.setState(number, WorkerState.dead)
      throw new PolywsgiError('WORKER_DIED', `${threadName(plan)} could not start: ${(error as Error).message}`, { cause: error })
    }
    this.#options.threadStarted?.()
  }

  readonly #events: ThreadEvents = {
    booted: (plan, what, milliseconds) => this.#options.log(`${threadName(plan)}: ${what} booted in ${seconds(milliseconds)} s`),
    app: (plan, app) => {
      const { id, mountpoint, source, language, milliseconds } = app
      const where = `app ${id} (mountpoint='${mountpoint}', ${source})`
      this.#options.log(`${threadName(plan)}: ${where} ready in ${seconds(milliseconds)} s (${language})`)
    },
    appFailed: (plan, failure) => this.#options.appFailed(plan, failure),
    pluginLost: (plan, name, reason) => this.#options.pluginLost(plan, name, reason),
    ready: (plan) => {
      const { number, kind } = plan.identity
      // Who calls an RPC function of a thread that is ready finds it registered.
      this.#calls.get(number)?.catchUp()
      if (kind === 'worker') this.#failedStarts.delete(number)
      const startedAt = this.#handles.get(number)?.startedAt ?? 0
      this.#options.log(`${threadName(plan)}: ready in ${seconds(performance.now() - startedAt)} s`)
      this.#options.ready(plan)
      this.#readyWaiters.get(number)?.resolve()
      this.#readyWaiters.delete(number)
    },
    parcel: (plan, id, bytes) => this.#options.parcel(plan, id, bytes),
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
    state.stops.threadEnded(number)
    const said = this.#options.ended(plan, reason === harakiri ? 504 : 500)
    if (this.#phase === 'stopping') return
    // An end that was asked for, while the server goes on, is a reload's.
    if (reason === undefined) return this.#respawn(plan, 0)
    log(`DAMN ! ${threadName(plan)} died: ${reason}${said}`)
    const isReady = handle?.isReady === true
    if (!isReady) {
      const error = new PolywsgiError('WORKER_DIED', `${threadName(plan)} could not start: ${reason}`)
      this.#readyWaiters.get(number)?.reject(error)
      this.#readyWaiters.delete(number)
      if (this.#phase === 'starting') return
    }
    const livedMs = performance.now() - (handle?.startedAt ?? 0)
    const isFailedStart = !isReady || (kind !== 'worker' && reason !== harakiri && livedMs < shortLifeMs)
    this.#respawnLater(plan, isFailedStart)
  }

  #respawnLater(plan: ThreadPlan, isFailedStart: boolean): void {
    const { number } = plan.identity
    const failedStarts = isFailedStart ? (this.#failedStarts.get(number) ?? 0) + 1 : 0
    this.#failedStarts.set(number, failedStarts)
    this.#respawn(plan, respawnDelayMs({ failedStarts }))
  }

  #respawn(plan: ThreadPlan, delayMs: number): void {
    const { number, kind } = plan.identity
    if (delayMs > 0) this.#options.log(`${threadName(plan)}: next start in ${seconds(delayMs)} s`)
    const timer = setTimeout(() => {
      this.#respawns.delete(number)
      if (kind === 'worker') this.#options.state.workers.countRespawn(number)
      try {
        this.#spawn(plan)
      } catch (error) {
        // The system may have no more threads to give: the server serves on with those it has.
        this.#options.log((error as Error).message)
        this.#readyWaiters.get(number)?.reject(error)
        this.#readyWaiters.delete(number)
        this.#respawnLater(plan, true)
      }
    }, delayMs)
    this.#respawns.set(number, timer)
  }

  #overran(thread: number): void {
    const { log, state, harakiri: isAboutToEnd } = this.#options
    const handle = this.#handles.get(thread)
    if (handle === undefined) return
    const { workerId } = handle.plan.identity
    log(`*** HARAKIRI ON ${threadName(handle.plan).toUpperCase()} ***`)
    if (workerId > 0) {
      state.workers.countHarakiri(workerId)
      isAboutToEnd?.(workerId)
    }
    void handle.terminate(harakiri)
  }
}

const harakiri = 'it overran its deadline (harakiri)'

const stopped = (): PolywsgiError => new PolywsgiError('HOST_CLOSED', 'the server is stopped')

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(2)
