// What the API's functions work on in this thread: the parts of the thread that serve them, put together.
import type { ApiContext, AppFacts, CurrentRequest, Log, ThreadIdentity } from '../api/context.ts'
import type { OptionMap } from '../api/kinds.ts'
import { hookFailure } from '../plugin/plugin-hooks.ts'
import { PluginRegistry } from '../plugin/registry.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { Cache } from '../state/cache.ts'
import type { Doorbell } from '../state/doorbell.ts'
import type { Locks } from '../state/locks.ts'
import type { Metrics } from '../state/metrics.ts'
import { SharedParts } from '../state/shared-parts.ts'
import type { SharedQueue } from '../state/shared-queue.ts'
import type { SharedArea } from '../state/sharedarea.ts'
import type { StateMap } from '../state/state-map.ts'
import { CurrentRequestView } from './current-request.ts'
import { MasterPort } from './master-port.ts'
import type { Identity, ThreadStart } from './messages.ts'
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
  readonly state: StateMap
  readonly socketTimeoutMs: number
  readonly alarmNames: readonly string[]
  readonly cores: number
  readonly bufferSize: number
  readonly startedOn: number
  readonly isReload: boolean
  readonly master: MasterPort
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
  readonly #views = new WeakMap<WsgiRequest, CurrentRequestView>()

  constructor(start: ThreadStart, state: StateMap, log: Log) {
    const { api } = start
    this.version = start.version
    this.hostname = start.hostname
    this.masterPid = start.masterPid
    this.thread = { ...start.plan.identity, seat: start.seat, isLoading: true }
    this.log = log
    this.opt = start.opt
    this.state = state
    this.socketTimeoutMs = api.socketTimeoutMs
    this.alarmNames = api.alarmNames
    this.cores = start.cores
    this.bufferSize = api.bufferSize
    this.startedOn = api.startedOn
    this.isReload = api.isReload
    this.#fileRoots = api.fileRoots
    const { harakiriMs } = api
    this.deadlines = new RequestDeadlines({ deadlines: state.deadlines, seat: this.thread.seat, harakiriMs })
    this.doorbell = state.doorbell(this.thread.seat)
    this.master = new MasterPort({ port: start.callPort, doorbell: this.doorbell })
    const current = (): WsgiRequest | undefined => this.#wsgi
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
      beginsHandler: () => this.deadlines.beat(),
    })
    this.rpc = new ThreadRpc(parts, { rpcMax: api.rpcMax, socketTimeoutMs: api.socketTimeoutMs })
    this.master.run = (name, args, mayWait) => {
      this.deadlines.beat()
      return this.rpc.run(name, args, mayWait)
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

  /** The apps are loaded: from now on every registration counts. */
  loaded(): void {
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
    this.deadlines.set(this.#wsgi, seconds)
  }

  requestBegins(request: WsgiRequest): void {
    this.deadlines.requestBegins(request)
  }

  requestEnded(request: WsgiRequest): void {
    this.deadlines.requestEnded(request)
    this.waits.requestEnded(request)
    this.connections.requestEnded(request)
    const view = this.#views.get(request)
    if (view !== undefined) this.signals.requestEnded(view)
    const isGivenUp = this.deadlines.isGivenUp(request)
    if (isGivenUp) this.#unlock(request)
    if (this.sharedareas.length > 0) this.#leaveAreas(request, isGivenUp)
  }

  /** Nobody is left to unlock what a core has locked that was given up, as nobody is when a thread has ended. */
  #unlock({ coreId }: WsgiRequest): void {
    for (const num of this.locks.coreEnded(this.thread.seat, coreId)) {
      this.log.text(`lock ${num} was held by core ${coreId}, which was given up: it is free again`)
    }
  }

  #leaveAreas(request: WsgiRequest, isGivenUp: boolean): void {
    const view = this.#views.get(request)
    if (view === undefined) return
    for (const [id, area] of this.sharedareas.entries()) {
      if (!area.holderEnded(this.thread.seat, view, isGivenUp)) continue
      this.log.text(`area ${id} was locked by core ${request.coreId}, which was given up: it is unlocked again`)
    }
  }
}
