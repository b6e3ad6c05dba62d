// The small rest of the platform: performance, crypto, and the names `self` and `navigator`.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { now, random, uuid } = host

  const started = now()
  lib.global('performance', {
    now: () => now() - started,
    timeOrigin: Date.now(),
    toJSON() {
      return { timeOrigin: this.timeOrigin }
    },
  })

  lib.global('crypto', {
    randomUUID: () => uuid(),
    getRandomValues(array) {
      const name = P.TypedArrayName(array)
      if (name === undefined || P.StringStartsWith(name, 'Float')) {
        throw new lib.DOMException('getRandomValues() fills an integer typed array', 'TypeMismatchError')
      }
      const view = lib.bytes.viewOf(array)
      const length = P.TypedArrayLength(view)
      if (length > 65536) throw new lib.DOMException('at most 65536 random bytes at a time', 'QuotaExceededError')
      P.TypedArraySet(view, new P.Uint8Array(random(length)))
      return array
    },
  })

  lib.global('self', globalThis)
  lib.global('navigator', P.ObjectFreeze({ userAgent: 'polywsgi' }))
}
