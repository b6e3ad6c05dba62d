// setTimeout and its family, queueMicrotask. The host keeps the clock and knows a timer by its number only; the function
// stays here. Invariant: an error in a callback is logged and stops nothing else.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { MapDelete, MapGet, MapSet } = P
  const { startTimer, stopTimer } = host

  const timers = new P.Map()
  let last = 0

  const start = (callback, delay, args, repeats) => {
    if (typeof callback !== 'function') throw new TypeError('a timer needs a function')
    let milliseconds = +delay
    // As in browsers and Node: what is no number, or too large for the clock, fires at once.
    if (!(milliseconds >= 0 && milliseconds <= 0x7fffffff)) milliseconds = 0
    last = last >= 0x3fffffff ? 1 : last + 1
    while (P.MapHas(timers, last)) last += 1
    MapSet(timers, last, { __proto__: null, callback, args, repeats })
    try {
      startTimer(last, milliseconds | 0, repeats)
    } catch (error) {
      MapDelete(timers, last)
      throw error
    }
    return last
  }
  const stop = (id) => {
    if (MapDelete(timers, id)) stopTimer(id)
  }

  lib.setTimer = (callback, delay) => start(callback, delay, [], false)

  lib.entries.fireTimer = (id) => {
    const timer = MapGet(timers, id)
    if (timer === undefined) return
    if (!timer.repeats) MapDelete(timers, id)
    try {
      P.apply(timer.callback, undefined, timer.args)
    } catch (error) {
      lib.reportError('uncaught error in a timer', error)
    }
  }

  const settled = P.PromiseResolve(undefined)

  return {
    __proto__: null,
    setTimeout: function setTimeout(callback, delay = 0, ...args) {
      return start(callback, delay, args, false)
    },
    setInterval: function setInterval(callback, delay = 0, ...args) {
      return start(callback, delay, args, true)
    },
    clearTimeout: function clearTimeout(id = undefined) {
      stop(id)
    },
    clearInterval: function clearInterval(id = undefined) {
      stop(id)
    },
    queueMicrotask: function queueMicrotask(callback) {
      if (typeof callback !== 'function') throw new TypeError('queueMicrotask() needs a function')
      P.PromiseThen(settled, () => {
        try {
          callback()
        } catch (error) {
          lib.reportError('uncaught error in a microtask', error)
        }
      })
    },
  }
}
