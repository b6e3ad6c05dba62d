// Serves the requests of one WSAPI app. The guest's side of the convention is guest/wsapi.lua; here a request's variables are
// laid down in the interpreter's memory, the app is entered on its core's thread, and what it returned is sent.
// Invariant: each chunk goes out before the iterator is asked for the next one, so that a slow stream is not held back.
import { ClientError, GuestError, PolywsgiError } from '../../host/errors.ts'
import type { RequestResult } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import type { Answer } from './answer.ts'
import { FatalGuestError, failureBytes, type LuaFailure, outOfMemory, StoppedError, toGuestError } from './errors.ts'
import { luaStatus, luaType, luaTypeName, type Pointer } from './glue.ts'
import type { Reference } from './runtime.ts'
import type { LuaWorker } from './worker.ts'

// Results of the guest's `serve`, from the bottom of the thread's stack.
const chunkAt = 1
const iteratorAt = 2
const statusAt = 3
const headersAt = 4
const headerCountAt = 5
/** Where a result of the iterator is, the thread's stack being cut down to the iterator before. */
const nextChunkAt = 3

const done: RequestResult = 0
const failed: RequestResult = -1

// A `coroutine.wrap` that has run out raises this; uWSGI ends the body on any error of the iterator, we on this one alone.
const deadCoroutine = /(?:^|: )cannot resume dead coroutine$/
const contentLengthForm = /(?:^|\0)content-length\0(\d{1,15})(?:\0|$)/i

export class LuaApp {
  readonly #worker: LuaWorker
  readonly #source: string
  readonly #serve: Reference
  // The head of the response before, in the host's form. The guest's side says when it is the same again.
  #status = ''
  #headers = ''
  /** -1 without a Content-Length. */
  #contentLength = -1
  #nulInHeaders = false

  constructor(worker: LuaWorker, source: string, serve: Reference) {
    this.#worker = worker
    this.#source = source
    this.#serve = serve
  }

  /**
   * @returns a promise when the app waits; it is rejected, or this throws, with
   * @throws FatalGuestError when the interpreter is lost; StoppedError when the app overran
   */
  serve(request: WsgiRequest): RequestResult | Promise<RequestResult> {
    let answer: Answer
    try {
      answer = this.#worker.open(request, this.#goOn)
    } catch (error) {
      if (!(error instanceof GuestError) || error instanceof FatalGuestError) throw error
      return this.#fail(request, { message: error.message, traceback: '' })
    }
    const result = this.#step(answer)
    if (result !== undefined) return result
    return new Promise((resolve, reject) => {
      answer.resolve = resolve
      answer.reject = reject
    })
  }

