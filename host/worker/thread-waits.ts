// What requests register by async_sleep, wait_fd_read and wait_fd_write, and waiting for it. The sockets are the master's, so
// it is asked which is ready; the client's own connection is looked at here.
// Invariant: a wait ends once, by whatever comes first, and leaves no timer and no question to the master behind.
import type { CoreWaits } from '../api/context.ts'
import { ApiError } from '../errors.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { Doorbell } from '../state/doorbell.ts'
import type { MasterPort } from './master-port.ts'
import { RunQueue } from './run-queue.ts'

export interface ThreadWaitsOptions {
  readonly cores: number
  readonly master: MasterPort
  readonly doorbell: Doorbell
  readonly current: () => WsgiRequest | undefined
  /** Whether the caller may use a connection of this number. */
  readonly owns: (fd: number) => boolean
}

interface Interest {
  read: boolean
  write: boolean
}

/** What is registered for a request, and what came of its last wait. There are as many as cores that wait: they are small. */
class Core {
  interests: Map<number, Interest> | undefined
  /** On the clock of `performance.now()`. */
  deadline = Number.POSITIVE_INFINITY
  readyFd = -1
  isTimedOut = false
  /** The one that is under way. */
  wait: PendingWait | undefined
  /** What that one is to learn of the client's connection. */
  client: Interest | undefined
  /** Whether the client's connection is looked at: once for however many waits, which may end without it. */
  watched: Interest | undefined

  get isIdle(): boolean {
    return this.interests === undefined && this.deadline === Number.POSITIVE_INFINITY
  }

  /** What is registered, which is forgotten with it. */
  take(): { interests: Map<number, Interest> | undefined; deadline: number } {
    const { interests, deadline } = this
    this.interests = undefined
    this.deadline = Number.POSITIVE_INFINITY
    return { interests, deadline }
  }
}

