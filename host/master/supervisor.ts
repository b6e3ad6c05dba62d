// The threads of one server: started, replaced when they end by themselves, renewed by a successor that is ready before they are
// asked to end, stopped. (A place is a thread number, seats tell living threads apart: host/state/seats.ts.)
// Invariant: a place that is wanted has a thread that serves, one that boots, or a start that is due.

import type { ReloadKind } from '../control/reload-kinds.ts'
import { PolywsgiError } from '../errors.ts'
import type { OverrunCause } from '../log/harakiri-lines.ts'
import { WorkerState } from '../state/worker-slots.ts'
import type { ThreadPlan } from '../worker/messages.ts'
import { Generation } from './generation.ts'
import { causeOfEnd, endReasons, Harakiri } from './harakiri.ts'
import { Place, serverStopped } from './place.ts'
import { Renewal } from './renewal.ts'
import { respawnDelayMs } from './respawn.ts'
import { Spares } from './spares.ts'
import type { SupervisorOptions } from './supervisor-options.ts'
import { type ThreadEvents, type ThreadHandle, threadName } from './thread-handle.ts'
import { Threads } from './threads.ts'

/** A mule or spooler that lived shorter than this has failed to start, as far as a pause before the next start goes. */
const shortLifeMs = 2000
/** How long an idle worker may take for its exit hooks. */
const stopMs = 5000
/** A mule may be in a program of its own, or a spooler in a job, that no message reaches. */
const otherStopMs = 1000

const spare: ThreadPlan = { identity: { kind: 'worker', number: 0, workerId: 0, muleId: 0, spoolerId: 0 } }

export class Supervisor {
  readonly #options: SupervisorOptions
  /** By number. */
  readonly #places = new Map<number, Place>()
  readonly #threads: Threads
  readonly #spares: Spares
  readonly #generation: Generation
  readonly #renewal: Renewal
  /** Threads that were lost with a plugin: they are booted again without it. */
  readonly #lost = new WeakSet<ThreadHandle>()
  readonly #harakiri: Harakiri
  #phase: 'starting' | 'serving' | 'stopping' = 'starting'
  #isReloading = false
  readonly #workersGone = Promise.withResolvers<void>()

