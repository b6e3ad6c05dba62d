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

interface Core {
  interests: Map<number, Interest>
  /** On the clock of `performance.now()`. */
  deadline: number
  readyFd: number
  isTimedOut: boolean
  /** Ends the wait that is under way. */
  finish: ((fd: number, isTimedOut: boolean) => void) | undefined
  /** Whether the client's connection is looked at: once for however many waits, which may end without it. */
  isWatched: { read: boolean; write: boolean }
  /** What the wait that is under way is to learn of the client's connection. */
  client: Interest | undefined
}

/** What a parked thread that waits for its client's connection looks for by itself, since nobody rings for it. */
const lookMs = 20
/** A ring that is lost costs a parked thread no more than this. */
const watchMs = 500

const newCore = (): Core => ({
  interests: new Map(),
  deadline: Number.POSITIVE_INFINITY,
  readyFd: -1,
  isTimedOut: false,
  finish: undefined,
  isWatched: { read: false, write: false },
  client: undefined,
})

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
    const interest = core.interests.get(fd) ?? { read: false, write: false }
    if (interest[direction]) throw refuse(`it is waited for already, to ${direction}`)
    interest[direction] = true
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
    return core === undefined || isIdle(core) ? this.#queue.turn() : this.#wait(core, request)
  }

  park(): void {
    const request = this.#options.current()
    const core = this.#cores.get(request)
    if (core === undefined || isIdle(core)) return
    const { interests, deadline } = taken(core)
    core.readyFd = this.#parkFor(interests, deadline, request)
    core.isTimedOut = core.readyFd === -1
  }

  /** Whatever the request waits for, its wait is over, and what it has registered is forgotten. */
  requestEnded(request: WsgiRequest): void {
    const core = this.#cores.get(request)
    if (core === undefined) return
    core.finish?.(-1, false)
    this.#cores.delete(request)
  }

  #core(request: WsgiRequest | undefined): Core {
    let core = this.#cores.get(request)
    if (core === undefined) {
      core = newCore()
      this.#cores.set(request, core)
    }
    return core
  }

  #wait(core: Core, request: WsgiRequest | undefined): Promise<void> {
    // A handler that waits twice at once, as one of promises may: the first wait is not to hold the second one's place.
    core.finish?.(-1, false)
    const { interests, deadline } = taken(core)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const { master } = this.#options
    const client = request === undefined ? undefined : takenFrom(interests, request.connectionFd)
    let timer: NodeJS.Timeout | undefined
    let question = 0
    const end = (): boolean => {
      if (core.finish !== finish) return false
      core.finish = undefined
      core.client = undefined
      clearTimeout(timer)
      if (question !== 0) master.notify('cancelWait', { id: question })
      return true
    }
    const finish = (fd: number, isTimedOut: boolean): void => {
      if (!end()) return
      core.readyFd = fd
      core.isTimedOut = isTimedOut
      resolve()
    }
    core.finish = finish
    if (deadline !== Number.POSITIVE_INFINITY) {
      timer = setTimeout(() => finish(-1, true), Math.max(0, deadline - performance.now()))
    }
    if (interests.size > 0) {
      this.#lastWait += 1
      question = this.#lastWait
      master.callAsync('waitFds', { id: question, fds: listed(interests), timeoutMs: 0 }).then(
        (fd) => {
          question = 0
          finish(fd, false)
        },
        (error: unknown) => {
          question = 0
          if (end()) reject(error)
        },
      )
    }
    if (client !== undefined && request !== undefined) {
      core.client = client
      for (const direction of ['read', 'write'] as const) if (client[direction]) this.#watch(core, request, direction)
    }
    return promise
  }

  /** Ends the wait, whichever is under way then, that the client's connection is to end. */
  #watch(core: Core, request: WsgiRequest, direction: keyof Interest): void {
    if (core.isWatched[direction]) return
    core.isWatched[direction] = true
    const ready = direction === 'read' ? readable(request) : (request.roomAppears ?? Promise.resolve())
    void ready.then((hasLeft) => {
      core.isWatched[direction] = false
      if (core.client?.[direction] !== true) return
      // What had come for a wait before was read since.
      if (direction === 'read' && !hasLeft && !hasPiece(request)) this.#watch(core, request, direction)
      else core.finish?.(request.connectionFd, false)
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

const isIdle = ({ interests, deadline }: Core): boolean => interests.size === 0 && deadline === Number.POSITIVE_INFINITY

/** What is registered, which is forgotten with it. */
const taken = (core: Core): Pick<Core, 'interests' | 'deadline'> => {
  const { interests, deadline } = core
  if (interests.size > 0) core.interests = new Map()
  core.deadline = Number.POSITIVE_INFINITY
  return { interests, deadline }
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
