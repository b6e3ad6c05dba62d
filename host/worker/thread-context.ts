// What the API's functions work on in this thread: the parts of the thread that serve them, put together.
import type { ApiContext, AppFacts, CurrentRequest, Log, ThreadIdentity } from '../api/context.ts'
import type { OptionMap } from '../api/kinds.ts'
import { PolywsgiError } from '../errors.ts'
import type { OverrunCause } from '../log/harakiri-lines.ts'
import { Access } from '../permissions/access.ts'
import { hookFailure } from '../plugin/plugin-hooks.ts'
import { PluginRegistry } from '../plugin/registry.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { Cache } from '../state/cache.ts'
import type { Doorbell } from '../state/doorbell.ts'
import { type Locks, noCore } from '../state/locks.ts'
import type { Metrics } from '../state/metrics.ts'
import { SharedParts } from '../state/shared-parts.ts'
import type { SharedQueue } from '../state/shared-queue.ts'
import type { SharedArea } from '../state/sharedarea.ts'
import type { StateMap } from '../state/state-map.ts'
import { CpuTimes } from './cpu-times.ts'
import { CurrentRequestView } from './current-request.ts'
import { requestOverran, ThreadStops } from './guest-stops.ts'
import { InterpreterHeaps } from './interpreter-heaps.ts'
import { MasterPort } from './master-port.ts'
import type { Identity, ThreadStart } from './messages.ts'
import { Overruns } from './overruns.ts'
import { RequestDeadlines } from './request-deadlines.ts'
import type { ServiceParts } from './service-parts.ts'
import { ThreadConnections } from './thread-connections.ts'
import { ThreadMules } from './thread-mules.ts'
import { ThreadRpc } from './thread-rpc.ts'
import { ThreadSignals } from './thread-signals.ts'
import { ThreadSpool } from './thread-spool.ts'
import { ThreadWaits } from './thread-waits.ts'

/** Changes once: from loading to loaded; and a spare's when it becomes a worker. */
type Thread = { -readonly [Member in keyof ThreadIdentity]: ThreadIdentity[Member] }

export class ThreadContext implements ApiContext {
  readonly version: string
  readonly hostname: string
  readonly masterPid: number
  readonly thread: Thread
  readonly log: Log
  readonly opt: OptionMap
  readonly access: Access
  readonly state: StateMap
  readonly socketTimeoutMs: number
  readonly alarmNames: readonly string[]
  readonly cores: number
  readonly bufferSize: number
  readonly startedOn: number
  readonly isReload: boolean
  readonly master: MasterPort
  readonly heaps: InterpreterHeaps
  readonly doorbell: Doorbell
  readonly waits: ThreadWaits
  readonly connections: ThreadConnections
  readonly shared: SharedParts
  readonly locks: Locks
  readonly caches: ReadonlyMap<string, Cache>
  readonly metrics: Metrics
  readonly queue: SharedQueue | undefined
  readonly sharedareas: readonly SharedArea[]
  readonly signals: ThreadSignals
  readonly rpc: ThreadRpc
  readonly mules: ThreadMules
  readonly spool: ThreadSpool
  registry = new PluginRegistry()
  apps: readonly AppFacts[] = []
  /** An interpreter is lost: the thread must end. Set by who can end it. */
  onFatal: (error: Error) => void = () => {}
  /** Ends the thread in the middle of what it does. Set by who can. */
  leave: () => void = () => {}
  /** The request whose plugin hook is on the stack. */
  running: WsgiRequest | undefined
  readonly #fileRoots: readonly string[]
  readonly deadlines: RequestDeadlines
  /** Undefined: CPU time is not limited. */
  readonly cpu: CpuTimes | undefined
  readonly stops: ThreadStops
  readonly #overruns: Overruns
  readonly #views = new WeakMap<WsgiRequest, CurrentRequestView>()

