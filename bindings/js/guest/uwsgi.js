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

  const add = (names, value) => {
    const list = P.StringSplit(names, ' ')
    for (let index = 0; index < list.length; index += 1) uwsgi[list[index]] = value
  }

  /** `names`: all names of the function, the official one first, joined by a space. */
  lib.entries.addFunction = (names, raw) => {
    const name = P.StringSplit(names, ' ')[0]
    const made = {
      [name](...args) {
        const result = apply(raw, undefined, args)
        return typeof result === 'object' && result !== null ? new UwsgiBytes(result) : result
      },
    }
    add(names, made[name])
  }

  lib.entries.addAttribute = (names, value) => {
    add(names, typeof value === 'object' && value !== null ? new UwsgiBytes(value) : value)
  }

  /** `list`: for each option its name, the number of its values, the values; `true` crosses as the number 1. */
  lib.entries.addOptions = (names, list) => {
    const options = { __proto__: null }
    for (let at = 0; at < list.length; ) {
      const name = list[at]
      const count = list[at + 1]
      at += 2
      const values = []
      for (let index = 0; index < count; index += 1) P.ArrayPush(values, list[at + index] === 1 ? true : list[at + index])
      at += count
      options[name] = count === 1 ? values[0] : values
    }
    add(names, options)
  }
}
