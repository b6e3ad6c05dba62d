// Work that the host finishes later: a table of promises, of which the host knows numbers only; and the errors that the
// host raises here. Invariant: a number is settled once and then forgotten.
;(_host, lib) => {
  'use strict'
  const P = lib.primordials
  const { MapDelete, MapGet, MapSet } = P
  const { Error, TypeError, RangeError } = globalThis

  class UwsgiError extends Error {
    constructor(message, code) {
      super(message)
      P.ObjectDefineProperty(this, 'code', { __proto__: null, value: code, writable: true, enumerable: true, configurable: true })
    }
  }
  P.ObjectDefineProperty(UwsgiError.prototype, 'name', {
    __proto__: null,
    value: 'UwsgiError',
    writable: true,
    configurable: true,
  })
  lib.UwsgiError = UwsgiError
  lib.global('UwsgiError', UwsgiError)

  const newError = (kind, message, code) => {
    if (kind === 'UwsgiError') return new UwsgiError(message, code)
    if (kind === 'TypeError') return new TypeError(message)
    return kind === 'RangeError' ? new RangeError(message) : new Error(message)
  }
  lib.entries.newError = newError

  const waiting = new P.Map()
  let last = 0

  /** A promise that the host settles: `start` hands the number over. */
  lib.hostPromise = (start) => {
    const promise = P.PromiseWithResolvers()
    last = last >= 0x3fffffff ? 1 : last + 1
    const token = last
    MapSet(waiting, token, promise)
    try {
      start(token)
    } catch (error) {
      MapDelete(waiting, token)
      promise.reject(error)
    }
    return promise.promise
  }

  lib.entries.settle = (token, value) => {
    const promise = MapGet(waiting, token)
    if (promise === undefined) return
    MapDelete(waiting, token)
    promise.resolve(value)
  }

  lib.entries.refuse = (token, kind, message, code) => {
    const promise = MapGet(waiting, token)
    if (promise === undefined) return
    MapDelete(waiting, token)
    promise.reject(newError(kind, message, code))
  }
}
