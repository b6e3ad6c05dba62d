// The `uwsgi` module as JavaScript has it: built from what the host adds, one call per entry of the API table.
// Invariant: no entry is known here by name.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { apply } = P
  const { decodeText } = host
  const keepBom = 2

  /** Bytes from the API: a Uint8Array whose text form is its UTF-8 decoding. */
  class UwsgiBytes extends P.Uint8Array {
    toString() {
      return decodeText('utf-8', lib.bytes.viewOf(this), keepBom)
    }
  }
  lib.UwsgiBytes = UwsgiBytes
  lib.toUwsgiBytes = (buffer) => new UwsgiBytes(buffer)

  const uwsgi = { __proto__: null }
  lib.uwsgi = uwsgi
  lib.global('uwsgi', uwsgi)

  const addTo = (object, names, value, isFixed) => {
    const list = P.StringSplit(names, ' ')
    for (let index = 0; index < list.length; index += 1) {
      P.ObjectDefineProperty(object, list[index], {
        __proto__: null,
        value,
        writable: !isFixed,
        enumerable: true,
        configurable: !isFixed,
      })
    }
  }

  const add = (names, value, isFixed) => addTo(uwsgi, names, value, isFixed)

  // ---- values of the host: shapes as in results.ts, by number

  const BYTES = 1
  const DICT = 2
  const OPTIONS = 3
  const LIST = 4

  /** `list`: names and buffers in turn. Names come from outside: the object inherits none. */
  lib.dictOf = (list) => {
    const object = { __proto__: null }
    for (let at = 0; at < list.length; at += 2) object[list[at]] = new UwsgiBytes(list[at + 1])
    return object
  }

  /** `list`: for each option its name, the number of its values, the values. */
  const optionsOf = (list) => {
    const options = { __proto__: null }
    for (let at = 0; at < list.length; ) {
      const name = list[at]
      const count = list[at + 1]
      at += 2
      options[name] = count === 1 ? list[at] : P.ArraySlice(list, at, at + count)
      at += count
    }
    return options
  }

  const recordOf = (names, shapes, values) => {
    const object = {}
    for (let index = 0; index < names.length; index += 1) object[names[index]] = formed(shapes[index], values[index])
    return object
  }

  const formed = (shape, value) => {
    if (value === undefined) return undefined
    switch (shape) {
      case 0:
        return value
      case BYTES:
        return typeof value === 'object' ? new UwsgiBytes(value) : value
      case DICT:
        return lib.dictOf(value)
      case OPTIONS:
        return optionsOf(value)
    }
    if (shape[0] !== LIST) return recordOf(shape[1], shape[2], value)
    for (let index = 0; index < value.length; index += 1) value[index] = formed(shape[1], value[index])
    return value
  }

  // ---- arguments that are dicts: the number of their items, then names and values in turn; -1 for what is none

  const isDict = (value) => {
    if (typeof value !== 'object' || P.ArrayIsArray(value)) return false
    const prototype = P.ObjectGetPrototypeOf(value)
    return prototype === null || prototype === objectPrototype
  }
  const objectPrototype = Object.prototype

  const pushDict = (list, value) => {
    if (value === undefined || value === null) P.ArrayPush(list, undefined)
    else if (!isDict(value)) P.ArrayPush(list, -1)
    else {
      const names = P.ObjectKeys(value)
      P.ArrayPush(list, names.length)
      for (let index = 0; index < names.length; index += 1) {
        P.ArrayPush(list, names[index], value[names[index]])
      }
    }
  }

  const withItems = (args, dicts) => {
    const list = []
    for (let index = 0; index < args.length; index += 1) {
      let isDictAt = false
      for (let at = 0; at < dicts.length; at += 1) isDictAt ||= dicts[at] === index
      if (isDictAt) pushDict(list, args[index])
      else P.ArrayPush(list, args[index])
    }
    return list
  }

  /** `names`: all names of the function, the official one first, joined by a space. */
  lib.entries.addMember = (names, raw) => add(names, raw, false)

  /** A function whose result or arguments need their form given here. */
  lib.entries.addFunction = (names, raw, shape, dicts) => {
    const name = P.StringSplit(names, ' ')[0]
    let made
    if (dicts.length > 0) {
      made = {
        [name](...args) {
          return formed(shape, apply(raw, undefined, withItems(args, dicts)))
        },
      }
    } else if (shape === BYTES) {
      made = {
        [name](...args) {
          const result = apply(raw, undefined, args)
          return typeof result === 'object' && result !== null ? new UwsgiBytes(result) : result
        },
      }
    } else {
      made = {
        [name](...args) {
          return formed(shape, apply(raw, undefined, args))
        },
      }
    }
    add(names, made[name], false)
  }

  /** Gives a promise of the host's its value in the form of its shape. */
  lib.entries.settleFormed = (resolve, shape, value) => resolve(formed(shape, value))

  // Functions that wait, each as one that gives a promise.
  const promises = { __proto__: null }
  add('promises', promises, true)

  /** `raw` gives a promise; `dicts` as above. */
  lib.entries.addWaiting = (isInModule, names, raw, dicts) => {
    const name = P.StringSplit(names, ' ')[0]
    const made =
      dicts.length === 0
        ? raw
        : {
            [name](...args) {
              return apply(raw, undefined, withItems(args, dicts))
            },
          }[name]
    addTo(isInModule ? uwsgi : promises, names, made, false)
  }

  lib.entries.addAttribute = (names, value, shape) => add(names, formed(shape, value), true)

  /** A member that programs assign a function to. The host calls what it was told last. */
  lib.entries.addHook = (names) => {
    const list = P.StringSplit(names, ' ')
    const shown = list[list.length - 1]
    let current
    const descriptor = {
      __proto__: null,
      get: () => current,
      set: (value) => {
        if (value !== undefined && value !== null && typeof value !== 'function') {
          throw new lib.UwsgiError(`uwsgi.${shown} must be a function`, 'API_ARGUMENT')
        }
        host.setHook(list[0], value)
        current = value ?? undefined
      },
      enumerable: true,
      configurable: false,
    }
    for (let index = 0; index < list.length; index += 1) P.ObjectDefineProperty(uwsgi, list[index], descriptor)
  }
}
