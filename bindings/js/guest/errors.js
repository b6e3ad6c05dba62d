// The errors that the host raises here. Invariant: each is made here, with the stack of the guest that gets it.
;(_host, lib) => {
  'use strict'
  const P = lib.primordials
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

  /** Where the code stands that is asked whether it is to be stopped, as far as calls tell. */
  lib.entries.currentStack = () => new Error().stack
}
