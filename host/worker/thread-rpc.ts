// The RPC functions of one thread, and its calls of others: here when it has the function, else by the master in another
// thread, or at another server. Every thread loads the same apps, so most calls never leave theirs.
// Invariant: a name has one handler, and a handler that is refused or replaced is given back to its language.

import { ProtocolError } from '../../protocol/errors.ts'
import { decodeRpcAnswer, encodeRpcCall, maxRpcArguments } from '../../protocol/rpc-packets.ts'
import type { Rpc } from '../api/context.ts'
import type { FunctionOwner, GuestFunction } from '../api/guest-function.ts'
import { ApiArgumentError, ApiError, GuestError, PolywsgiError } from '../errors.ts'
import type { ServiceParts } from './service-parts.ts'

export interface ThreadRpcOptions {
  /** How many functions there may be (`rpc-max`). */
  readonly rpcMax: number
  /** How long another server may take, in milliseconds (`socket-timeout`). */
  readonly socketTimeoutMs: number
}

type Answer = Uint8Array | undefined

interface Registered {
  readonly handler: GuestFunction
  /** How many arguments it takes; 0: any number. */
  readonly argc: number
}

/** Calls within calls all lie on the thread's one stack, with their interpreters' frames. */
const mostNested = 32

const utf8 = new TextEncoder()

export class ThreadRpc implements Rpc {
  readonly #parts: ServiceParts
  readonly #options: ThreadRpcOptions
  readonly #functions = new Map<string, Registered>()
  #nested = 0

  constructor(parts: ServiceParts, options: ThreadRpcOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** The handler is this object's from here on. Differs from uWSGI: mules and spoolers register as workers do. */
  register(name: string, handler: GuestFunction, argc: number): void {
    const { rpcMax } = this.#options
    const replaced = this.#functions.get(name)
    if (replaced === undefined && this.#functions.size >= rpcMax) {
      handler.release()
      const message = `unable to register rpc function '${name}': there are ${rpcMax} already (rpc-max)`
      throw new ApiError('register_rpc', 'API_REFUSED', message)
    }
    this.#functions.set(name, { handler, argc })
    replaced?.handler.release()
    if (replaced !== undefined) return
    this.#parts.master.notify('rpcRegistered', { name })
    const { thread, log } = this.#parts
    // Every thread loads the same apps: the first one says so for all.
    if (thread.isLoading && thread.number !== 1) return
    const where = `${thread.kind} ${thread.workerId + thread.muleId + thread.spoolerId}`
    log.text(`registered RPC function "${name}" on ${where}`)
  }

  call(name: string, args: readonly Uint8Array[]): Answer {
    const registered = this.#functions.get(name)
    if (registered === undefined) return this.#callElsewhere(name, args)
    const answer = this.#invoke(name, registered, args, false)
    if (!(answer instanceof Promise)) return answer
    // Nobody will ever look at it.
    answer.catch(() => {})
    const message = `rpc function '${name}' is asynchronous: its answer is not there when a plain call returns`
    throw new ApiError('call', 'API_REFUSED', message)
  }

  callAsync(name: string, args: readonly Uint8Array[]): Answer | Promise<Answer> {
    const registered = this.#functions.get(name)
    if (registered !== undefined) return this.#invoke(name, registered, args, true)
    return this.#parts.master.callAsync('rpc', callOf(name, args)).then(({ value }) => value)
  }

  callRemote(node: string, name: string, args: readonly Uint8Array[]): Answer {
    if (node === '') return this.call(name, args)
    return remoteAnswer(node, name, this.#parts.master.call('remote', this.#remoteCall(node, name, args)))
  }

  callRemoteAsync(node: string, name: string, args: readonly Uint8Array[]): Answer | Promise<Answer> {
    if (node === '') return this.callAsync(name, args)
    const call = this.#remoteCall(node, name, args)
    return this.#parts.master.callAsync('remote', call).then((bytes) => remoteAnswer(node, name, bytes))
  }

  /**
   * Runs a function of this thread for another one.
   * @param mayWait this thread's event loop turns meanwhile
   * @returns in memory of its own, so that it may be posted
   */
  run(name: string, args: readonly Uint8Array[], mayWait = true): Answer | Promise<Answer> {
    const registered = this.#functions.get(name)
    // The master asks only threads that told it of the name; it may still have asked the thread that was here before.
    if (registered === undefined) return undefined
    const answer = this.#invoke(name, registered, args, mayWait)
    return answer instanceof Promise ? answer.then(copied) : copied(answer)
  }

  names(): string[] {
    return [...this.#functions.keys()]
  }

  #callElsewhere(name: string, args: readonly Uint8Array[]): Answer {
    return this.#parts.master.call('rpc', callOf(name, args)).value
  }

  #remoteCall(node: string, name: string, args: readonly Uint8Array[]) {
    const { socketTimeoutMs: timeoutMs } = this.#options
    return { address: node, request: encodeCall(name, args), reply: 'packet' as const, timeoutMs }
  }

  #invoke(name: string, { handler, argc }: Registered, args: readonly Uint8Array[], mayWait: boolean): Answer | Promise<Answer> {
    if (argc > 0 && args.length !== argc) {
      const message = `rpc function '${name}' takes ${argc} argument${argc === 1 ? '' : 's'}, got ${args.length}`
      throw new ApiError('call', 'API_REFUSED', message)
    }
    const { owner } = handler
    if (owner.rpc === undefined) {
      throw new ApiError('call', 'API_REFUSED', `rpc function '${name}': plugin ${owner.name} runs no RPC functions`)
    }
    if (this.#nested >= mostNested) {
      throw new ApiError('call', 'API_REFUSED', `rpc function '${name}': calls are nested ${mostNested} deep already`)
    }
    this.#nested += 1
    try {
      const answer = owner.rpc(handler.handler, args, mayWait)
      if (!(answer instanceof Promise)) return encoded(owner, answer)
      return answer.then((value) => encoded(owner, value)).catch((error: unknown) => raise(name, error))
    } catch (error) {
      return raise(name, error)
    } finally {
      this.#nested -= 1
    }
  }
}

