// Serves the requests of one WSAPI app. The guest's side of the convention is guest/wsapi.lua; here a request's variables are
// laid down in the interpreter's memory, the app is entered on its core's thread, and what it returned is sent.
// Invariant: each chunk goes out before the iterator is asked for the next one, so that a slow stream is not held back.
import { ClientError, PolywsgiError } from '../../host/errors.ts'
import type { RequestResult } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import { FatalGuestError, failureBytes, type LuaFailure, outOfMemory, toGuestError } from './errors.ts'
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

  /** @throws FatalGuestError when the interpreter is lost */
  serve(request: WsgiRequest): RequestResult {
    const { runtime } = this.#worker
    const thread = this.#worker.threadOf(request.coreId)
    const { request: outerRequest, bodyBytesRead: outerBytesRead } = runtime
    runtime.request = request
    runtime.bodyBytesRead = 0
    try {
      this.#worker.layVars(request.vars)
      runtime.push(thread, this.#serve)
      const status = runtime.resume(thread, 0)
      if (status !== luaStatus.ok) return this.#failThread(request, thread, status)
      const result = this.#respond(request, thread)
      runtime.lua.lua_settop(thread, 0)
      return result
    } catch (error) {
      return this.#answerHostError(request, thread, error)
    } finally {
      runtime.request = outerRequest
      runtime.bodyBytesRead = outerBytesRead
      this.#worker.endErrorLine()
    }
  }

  #respond(request: WsgiRequest, thread: Pointer): RequestResult {
    const { runtime } = this.#worker
    if (runtime.stackHeight >= headerCountAt) this.#takeHead(thread)
    if (this.#nulInHeaders) throw new PolywsgiError('APP_RESPONSE', 'a header name or value holds a NUL byte')
    request.setHead(this.#status, this.#headers)
    if (runtime.lua.lua_type(thread, iteratorAt) !== luaType.nil) return this.#stream(request, thread)
    const body = runtime.bytesAt(thread, chunkAt)
    if (this.#contentLength >= 0 && body.length > this.#contentLength) return this.#cut(request, body, this.#contentLength)
    request.finish(body)
    return done
  }

  /** Ends the response where its Content-Length does: on a connection that is kept, the rest would pass for the next response. */
  #cut(request: WsgiRequest, chunk: Uint8Array, remaining: number): RequestResult {
    request.finish(chunk.subarray(0, remaining))
    return this.#fail(request, { message: "the body is longer than the app's Content-Length", traceback: '' })
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
  #stream(request: WsgiRequest, thread: Pointer): RequestResult {
    const { runtime } = this.#worker
    const { lua } = runtime
    const hasLength = this.#contentLength >= 0
    let remaining = this.#contentLength
    for (;;) {
      lua.lua_settop(thread, iteratorAt)
      lua.lua_pushvalue(thread, iteratorAt)
      const status = runtime.resume(thread, 0)
      if (status !== luaStatus.ok) {
        const result = this.#failThread(request, thread, status, deadCoroutine)
        if (result === done) break
        return result
      }
      const type = runtime.stackHeight < nextChunkAt ? luaType.nil : lua.lua_type(thread, nextChunkAt)
      if (type === luaType.nil) break
      if (type !== luaType.string) {
        const message = `the body's iterator must return strings, then nil; it returned a ${luaTypeName(type)}`
        return this.#fail(request, { message, traceback: '' })
      }
      if (request.clientGone) return done
      const chunk = runtime.bytesAt(thread, nextChunkAt)
      if (chunk.length === 0) continue
      if (hasLength && chunk.length > remaining) return this.#cut(request, chunk, remaining)
      if (chunk.length === remaining) request.finish(chunk)
      else request.writeBody(chunk)
      remaining -= chunk.length
    }
    request.finish()
    return done
  }

  /** Ends the request for what `resume` answered, except with an error whose message is no failure. */
  #failThread(request: WsgiRequest, thread: Pointer, status: number, harmless?: RegExp): RequestResult {
    const { runtime } = this.#worker
    const failure = runtime.fail(thread, status)
    if (harmless?.test(failure.message)) return done
    this.#fail(request, failure)
    if (outOfMemory.test(failure.message)) runtime.requireMemory()
    return failed
  }

  /** Logs what happened and answers 500 if nothing was sent; a response under way stays unfinished, for the host to cut. */
  #fail(request: WsgiRequest, failure: LuaFailure): RequestResult {
    this.#worker.runtime.log.bytes(failureBytes(`lua app ${this.#source}`, failure))
    request.fail(toGuestError(failure))
    return failed
  }

  #answerHostError(request: WsgiRequest, thread: Pointer, error: unknown): RequestResult {
    if (error instanceof FatalGuestError) throw error
    this.#worker.runtime.lua.lua_settop(thread, 0)
    // Nobody is left to answer, and the app did nothing wrong.
    if (error instanceof ClientError) return done
    if (!(error instanceof PolywsgiError)) throw error
    return this.#fail(request, { message: Buffer.from(error.message).toString('latin1'), traceback: '' })
  }
}

const countNuls = (text: string): number => {
  let count = 0
  for (let at = text.indexOf('\0'); at !== -1; at = text.indexOf('\0', at + 1)) count += 1
  return count
}