  constructor(start: ThreadStart, state: StateMap, log: Log) {
    const { api } = start
    this.version = start.version
    this.hostname = start.hostname
    this.masterPid = start.masterPid
    this.thread = { ...start.plan.identity, seat: start.seat, isLoading: true }
    this.log = log
    const { guests } = start
    this.opt = guests.opt
    this.access = new Access(guests.permissions, guests.appDirectories, api.guestFds)
    this.state = state
    this.socketTimeoutMs = api.socketTimeoutMs
    this.alarmNames = api.alarmNames
    this.cores = start.cores
    this.bufferSize = api.bufferSize
    this.startedOn = api.startedOn
    this.isReload = api.isReload
    this.#fileRoots = api.fileRoots
    const { seat, kind } = this.thread
    const { harakiriGraceMs: graceMs, cpuLimitMs: limitMs } = api
    const harakiriMs = api.harakiriMs[kind]
    this.cpu = limitMs === 0 ? undefined : new CpuTimes({ shares: state.cpu, seat, limitMs })
    this.deadlines = new RequestDeadlines({ deadlines: state.deadlines, seat, harakiriMs, graceMs, cpu: this.cpu })
    this.#overruns = new Overruns({
      name: () => `${kind} ${this.thread.workerId + this.thread.muleId + this.thread.spoolerId}`,
      log,
      isVerbose: api.isHarakiriVerbose,
      handling: () => shared.signals.handling(seat),
      count: () => {
        if (kind !== 'worker') return
        state.workers.countHarakiri(this.thread.workerId)
        this.master.notify('overran', {})
      },
    })
    this.doorbell = state.doorbell(seat)
    this.master = new MasterPort({ port: start.callPort, doorbell: this.doorbell })
    this.heaps = new InterpreterHeaps(this.master)
    const current = (): WsgiRequest | undefined => this.#wsgi
    this.stops = new ThreadStops({
      word: state.stops.of(seat),
      isWanted: api.isSoftHarakiri,
      deadlines: this.deadlines,
      cpu: this.cpu,
      current,
      onStopped: (request, trace, cause) => {
        if (request === undefined) this.#codeOverran(trace, cause)
        else this.requestOverran(request, this.overrunOf(request), trace)
      },
    })
    const { master, doorbell, socketTimeoutMs, cores } = this
    this.connections = new ThreadConnections({ master, socketTimeoutMs, log, current })
    const owns = (fd: number): boolean => this.connections.owns(fd)
    this.waits = new ThreadWaits({ cores, master, doorbell, current, owns })
    const shared = SharedParts.open(start.shared, this.thread.seat, (line) => log.text(line))
    this.shared = shared
    this.locks = shared.locks
    this.caches = shared.caches
    this.metrics = shared.metrics
    this.queue = shared.queue
    this.sharedareas = shared.sharedareas
    const parts: ServiceParts = {
      state,
      thread: this.thread,
      doorbell: this.doorbell,
      masterDoorbell: state.doorbell(0),
      master: this.master,
      log,
      serveInbox: () => this.master.serve(),
    }
    this.signals = new ThreadSignals(parts, {
      signals: shared.signals,
      onFatal: (error) => this.onFatal(error),
      handlerBegins: () => this.deadlines.handlerBegins(),
      handlerEnds: () => this.deadlines.handlerEnds(),
    })
    this.rpc = new ThreadRpc(parts, { rpcMax: api.rpcMax, socketTimeoutMs: api.socketTimeoutMs })
    this.master.run = (name, args, mayWait) => {
      this.deadlines.handlerBegins()
      try {
        return this.rpc.run(name, args, mayWait)
      } finally {
        this.deadlines.handlerEnds()
      }
    }
    this.mules = new ThreadMules(parts, {
      queues: shared.messages,
      farms: start.farms,
      handleSignals: () => this.signals.handlePending(),
      leave: () => this.leave(),
    })
    this.spool = new ThreadSpool(parts, {
      directories: api.spoolers,
      wake: (directory) => state.doorbellOf(start.workers + start.mules + api.spoolers.indexOf(directory) + 1).ring(),
      setFrequencyMs: (milliseconds) => {
        shared.spoolers.frequencyMs = milliseconds
      },
    })
  }

  /** A spare becomes what it was kept ready for. */
  become(identity: Identity): void {
    Object.assign(this.thread, identity)
    this.signals.named()
  }

  /** Lets the master know of the apps that could be loaded. */
  tellApps(apps: readonly AppFacts[]): void {
    const facts = apps.map(({ id, modifier1, mountpoint, startupMs }) => ({ id, modifier1, mountpoint, startupMs }))
    this.master.notify('apps', { apps: facts })
  }

  /** The apps are loaded: from now on every registration counts. */
  loaded(): void {
    this.cpu?.loaded()
    this.thread.isLoading = false
  }

  get #wsgi(): WsgiRequest | undefined {
    let wsgi = this.running
    // A handler that goes on after a wait has no hook on the stack; its plugin knows whom it serves.
    for (const plugin of this.registry.withHook('currentRequest')) {
      try {
        const said = plugin.currentRequest?.()
        if (said !== undefined) wsgi = said ?? undefined
      } catch (error) {
        // It is asked by whoever calls the API, whose fault it is not.
        this.log.text(hookFailure(plugin, 'currentRequest', error))
      }
    }
    return wsgi
  }

  get request(): CurrentRequest | undefined {
    const wsgi = this.#wsgi
    if (wsgi === undefined) return undefined
    let view = this.#views.get(wsgi)
    if (view === undefined) {
      view = new CurrentRequestView(wsgi, this.#fileRoots)
      this.#views.set(wsgi, view)
    }
    return view
  }

  setUserHarakiri(seconds: number): void {
    this.deadlines.set(this.deadlines.isHandling ? undefined : this.#wsgi, seconds)
  }

  requestBegins(request: WsgiRequest): void {
    this.deadlines.requestBegins(request)
  }

  requestOverran(request: WsgiRequest, error: PolywsgiError, trace: string | undefined): void {
    this.#overruns.request(request, error, trace, this.deadlines.causeOf(request))
  }

  /** What a request ends with that is given up. */
  overrunOf(request: WsgiRequest): PolywsgiError {
    return new PolywsgiError('HARAKIRI', requestOverran[this.deadlines.causeOf(request)])
  }

  requestEnded(request: WsgiRequest): void {
    this.deadlines.requestEnded(request)
    this.waits.requestEnded(request)
    this.connections.requestEnded(request)
    const view = this.#views.get(request)
    if (view !== undefined) this.signals.requestEnded(view)
    const isGivenUp = this.deadlines.isGivenUp(request)
    if (isGivenUp) {
      this.#unlock(request.coreId, `core ${request.coreId}, which was given up`)
      this.#overruns.requestEnded()
    }
    if (this.sharedareas.length > 0 && view !== undefined)
      this.#leaveAreas(view, isGivenUp, `core ${request.coreId}, which was given up`)
  }

  #codeOverran(trace: string, cause: OverrunCause): void {
    this.#overruns.code(trace, cause)
    this.#unlock(noCore, 'code that was stopped')
    this.#leaveAreas(undefined, true, 'code that was stopped')
  }

  /** Nobody is left to unlock what a core has locked that was given up, as nobody is when a thread has ended. */
  #unlock(coreId: number, who: string): void {
    for (const num of this.locks.coreEnded(this.thread.seat, coreId)) {
      this.log.text(`lock ${num} was held by ${who}: it is free again`)
    }
  }

  #leaveAreas(view: CurrentRequestView | undefined, isGivenUp: boolean, who: string): void {
    for (const [id, area] of this.sharedareas.entries()) {
      if (!area.holderEnded(this.thread.seat, view, isGivenUp)) continue
      this.log.text(`area ${id} was locked by ${who}: it is unlocked again`)
    }
  }
}
