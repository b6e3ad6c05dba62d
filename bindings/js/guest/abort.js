// Event, EventTarget, AbortController, AbortSignal (WHATWG DOM), as far as programs without a document use them.
// Invariant: a signal aborts once; its reason never changes afterwards.
;(_host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayPush, ArraySlice, ArraySplice } = P

  class Event {
    #type
    #target = null
    #cancelable
    #prevented = false
    #stopped = false
    constructor(type, init = undefined) {
      this.#type = `${type}`
      this.#cancelable = Boolean(init?.cancelable)
    }
    static dispatch(event, target, listeners) {
      event.#target = target
      for (let index = 0; index < listeners.length && !event.#stopped; index += 1) listeners[index](event)
      return !event.#prevented
    }
    get type() {
      return this.#type
    }
    get target() {
      return this.#target
    }
    get currentTarget() {
      return this.#target
    }
    get cancelable() {
      return this.#cancelable
    }
    get defaultPrevented() {
      return this.#prevented
    }
    preventDefault() {
      if (this.#cancelable) this.#prevented = true
    }
    stopImmediatePropagation() {
      this.#stopped = true
    }
    stopPropagation() {}
  }
  const { dispatch } = Event
  delete Event.dispatch
  lib.tag(Event, 'Event')

  class EventTarget {
    #listeners = []
    addEventListener(type, callback, options = undefined) {
      if (callback === null || callback === undefined) return
      const name = `${type}`
      for (let index = 0; index < this.#listeners.length; index += 1) {
        if (this.#listeners[index].name === name && this.#listeners[index].callback === callback) return
      }
      const once = typeof options === 'object' && options !== null && Boolean(options.once)
      ArrayPush(this.#listeners, { __proto__: null, name, callback, once })
    }
    removeEventListener(type, callback) {
      const name = `${type}`
      for (let index = this.#listeners.length - 1; index >= 0; index -= 1) {
        const listener = this.#listeners[index]
        if (listener.name === name && listener.callback === callback) ArraySplice(this.#listeners, index, 1)
      }
    }
    dispatchEvent(event) {
      const calls = []
      const listeners = ArraySlice(this.#listeners)
      for (let index = 0; index < listeners.length; index += 1) {
        const { name, callback, once } = listeners[index]
        if (name !== event.type) continue
        ArrayPush(calls, (current) => {
          if (once) this.removeEventListener(name, callback)
          try {
            if (typeof callback === 'function') P.apply(callback, this, [current])
            else callback.handleEvent(current)
          } catch (error) {
            lib.reportError('uncaught error in an event listener', error)
          }
        })
      }
      return dispatch(event, this, calls)
    }
  }
  lib.tag(EventTarget, 'EventTarget')

  const internal = { __proto__: null }

  class AbortSignal extends EventTarget {
    #aborted = false
    #reason
    // What follows this signal: `AbortSignal.any` and the glue's own work.
    #followers = []
    #handler = null
    constructor(key) {
      if (key !== internal) throw new TypeError('Illegal constructor')
      super()
    }
    static abort(reason = undefined) {
      const signal = new AbortSignal(internal)
      abortSignal(signal, reason)
      return signal
    }
    static timeout(milliseconds) {
      const signal = new AbortSignal(internal)
      const delay = +milliseconds
      if (!(delay >= 0)) throw new TypeError('AbortSignal.timeout() takes a number of milliseconds')
      lib.setTimer(() => abortSignal(signal, new lib.DOMException('The operation timed out.', 'TimeoutError')), delay)
      return signal
    }
    static any(signals) {
      const signal = new AbortSignal(internal)
      for (const other of signals) {
        if (other.#aborted) {
          abortSignal(signal, other.#reason)
          break
        }
        ArrayPush(other.#followers, () => abortSignal(signal, other.#reason))
      }
      return signal
    }
    static run(signal, reason) {
      if (signal.#aborted) return
      signal.#aborted = true
      signal.#reason = reason === undefined ? new lib.DOMException('The operation was aborted.', 'AbortError') : reason
      const followers = signal.#followers
      signal.#followers = []
      const event = new Event('abort')
      if (typeof signal.#handler === 'function') {
        try {
          P.apply(signal.#handler, signal, [event])
        } catch (error) {
          lib.reportError('uncaught error in an event listener', error)
        }
      }
      signal.dispatchEvent(event)
      for (let index = 0; index < followers.length; index += 1) followers[index]()
    }
    static is(value) {
      return typeof value === 'object' && value !== null && #aborted in value
    }
    get aborted() {
      return this.#aborted
    }
    get reason() {
      return this.#reason
    }
    get onabort() {
      return this.#handler
    }
    set onabort(handler) {
      this.#handler = handler
    }
    throwIfAborted() {
      if (this.#aborted) throw this.#reason
    }
  }
  const { run: abortSignal, is: isSignal } = AbortSignal
  delete AbortSignal.run
  delete AbortSignal.is
  lib.tag(AbortSignal, 'AbortSignal')

  class AbortController {
    #signal = new AbortSignal(internal)
    get signal() {
      return this.#signal
    }
    abort(reason = undefined) {
      abortSignal(this.#signal, reason)
    }
  }
  lib.tag(AbortController, 'AbortController')

  lib.newSignal = () => new AbortSignal(internal)
  lib.abortSignal = abortSignal
  lib.isSignal = isSignal
  P.ArrayPush(lib.kinds, { is: isSignal, show: (signal) => `AbortSignal { aborted: ${signal.aborted} }` })
  lib.AbortController = AbortController

  return { __proto__: null, Event, EventTarget, AbortSignal, AbortController }
}
