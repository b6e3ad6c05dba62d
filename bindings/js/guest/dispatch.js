// Requests for fetch handlers: from packet to handler to response. Everything a request may need later is made when it is
// asked for; what is made here is made for every request.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { PromiseResolve, PromiseThen } = P
  const { fail, lapped, promiseState, promiseResult, requestVars } = host
  const { newRequest, isResponse, sendResponse } = lib
  const ignore = () => {}

  /** What a fetch handler gets as its third argument. */
  class Context {
    #packet
    constructor(packet) {
      this.#packet = packet
    }
    /** The request's uwsgi variables: name to Latin-1 text. Decoded once, then a property of its own. */
    get vars() {
      const value = lib.varsObject(this.#packet)
      P.ObjectDefineProperty(this, 'vars', { __proto__: null, value, writable: true, enumerable: true, configurable: true })
      return value
    }
    /** Work that goes on after the response: should it fail, that is logged. */
    waitUntil(promise) {
      PromiseThen(PromiseResolve(promise), ignore, (error) =>
        lib.reportError('a promise given to waitUntil() was rejected', error),
      )
    }
  }
  // The constructor takes a packet, which guests have none of.
  Context.prototype.constructor = Object

  lib.varsObject = (packet) => {
    const list = requestVars(packet)
    const vars = { __proto__: null }
    for (let index = 0; index < list.length; index += 2) vars[list[index]] = list[index + 1]
    return vars
  }

  const answer = (id, result, request) => {
    try {
      if (isResponse(result)) sendResponse(result, id, request)
      else fail(id, `the handler returned ${lib.inspectNested(result)}, not a Response`)
    } catch (error) {
      fail(id, lib.describe(error))
    }
  }

  // A promise that is settled already, as that of an async handler without a wait is, needs no turn of the job queue.
  const answerLater = (id, result, request) => {
    const state = promiseState(result)
    if (state === 1) {
      answer(id, promiseResult(result), request)
      return
    }
    PromiseThen(
      state === 0 ? result : PromiseResolve(result),
      (response) => answer(id, response, request),
      (error) => fail(id, lib.describe(error)),
    )
  }

  const apps = []

  /** @returns the app's number, by which the host names it */
  lib.addFetchApp = (target, handler) => {
    apps[apps.length] = { __proto__: null, target, handler }
    return apps.length - 1
  }

  /** Has the host told when all jobs that are in the queue now have had their turn. */
  lib.entries.lap = () => {
    PromiseThen(PromiseResolve(undefined), lapped)
  }

  lib.entries.dispatchFetch = (index, id, packet) => {
    const { target, handler } = apps[index]
    const request = newRequest(packet, id)
    const context = new Context(packet)
    let result
    try {
      result = target === undefined ? handler(request, lib.env, context) : target.fetch(request, lib.env, context)
    } catch (error) {
      fail(id, lib.describe(error))
      return
    }
    if (isResponse(result)) {
      try {
        sendResponse(result, id, request)
      } catch (error) {
        fail(id, lib.describe(error))
      }
    } else if (
      typeof result === 'object' &&
      result !== null &&
      (promiseState(result) >= 0 || typeof result.then === 'function')
    ) {
      answerLater(id, result, request)
    } else answer(id, result, request)
  }
}