/** A wait of one core. Most are for a time alone: each costs one object, one promise and one timer. */
class PendingWait {
  readonly #core: Core
  readonly #master: MasterPort
  readonly promise: Promise<void>
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}
  #timer: NodeJS.Timeout | undefined
  /** What the master was asked, and has not answered; 0 nothing. */
  #question = 0

  constructor(core: Core, master: MasterPort) {
    this.#core = core
    this.#master = master
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    core.wait = this
  }

  endAt(deadline: number): void {
    if (deadline === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(timedOut, Math.max(0, deadline - performance.now()), this)
  }

  endByMaster(id: number, interests: Map<number, Interest>): void {
    this.#question = id
    this.#master.callAsync('waitFds', { id, fds: listed(interests), timeoutMs: 0 }).then(
      (fd) => {
        this.#question = 0
        this.finish(fd, false)
      },
      (error: unknown) => {
        this.#question = 0
        if (this.#end()) this.#reject(error)
      },
    )
  }

  /** Does nothing when it is over. */
  finish(fd: number, isTimedOut: boolean): void {
    if (!this.#end()) return
    this.#core.readyFd = fd
    this.#core.isTimedOut = isTimedOut
    this.#resolve()
  }

  #end(): boolean {
    if (this.#core.wait !== this) return false
    this.#core.wait = undefined
    this.#core.client = undefined
    clearTimeout(this.#timer)
    if (this.#question !== 0) this.#master.notify('cancelWait', { id: this.#question })
    return true
  }
}

const timedOut = (wait: PendingWait): void => wait.finish(-1, true)

/** What a parked thread that waits for its client's connection looks for by itself, since nobody rings for it. */
const lookMs = 20
/** A ring that is lost costs a parked thread no more than this. */
const watchMs = 500

export class ThreadWaits implements CoreWaits {
  readonly isAsync: boolean
  readonly #options: ThreadWaitsOptions
  readonly #queue = new RunQueue()
  readonly #cores = new Map<WsgiRequest | undefined, Core>()
  #lastWait = 0

  constructor(options: ThreadWaitsOptions) {
    this.#options = options
    this.isAsync = options.cores > 1
  }

  /** Requests that have registered something or have waited, and are not over. */
  get size(): number {
    return this.#cores.size
  }

  get readyFd(): number {
    return this.#cores.get(this.#options.current())?.readyFd ?? -1
  }

  get isTimedOut(): boolean {
    return this.#cores.get(this.#options.current())?.isTimedOut ?? false
  }

  addFd(functionName: string, fd: number, direction: 'read' | 'write', timeoutMs: number): void {
    const request = this.#options.current()
    const refuse = (why: string): ApiError =>
      new ApiError(functionName, 'API_IO', `unable to fd ${fd} to the event queue: ${why}`)
    if (request?.connectionFd !== fd && !this.#options.owns(fd)) throw refuse('it is no connection of this request')
    const core = this.#core(request)
    const interest = core.interests?.get(fd) ?? { read: false, write: false }
    if (interest[direction]) throw refuse(`it is waited for already, to ${direction}`)
    interest[direction] = true
    core.interests ??= new Map()
    core.interests.set(fd, interest)
    if (timeoutMs > 0) this.addTimeout(timeoutMs)
  }

  addTimeout(timeoutMs: number): void {
    const core = this.#core(this.#options.current())
    core.deadline = Math.min(core.deadline, performance.now() + timeoutMs)
  }

  commit(): Promise<void> | undefined {
    // Asked after each chunk of a body: with one core mostly nobody has registered anything.
    if (!this.isAsync && this.#cores.size === 0) return undefined
    const request = this.#options.current()
    if (!this.isAsync || request === undefined) {
      this.park()
      return undefined
    }
    request.switches += 1
    return this.settled()
  }

  settled(): Promise<void> {
    const request = this.#options.current()
    const core = this.#cores.get(request)
    return core === undefined || core.isIdle ? this.#queue.turn() : this.#wait(core, request)
  }

  park(): void {
    const request = this.#options.current()
    const core = this.#cores.get(request)
    if (core === undefined || core.isIdle) return
    const { interests, deadline } = core.take()
    core.readyFd = this.#parkFor(interests ?? new Map(), deadline, request)
    core.isTimedOut = core.readyFd === -1
  }

  /** Whatever the request waits for, its wait is over, and what it has registered is forgotten. */
  requestEnded(request: WsgiRequest): void {
    const core = this.#cores.get(request)
    if (core === undefined) return
    core.wait?.finish(-1, false)
    this.#cores.delete(request)
  }

  #core(request: WsgiRequest | undefined): Core {
    let core = this.#cores.get(request)
    if (core === undefined) {
      core = new Core()
      this.#cores.set(request, core)
    }
    return core
  }

  #wait(core: Core, request: WsgiRequest | undefined): Promise<void> {
    // A handler that waits twice at once, as one of promises may: the first wait is not to hold the second one's place.
    core.wait?.finish(-1, false)
    const { interests, deadline } = core.take()
    const wait = new PendingWait(core, this.#options.master)
    wait.endAt(deadline)
    if (interests === undefined) return wait.promise
    const client = request === undefined ? undefined : takenFrom(interests, request.connectionFd)
    if (interests.size > 0) {
      this.#lastWait += 1
      wait.endByMaster(this.#lastWait, interests)
    }
    if (client !== undefined && request !== undefined) {
      core.client = client
      for (const direction of ['read', 'write'] as const) if (client[direction]) this.#watch(core, request, direction)
    }
    return wait.promise
  }

  /** Ends the wait, whichever is under way then, that the client's connection is to end. */
  #watch(core: Core, request: WsgiRequest, direction: keyof Interest): void {
    core.watched ??= { read: false, write: false }
    const { watched } = core
    if (watched[direction]) return
    watched[direction] = true
    const ready = direction === 'read' ? readable(request) : (request.roomAppears ?? Promise.resolve())
    void ready.then((hasLeft) => {
      watched[direction] = false
      if (core.client?.[direction] !== true) return
      // What had come for a wait before was read since.
      if (direction === 'read' && !hasLeft && !hasPiece(request)) this.#watch(core, request, direction)
      else core.wait?.finish(request.connectionFd, false)
    })
  }

  /** @returns the descriptor that is ready; -1 when the time was over first */
  #parkFor(interests: Map<number, Interest>, deadline: number, request: WsgiRequest | undefined): number {
    const { master } = this.#options
    const client = request === undefined ? undefined : takenFrom(interests, request.connectionFd)
    for (;;) {
      if (client !== undefined && request !== undefined && isReadyNow(client, request)) return request.connectionFd
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) return -1
      const sliceMs = client === undefined ? leftMs : Math.min(leftMs, lookMs)
      if (interests.size === 0) {
        this.#parkThread(sliceMs)
        continue
      }
      this.#lastWait += 1
      const timeoutMs = sliceMs === Number.POSITIVE_INFINITY ? 0 : Math.max(1, Math.ceil(sliceMs))
      const fd = master.call('waitFds', { id: this.#lastWait, fds: listed(interests), timeoutMs })
      if (fd !== -1) return fd
    }
  }

  #parkThread(timeoutMs: number): void {
    const { doorbell, master } = this.#options
    // Others may call functions of this thread meanwhile.
    const { sequence } = doorbell
    master.serve()
    doorbell.park(sequence, Math.min(timeoutMs, watchMs))
  }
}

const takenFrom = (interests: Map<number, Interest>, fd: number): Interest | undefined => {
  const interest = interests.get(fd)
  interests.delete(fd)
  return interest
}

const listed = (interests: Map<number, Interest>) => [...interests].map(([fd, { read, write }]) => ({ fd, read, write }))

/**
 * Bytes of the body are here, or the client has gone: as for any connection whose other side has sent all there is.
 * @returns whether it has gone
 */
const readable = async (request: WsgiRequest): Promise<boolean> => {
  if (!isBodyRead(request)) {
    await request.body.arrives?.()
    if (!isBodyRead(request)) return false
  }
  await request.clientLeaves
  return true
}

const hasPiece = (request: WsgiRequest): boolean => !isBodyRead(request) && (request.body.canReadNow?.() ?? true)

/** A thread that is parked for its client's next bytes waits for these alone: they come, or fail, in their own time. */
const isReadyNow = (client: Interest, request: WsgiRequest): boolean => {
  if (request.clientGone || (client.write && !request.needsRoom(1))) return true
  if (!client.read || isBodyRead(request)) return false
  request.body.awaitArrival?.()
  return !isBodyRead(request)
}

const isBodyRead = ({ body }: WsgiRequest): boolean => body.isAtEnd === true