  constructor(options: SupervisorOptions) {
    this.#options = options
    const { plans, state, log, spares = 0, harakiriGraceMs: graceMs, isCpuLimited = false } = options
    for (const plan of plans) this.#places.set(plan.identity.number, new Place(plan))
    this.#threads = new Threads(options)
    const watched = { threads: () => this.#threads.handles, end: this.#overran }
    this.#harakiri = new Harakiri({ state, graceMs, isCpuLimited, ...watched })
    this.#spares = new Spares({ count: spares, log, boot: () => this.#threads.spawn(spare, this.#events) })
    const isServing = (): boolean => this.#phase === 'serving'
    this.#renewal = new Renewal({
      log,
      isServing,
      spawn: (place) => this.#threads.spawn(place.plan, this.#events),
      isLost: (handle) => this.#lost.has(handle),
      judge: options.judge,
      attach: (place, handle) => this.#attach(place, handle),
      drain: (place, handle) => this.#drain(place, handle),
      takeOver: (place) => this.#takeOver(place),
    })
    this.#generation = new Generation({
      log,
      boot: async (place) => {
        await place.renewal
        return await this.#renewal.boot(place)
      },
      follow: (place, successor) => this.#renewal.follow(place, successor),
      isServing,
      isAwaited: () => options.isReloadAwaited?.() ?? false,
      patienceMs: options.loadPatienceMs,
    })
  }

  /**
   * Starts all threads that are wanted. Resolves when all are ready.
   * @throws PolywsgiError WORKER_DIED when one cannot start at all, HOST_CLOSED when the server is stopped meanwhile
   */
  async start(): Promise<void> {
    // Stopped while the plugins were prepared.
    if (this.#phase === 'stopping') throw serverStopped()
    // Threads that are ready serve while others boot, for as long as those take.
    this.#harakiri.start()
    const wanted = [...this.#places.values()].filter(({ isWanted }) => isWanted)
    const ready = wanted.map((place) => place.whenReady())
    for (const place of wanted) this.#boot(place)
    await Promise.all(ready)
    this.#phase = 'serving'
    this.#spares.open()
  }

  /** Workers that can finish requests, those included that take no new ones. */
  get readyWorkers(): number {
    return this.#threads.handles.filter(({ isReady, plan }) => isReady && plan.identity.kind === 'worker').length
  }

  /** The thread of a number takes what comes. */
  isReady(number: number): boolean {
    return isTaking(this.#places.get(number)?.current)
  }

  /** The thread of a seat runs, and was not told to end. */
  isSeatReady(seat: number): boolean {
    return isTaking(this.#threads.at(seat))
  }

  /** Has the thread of a seat run one of its functions. */
  run(seat: number, name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    return this.#threads.run(seat, name, args)
  }

  /**
   * Has threads follow those that run, which load the apps anew. For one caller at a time. Resolves when all of them are ready;
   * those before them may still finish what they had begun.
   * @throws PolywsgiError WORKER_DIED when a successor dies before it is ready, HOST_CLOSED when the server is stopped
   *   meanwhile, what `judge` throws: the threads that were not followed go on as they are
   */
  async reload(kind: ReloadKind = 'graceful'): Promise<void> {
    this.#isReloading = true
    try {
      await this.#generation.reload(
        kind,
        [...this.#places.values()].filter(({ isWanted }) => isWanted),
      )
      if (kind === 'graceful' || kind === 'chain' || kind === 'workers') this.#spares.renew()
    } finally {
      this.#isReloading = false
    }
  }

  /** Has another thread follow a worker's, when it is ready; in vain while one is about to anyway. */
  renewWorker(workerId: number, reason: string): void {
    const place = this.#places.get(workerId)
    if (place?.isWorker !== true || this.#isReloading || this.#phase !== 'serving' || !isTaking(place.current)) return
    this.#renewal.renew(place, reason)
  }

  /** How many workers are to run, from 1 to as many as there are. Those that are not wanted finish what they have begun. */
  setWanted(workers: number): void {
    const places = [...this.#places.values()].filter(({ isWorker }) => isWorker)
    const wanted = places.filter(({ isWanted }) => isWanted)
    const missing = Math.min(Math.max(1, workers), places.length) - wanted.length
    for (const place of places.filter(({ isWanted }) => !isWanted).slice(0, Math.max(0, missing))) {
      place.isWanted = true
      if (this.#phase === 'serving') this.#fill(place)
    }
    const { seats } = this.#options.state
    const isBusy = ({ number }: Place): number => (seats.runningOf(number) > 0 ? 1 : 0)
    // Idle ones first, and of those the highest.
    const order = wanted.toSorted((a, b) => isBusy(a) - isBusy(b) || b.number - a.number)
    for (const place of order.slice(0, Math.max(0, -missing))) this.#empty(place)
  }

  /** No thread is started any more; those that run are left alone until `stop`. */
  beginStop(): void {
    this.#phase = 'stopping'
    this.#spares.close()
    for (const place of this.#places.values()) {
      clearTimeout(place.nextStart)
      place.isNotReady(serverStopped())
      void place.successor?.terminate(undefined)
    }
  }

  /** Resolves when the server is stopping and no worker is left: what still waits for one waits in vain. */
  get workersGone(): Promise<void> {
    return this.#workersGone.promise
  }

  /** @param isUrgent something was cut off already: threads are ended where they stand */
  async stop(isUrgent: boolean): Promise<void> {
    await Promise.all(this.#threads.handles.map((handle) => this.#stopThread(handle, isUrgent ? 0 : undefined)))
    // What finishes during the stop has its deadlines too.
    this.#harakiri.stop()
  }

  async #stopThread(handle: ThreadHandle, patienceMs: number | undefined): Promise<void> {
    if (!handle.isReady) return await handle.terminate(undefined)
    const { state } = this.#options
    state.seats.setLeaving(handle.seat)
    state.doorbell(handle.seat).ring()
    await handle.stop(patienceMs ?? (handle.plan.identity.kind === 'worker' ? stopMs : otherStopMs))
  }

  /** The successor is the place's thread, with nobody before it. */
  #takeOver(place: Place): void {
    const { successor } = place
    if (successor === undefined || this.#phase === 'stopping') return
    place.successor = undefined
    place.current = successor
    if (place.isWorker) this.#options.state.workers.countRespawn(place.number)
    if (successor.isLoaded) this.#begin(place, successor)
  }

  #boot(place: Place): void {
    const { state } = this.#options
    if (place.isWorker) {
      state.workers.setState(place.number, WorkerState.booting)
      state.workers.spawned(place.number, Date.now() / 1000)
    }
    try {
      place.current = this.#threads.spawn(place.plan, this.#events)
    } catch (error) {
      if (place.isWorker) state.workers.setState(place.number, WorkerState.dead)
      throw error
    }
  }

  /** A mule or spooler waits for the one before it, with which it shares what there is to do. */
  #begin(place: Place, handle: ThreadHandle): void {
    if (place.isWorker || place.leaving.size === 0) return this.#attach(place, handle)
    void place.allLeft().then(() => {
      if (place.current === handle && this.#phase !== 'stopping') this.#attach(place, handle)
    })
  }

  #attach(place: Place, handle: ThreadHandle): void {
    const { state, isFirstStart, attached } = this.#options
    const { identity } = place.plan
    const wasSpare = handle.plan.identity.number === 0
    handle.plan = place.plan
    state.seats.name(handle.seat, identity.number)
    if (place.isWorker) state.workers.spawned(identity.number, Date.now() / 1000)
    attached(handle)
    const first = wasSpare ? (isFirstStart?.(identity.number) ?? false) : handle.isFirstStart
    handle.attach({ identity, account: place.account(handle), isFirstStart: first })
  }

  /** It takes nothing more, and is ended when it has finished, or its time is over. */
  async #drain(place: Place, handle: ThreadHandle): Promise<void> {
    const { state, leaves, mercyMs } = this.#options
    place.leaves(handle)
    state.seats.setLeaving(handle.seat)
    leaves(handle)
    state.doorbell(handle.seat).ring()
    const hasProgram = place.plan.program !== undefined && place.plan.program !== ''
    if (handle.isReady) await handle.stop(hasProgram ? Math.min(otherStopMs, mercyMs) : mercyMs)
    else await handle.terminate(undefined)
  }

  /** A place has become empty, or wanted. */
  #fill(place: Place, isFailedStart = false): void {
    if (place.successor !== undefined) return this.#takeOver(place)
    // Wanted again and again while what it had begun takes long: the next one begins when one of them has ended.
    place.awaitsRoom = place.leaving.size > 1
    if (place.awaitsRoom) return
    const ready = place.isWorker && !isFailedStart ? this.#spares.take() : undefined
    if (ready === undefined) return this.#respawnLater(place, isFailedStart)
    place.current = ready
    const { workers } = this.#options.state
    workers.setState(place.number, WorkerState.booting)
    workers.countRespawn(place.number)
    this.#attach(place, ready)
  }

  /** Nobody is wanted there. */
  #empty(place: Place): void {
    place.isWanted = false
    place.awaitsRoom = false
    clearTimeout(place.nextStart)
    void place.successor?.terminate(undefined)
    const { workers } = this.#options.state
    workers.setState(place.number, place.current === undefined ? WorkerState.cheap : WorkerState.stopping)
    if (place.current !== undefined) void this.#drain(place, place.current)
  }

  #respawnLater(place: Place, isFailedStart: boolean): void {
    const { log, state } = this.#options
    place.failedStarts = isFailedStart ? place.failedStarts + 1 : 0
    const delayMs = respawnDelayMs({ failedStarts: place.failedStarts })
    if (delayMs > 0) log(`${threadName(place.plan)}: next start in ${seconds(delayMs)} s`)
    clearTimeout(place.nextStart)
    place.nextStart = setTimeout(() => {
      if (place.isWorker) state.workers.countRespawn(place.number)
      try {
        this.#boot(place)
      } catch (error) {
        // The system may have no more threads to give: the server serves on with those it has.
        log((error as Error).message)
        place.isNotReady(error)
        this.#respawnLater(place, true)
      }
    }, delayMs)
  }

  #placeOf(handle: ThreadHandle): Place | undefined {
    return this.#places.get(handle.plan.identity.number)
  }

  readonly #events: ThreadEvents = {
    booted: ({ plan }, what, milliseconds) =>
      this.#options.log(`${threadName(plan)}: ${what} booted in ${seconds(milliseconds)} s`),
    app: ({ plan }, app) => {
      const { id, mountpoint, source, language, milliseconds } = app
      const where = `app ${id} (mountpoint='${mountpoint}', ${source})`
      this.#options.log(`${threadName(plan)}: ${where} ready in ${seconds(milliseconds)} s (${language})`)
    },
    appFailed: ({ plan }, failure) => this.#options.appFailed(plan, failure),
    pluginLost: (handle, name, reason) => {
      this.#lost.add(handle)
      this.#options.pluginLost(handle.plan, name, reason)
    },
    loaded: (handle) => {
      const place = this.#placeOf(handle)
      if (place === undefined) {
        this.#options.log(`spare worker: ready in ${seconds(performance.now() - handle.startedAt)} s`)
        this.#spares.loaded()
      } else if (place.current === handle) this.#begin(place, handle)
      else if (place.current === undefined && place.leaving.size === 0) this.#takeOver(place)
    },
    ready: (handle) => this.#ready(this.#placeOf(handle) as Place, handle),
    leaving: (handle) => {
      const place = this.#placeOf(handle)
      if (place?.current !== handle) return
      void this.#drain(place, handle)
      if (this.#phase === 'serving') this.#fill(place)
    },
    due: ({ plan }, reason) => this.renewWorker(plan.identity.workerId, reason),
    parcel: (handle, id, bytes) => this.#options.parcel(handle, id, bytes),
    ended: (handle, reason) => this.#ended(handle, reason),
  }

  #ready(place: Place, handle: ThreadHandle): void {
    const { state, log } = this.#options
    const before = place.current === handle ? undefined : place.current
    // Who calls an RPC function of a thread that is ready finds it registered.
    this.#threads.catchUp(handle)
    if (place.successor === handle) {
      place.successor = undefined
      place.current = handle
      if (place.isWorker) state.workers.countRespawn(place.number)
    }
    state.seats.setCurrent(place.number, handle.seat)
    if (place.isWorker) {
      state.workers.setState(place.number, WorkerState.ready)
      place.failedStarts = 0
    }
    log(`${threadName(place.plan)}: ready in ${seconds(performance.now() - handle.startedAt)} s`)
    // What has come for the number has rung for the one before, or for nobody.
    state.doorbell(handle.seat).ring()
    if (before !== undefined) void this.#drain(place, before)
    place.isReady()
    this.#spares.fill()
  }

  #ended(handle: ThreadHandle, reason: string | undefined): void {
    const { log, state } = this.#options
    const hasOverrun = causeOfEnd(reason) !== undefined
    const said = this.#threads.cleared(handle, hasOverrun ? 504 : handle.hasOverstayed ? 503 : 500)
    const name = threadName(handle.plan)
    const place = this.#placeOf(handle)
    const was = place?.remove(handle)
    if (place?.isWorker === true && place.current === undefined && place.leaving.size === 0) {
      state.workers.setState(place.number, place.isWanted ? WorkerState.dead : WorkerState.cheap)
    }
    if (handle.hasOverstayed && this.#phase !== 'stopping') log(`${name} is taking too much time to die...NO MERCY !!!${said}`)
    if (reason !== undefined && this.#phase !== 'stopping') log(`DAMN ! ${name} died: ${reason}${said}`)
    if (place === undefined) return this.#spares.ended(handle, reason !== undefined)
    if (this.#phase === 'stopping' && this.readyWorkers === 0) this.#workersGone.resolve()
    if (place.awaitsRoom && was === 'leaving' && place.isWanted && this.#phase === 'serving') this.#fill(place)
    if (this.#phase === 'stopping' || was === 'leaving' || !place.isWanted) return
    if (was === 'successor') {
      if (place.current === undefined && !this.#lost.has(handle)) this.#respawnLater(place, reason !== undefined)
      return
    }
    const { isReady } = handle
    if (!isReady && reason !== undefined) {
      place.isNotReady(new PolywsgiError('WORKER_DIED', `${name} could not start: ${reason}`))
      if (this.#phase === 'starting') return
    }
    const livedMs = performance.now() - handle.startedAt
    const isShort = !place.isWorker && !hasOverrun && livedMs < shortLifeMs
    this.#fill(place, reason !== undefined && (!isReady || isShort))
  }

  readonly #overran = (seat: number, cause: OverrunCause): void => {
    const { log, state, harakiri: isAboutToEnd } = this.#options
    const handle = this.#threads.at(seat)
    if (handle === undefined) return
    const { workerId } = handle.plan.identity
    log(`*** ${cause} ON ${threadName(handle.plan).toUpperCase()} ***`)
    if (workerId > 0) {
      state.workers.countHarakiri(workerId)
      isAboutToEnd?.(workerId)
    }
    void handle.terminate(endReasons[cause])
  }
}

const isTaking = (handle: ThreadHandle | undefined): boolean => handle?.isReady === true && !handle.isStopping

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(2)