  /** Runs an answer on that has waited. */
  readonly #goOn = (answer: Answer): void => {
    answer.request.onCancel = undefined
    try {
      const result = this.#step(answer)
      if (result !== undefined) answer.resolve(result)
    } catch (error) {
      answer.reject(error)
    }
  }

  /** Undefined: it waits. */
  #step(answer: Answer): RequestResult | undefined {
    const { runtime } = this.#worker
    const { serving: outerServing, task: outerTask } = runtime
    runtime.serving = answer
    runtime.task = answer.task
    let result: RequestResult | undefined = failed
    try {
      result = this.#advance(answer)
    } catch (error) {
      result = this.#answerHostError(answer, error)
    } finally {
      runtime.serving = outerServing
      runtime.task = outerTask
      if (result !== undefined) this.#worker.close(answer)
    }
    return result
  }

  #advance(answer: Answer): RequestResult | undefined {
    const { runtime } = this.#worker
    const { thread } = answer.core
    switch (answer.place) {
      case 'begin':
        this.#worker.layVars(answer.request.vars)
        runtime.push(thread, this.#serve)
        return this.#afterHandler(answer, runtime.resume(thread, 0))
      case 'handler':
        return this.#afterHandler(answer, runtime.resume(thread, 0))
      case 'iterator':
        return this.#stream(answer, runtime.resume(thread, 0))
      case 'written':
        answer.task?.takeOutcome()
        return this.#yieldTurn(answer) ? undefined : this.#stream(answer)
      case 'next':
        answer.task?.takeOutcome()
        return this.#stream(answer)
      case 'end':
        answer.task?.takeOutcome()
        return done
    }
  }

  /** The app's code is suspended; `place` is where it goes on. */
  #suspended(answer: Answer, place: Answer['place']): RequestResult | undefined {
    const { request, task } = answer
    if (task?.isGivenUp === true) {
      answer.isAbandoned = true
      this.#log({ message: 'the request was given up, and its handler waited again: it has been ended', traceback: '' })
      return failed
    }
    answer.place = place
    request.onCancel = task?.giveUp
    return undefined
  }

  /** The host waits between two calls of the app's code. */
  #waitFor(answer: Answer, promise: Promise<unknown>, place: Answer['place']): void {
    answer.place = place
    answer.task?.wait(promise)
    answer.request.onCancel = answer.task?.giveUp
  }

  #afterHandler(answer: Answer, status: number): RequestResult | undefined {
    if (status === luaStatus.suspended) return this.#suspended(answer, 'handler')
    if (status !== luaStatus.ok) return this.#failThread(answer, status)
    return this.#respond(answer)
  }

  #respond(answer: Answer): RequestResult | undefined {
    const { runtime } = this.#worker
    const { request } = answer
    const { thread } = answer.core
    if (runtime.stackHeight >= headerCountAt) this.#takeHead(thread)
    if (answer.task?.isGivenUp === true) return failed
    if (this.#nulInHeaders) throw new PolywsgiError('APP_RESPONSE', 'a header name or value holds a NUL byte')
    request.setHead(this.#status, this.#headers)
    answer.remaining = this.#contentLength
    answer.hasLength = this.#contentLength >= 0
    if (runtime.lua.lua_type(thread, iteratorAt) !== luaType.nil) return this.#stream(answer)
    const body = runtime.bytesAt(thread, chunkAt)
    if (answer.hasLength && body.length > answer.remaining) return this.#cut(answer, body)
    return this.#write(answer, body, true, 'end') ? undefined : done
  }

  /** True: it waits for the client, and goes on at `place`. */
  #write(answer: Answer, chunk: Uint8Array | undefined, isLast: boolean, place: Answer['place']): boolean {
    const { request } = answer
    if (answer.task === undefined || !request.needsRoom(chunk?.length ?? 0)) {
      if (isLast) request.finish(chunk)
      else request.writeBody(chunk as Uint8Array)
      return false
    }
    const copy = chunk?.slice()
    this.#waitFor(answer, isLast ? request.finishAsync(copy) : request.writeBodyAsync(copy as Uint8Array), place)
    return true
  }

  /** Ends the response where its Content-Length does: on a connection that is kept, the rest would pass for the next response. */
  #cut(answer: Answer, chunk: Uint8Array): RequestResult {
    answer.request.finish(chunk.subarray(0, answer.remaining))
    return this.#fail(answer.request, { message: "the body is longer than the app's Content-Length", traceback: '' })
  }

  #takeHead(thread: Pointer): void {
    const { runtime } = this.#worker
    const isNumber = runtime.lua.lua_type(thread, statusAt) === luaType.number
    this.#status = isNumber ? String(runtime.lua.lua_tonumberx(thread, statusAt, 0)) : runtime.latin1At(thread, statusAt)
    this.#headers = runtime.latin1At(thread, headersAt)
    const contentLength = contentLengthForm.exec(this.#headers)
    this.#contentLength = contentLength === null ? -1 : Number(contentLength[1])
    // NUL is what separates names and values: one more of them and a value could pass for a header of its own.
    const parts = runtime.lua.lua_tonumberx(thread, headerCountAt, 0)
    this.#nulInHeaders = countNuls(this.#headers) !== Math.max(parts - 1, 0)
  }

  /**
   * Sends what the iterator returns until it returns nil. A response is one message when its first chunk is as long as its
   * Content-Length says; without one the end is known only after the chunk has gone, and is a message of its own.
   * Differs from uWSGI: nil ends the body (uWSGI calls on for ever), an error in the iterator is an error, and what is no
   * string is one too.
   */
  #stream(answer: Answer, resumed?: number): RequestResult | undefined {
    const { runtime } = this.#worker
    const { lua } = runtime
    const { request } = answer
    const { thread } = answer.core
    let status = resumed
    for (;;) {
      if (status === undefined) {
        lua.lua_settop(thread, iteratorAt)
        lua.lua_pushvalue(thread, iteratorAt)
        status = runtime.resume(thread, 0)
      }
      if (status === luaStatus.suspended) return this.#suspended(answer, 'iterator')
      if (status !== luaStatus.ok) {
        const result = this.#failThread(answer, status, deadCoroutine)
        if (result === done) break
        return result
      }
      status = undefined
      if (answer.task?.isGivenUp === true) return failed
      const type = runtime.stackHeight < nextChunkAt ? luaType.nil : lua.lua_type(thread, nextChunkAt)
      if (type === luaType.nil) break
      if (type !== luaType.string) {
        const message = `the body's iterator must return strings, then nil; it returned a ${luaTypeName(type)}`
        return this.#fail(request, { message, traceback: '' })
      }
      if (request.clientGone) return done
      const chunk = runtime.bytesAt(thread, nextChunkAt)
      if (chunk.length > 0) {
        if (answer.hasLength && chunk.length > answer.remaining) return this.#cut(answer, chunk)
        const isLast = chunk.length === answer.remaining
        answer.remaining -= chunk.length
        if (this.#write(answer, chunk, isLast, 'written')) return undefined
      }
      if (this.#yieldTurn(answer)) return undefined
    }
    return this.#write(answer, undefined, true, 'end') ? undefined : done
  }

  /** Each string of the iterator is a point where other cores have their turn. True: it waits for its own. */
  #yieldTurn(answer: Answer): boolean {
    const turn = this.#worker.commitWaits()
    if (turn === undefined || answer.task === undefined) return false
    this.#waitFor(answer, turn, 'next')
    return true
  }

  /** Ends the request for what `resume` answered, except with an error whose message is no failure. */
  #failThread(answer: Answer, status: number, harmless?: RegExp): RequestResult {
    const { runtime } = this.#worker
    const failure = runtime.fail(answer.core.thread, status)
    if (harmless?.test(failure.message)) return answer.task?.isGivenUp === true ? failed : done
    this.#fail(answer.request, failure)
    // Others that wait may hold the memory, and let go of it.
    if (outOfMemory.test(failure.message) && runtime.waiting.size === 0) runtime.requireMemory()
    return failed
  }

  /** Logs what happened and answers 500 if nothing was sent; a response under way stays unfinished, for the host to cut. */
  #fail(request: WsgiRequest, failure: LuaFailure): RequestResult {
    this.#log(failure)
    request.fail(toGuestError(failure))
    return failed
  }

  #log(failure: LuaFailure): void {
    this.#worker.runtime.log.bytes(failureBytes(`lua app ${this.#source}`, failure))
  }

  #answerHostError(answer: Answer, error: unknown): RequestResult {
    if (error instanceof FatalGuestError) throw error
    if (error instanceof StoppedError) {
      answer.isAbandoned = true
      throw error
    }
    // Nobody is left to answer, and the app did nothing wrong.
    if (error instanceof ClientError) return answer.task?.isGivenUp === true ? failed : done
    if (!(error instanceof PolywsgiError)) throw error
    return this.#fail(answer.request, { message: Buffer.from(error.message).toString('latin1'), traceback: '' })
  }
}

const countNuls = (text: string): number => {
  let count = 0
  for (let at = text.indexOf('\0'); at !== -1; at = text.indexOf('\0', at + 1)) count += 1
  return count
}