/** @throws PolywsgiError PLUGIN_HOOK for what is no answer: a number would become that many NULs */
const encoded = (owner: FunctionOwner, answer: Answer | string): Answer => {
  if (typeof answer === 'string') return owner.encodeString?.(answer) ?? utf8.encode(answer)
  if (answer === undefined || answer instanceof Uint8Array) return answer
  const type = answer === null ? 'null' : typeof answer
  throw new PolywsgiError('PLUGIN_HOOK', `plugin ${owner.name}: rpc hook answered ${type} instead of bytes, text or undefined`)
}

const copied = (answer: Answer): Answer => (answer === undefined ? undefined : new Uint8Array(answer))

/** Throws what a function threw; a guest's error with the name of the function, since its caller may be in another language. */
const raise = (name: string, error: unknown): never => {
  if (!(error instanceof GuestError)) throw error
  const { language, message, traceback } = error
  throw new GuestError(language, `rpc function '${name}' (${language}) raised: ${message}`, traceback)
}

/** A view is posted with all the memory behind it, which may be an interpreter's. */
const callOf = (name: string, args: readonly Uint8Array[]) => ({ name, args: args.map((arg) => new Uint8Array(arg)) })

const remoteAnswer = (node: string, name: string, bytes: Uint8Array | undefined): Answer => {
  if (bytes === undefined) return undefined
  const answer = decodeRpcAnswer(bytes)
  if ('fault' in answer) throw new ApiError('rpc', 'API_IO', `node ${node}, asked for '${name}': ${answer.fault}`)
  return answer.result
}

const encodeCall = (name: string, args: readonly Uint8Array[]): Uint8Array => {
  if (args.length > maxRpcArguments) {
    throw new ApiArgumentError('rpc', 'args', 'value', `a call has at most ${maxRpcArguments} arguments, not ${args.length}`)
  }
  try {
    return encodeRpcCall({ name: utf8.encode(name), args })
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new ApiArgumentError('rpc', 'args', 'value', `the call does not fit a packet: ${error.message}`)
  }
}
