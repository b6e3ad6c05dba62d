// Calls of RPC functions that the calling thread does not have: the embedding program's functions, and those that only some
// threads registered, in a request or a mule.
// Threads are meant by their seats.
// Invariant: every call has exactly one outcome: an answer, "nobody has it", or an error, whatever dies meanwhile.
import { GuestError, PolywsgiError } from '../errors.ts'

export type HostFunction = (...args: Uint8Array[]) => Uint8Array | string | Promise<Uint8Array | string>

export interface RpcAnswer {
  /** False: nobody has a function of that name. */
  readonly found: boolean
  /** Undefined: there is none, or it answered nothing. */
  readonly value: Uint8Array | undefined
}

export interface RpcRouterOptions {
  /** Has a thread run one of its functions. */
  readonly ask: (thread: number, name: string, args: readonly Uint8Array[]) => Promise<Uint8Array | undefined>
  /** Whether a thread can be asked: one that boots, or was told to stop, could not answer. */
  readonly isReady: (thread: number) => boolean
  /** What a thread is, by which those that have a function are ordered; without it its seat. */
  readonly numberOf?: (thread: number) => number
  /** What a person reads of a thread: `worker 1`. */
  readonly nameOf?: (thread: number) => string
  /** How long a thread may take; without it as long as it likes: its own limits end it. */
  readonly timeoutMs?: number
  /** Calls back after a time, and returns what takes that back. For tests. */
  readonly after?: (milliseconds: number, call: () => void) => () => void
}

/** As in uWSGI: the length of a name in its table. */
const longestName = 255

const utf8 = new TextEncoder()

export class RpcRouter {
  readonly #options: RpcRouterOptions
  readonly #own = new Map<string, HostFunction>()
  readonly #threadsOf = new Map<string, Set<number>>()
  /** Of each thread the calls it has not answered yet. */
  readonly #pending = new Map<number, Set<(error: Error) => void>>()

  constructor(options: RpcRouterOptions) {
    this.#options = options
  }

  /**
   * Makes a function of the embedding program callable; one of the same name is replaced.
   * @throws PolywsgiError API_REFUSED for a name that no guest could say
   */
  register(name: string, fn: HostFunction): void {
    const size = utf8.encode(name).length
    if (size === 0 || size > longestName) {
      throw new PolywsgiError('API_REFUSED', `the name of an rpc function has 1 to ${longestName} bytes, not ${size}`)
    }
    if (typeof fn !== 'function') throw new PolywsgiError('API_REFUSED', `rpc function '${name}' is not a function`)
    this.#own.set(name, fn)
  }

  /** Takes a function back, if it is still the one of its name. */
  unregister(name: string, fn: HostFunction): void {
    if (this.#own.get(name) === fn) this.#own.delete(name)
  }

  /** A thread has told that it has a function. */
  registered(thread: number, name: string): void {
    const threads = this.#threadsOf.get(name)
    if (threads === undefined) this.#threadsOf.set(name, new Set([thread]))
    else threads.add(thread)
  }

  /** A thread has ended: what it had is forgotten, and what it was asked is refused. */
  threadEnded(thread: number): void {
    for (const [name, threads] of this.#threadsOf) {
      threads.delete(thread)
      if (threads.size === 0) this.#threadsOf.delete(name)
    }
    const pending = this.#pending.get(thread)
    this.#pending.delete(thread)
    const name = this.#options.nameOf?.(thread) ?? `thread ${thread}`
    const error = new PolywsgiError('WORKER_DIED', `${name}, which ran the rpc function, has ended`)
    for (const refuse of pending ?? []) refuse(error)
  }

  /** The names that anybody has, the embedding program's first. */
  names(): string[] {
    return [...new Set([...this.#own.keys(), ...this.#threadsOf.keys()])]
  }

  /**
   * @param caller the thread that does not have the function; 0 for the embedding program, which may want its own
   * @throws GuestError when the function raised, PolywsgiError when its thread ended or took too long
   */
  async call(name: string, args: readonly Uint8Array[], caller: number): Promise<RpcAnswer> {
    const own = this.#own.get(name)
    if (own !== undefined) return { found: true, value: await callEmbedder(name, own, args) }
    const thread = this.#threadFor(name, caller)
    if (thread === undefined) return { found: false, value: undefined }
    return { found: true, value: await this.#ask(thread, name, args) }
  }

  /** The thread with the fewest calls before this one; of those the first, since workers come before mules, which may be busy for long. */
  #threadFor(name: string, caller: number): number | undefined {
    const { isReady, numberOf = (seat) => seat } = this.#options
    let chosen: number | undefined
    let least = Number.POSITIVE_INFINITY
    for (const thread of [...(this.#threadsOf.get(name) ?? [])].sort((a, b) => numberOf(a) - numberOf(b))) {
      const load = this.#pending.get(thread)?.size ?? 0
      if (thread === caller || load >= least || !isReady(thread)) continue
      chosen = thread
      least = load
    }
    return chosen
  }

  #ask(thread: number, name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    const { ask, timeoutMs, after = laterThan } = this.#options
    return new Promise((resolve, reject) => {
      const pending = this.#pending.get(thread) ?? new Set()
      this.#pending.set(thread, pending)
      const refuse = (error: Error): void => settle(() => reject(error))
      const settle = (finish: () => void): void => {
        pending.delete(refuse)
        takeBack?.()
        finish()
      }
      pending.add(refuse)
      const takeBack =
        timeoutMs !== undefined
          ? after(timeoutMs, () => {
              refuse(new PolywsgiError('API_IO', `rpc function '${name}' did not answer in ${timeoutMs / 1000} seconds`))
            })
          : undefined
      // What comes after a promise has settled is discarded by the promise itself.
      ask(thread, name, args).then((value) => settle(() => resolve(value)), refuse)
    })
  }
}

const laterThan = (milliseconds: number, call: () => void): (() => void) => {
  const timer = setTimeout(call, milliseconds)
  return () => clearTimeout(timer)
}

const callEmbedder = async (name: string, fn: HostFunction, args: readonly Uint8Array[]): Promise<Uint8Array> => {
  let answer: unknown
  try {
    answer = await fn(...args)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    // Guests get the message; where it happened is for the embedding program's own eyes.
    throw new GuestError('javascript', `rpc function '${name}' of the embedding program raised: ${message}`, '')
  }
  if (answer instanceof Uint8Array) return answer
  if (typeof answer === 'string') return utf8.encode(answer)
  throw new PolywsgiError('API_REFUSED', `rpc function '${name}' must answer with bytes or text, not ${describe(answer)}`)
}

const describe = (value: unknown): string => (value === undefined || value === null ? String(value) : typeof value)
