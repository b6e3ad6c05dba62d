// Headers (WHATWG Fetch). A list is flat: name as given, name in lower case, value, and so on. Headers of a request stay
// in the packet until more than a single one is asked for. Invariant: what is in a list is a valid header name or value
// (Latin-1, no NUL or line break), so that it can go out as it is.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayPush, ArraySort, ArraySplice, ObjectKeys } = P
  const { headerName, headerValue, requestHeader, requestHeaders } = host

  // Names seen before, to their lower case: checking one costs a call of the host.
  let known = { __proto__: null }
  let knownCount = 0
  const lowerName = (name) => known[name] ?? checkName(name)
  const checkName = (name) => {
    const text = `${name}`
    const lower = headerName(text)
    if (lower === undefined) throw new TypeError(`invalid header name: ${lib.quote(text)}`)
    // Bounded, since a guest may make up names from what clients send.
    if (knownCount >= 500) {
      known = { __proto__: null }
      knownCount = 0
    }
    known[text] = lower
    knownCount += 1
    return lower
  }

  const cleanValue = (value) => {
    const text = typeof value === 'string' ? value : `${value}`
    const clean = headerValue(text)
    if (clean === undefined) return text
    if (clean === false) throw new TypeError(`invalid header value: ${lib.quote(text)}`)
    return clean
  }

  const append = (list, name, value) => {
    const lower = lowerName(name)
    ArrayPush(list, `${name}`, lower, cleanValue(value))
  }

  const fill = (list, init) => {
    if (typeof init !== 'object' || init === null) throw new TypeError('headers are given as an object or a list of pairs')
    if (isHeaders(init)) {
      const other = listOf(init)
      for (let index = 0; index < other.length; index += 1) ArrayPush(list, other[index])
      return list
    }
    if (init[Symbol.iterator] !== undefined) {
      for (const pair of init) {
        if (typeof pair !== 'object' || pair === null) throw new TypeError('each header pair must be a [name, value] list')
        const parts = [...pair]
        if (parts.length !== 2) throw new TypeError('each header pair must be a [name, value] list')
        append(list, parts[0], parts[1])
      }
      return list
    }
    const names = ObjectKeys(init)
    for (let index = 0; index < names.length; index += 1) append(list, names[index], init[names[index]])
    return list
  }

  const find = (list, lower) => {
    let combined = null
    for (let index = 1; index < list.length; index += 3) {
      if (list[index] === lower) combined = combined === null ? list[index + 1] : `${combined}, ${list[index + 1]}`
    }
    return combined
  }

  const has = (list, lower) => {
    for (let index = 1; index < list.length; index += 3) if (list[index] === lower) return true
    return false
  }

  // Sorted by name, values of one name combined, each Set-Cookie on its own (Fetch, "sort and combine").
  const sorted = (list) => {
    const names = []
    for (let index = 1; index < list.length; index += 3) ArrayPush(names, list[index])
    ArraySort(names)
    const entries = []
    for (let index = 0; index < names.length; index += 1) {
      const lower = names[index]
      if (index > 0 && names[index - 1] === lower) continue
      if (lower !== 'set-cookie') ArrayPush(entries, [lower, find(list, lower)])
      else {
        for (let at = 1; at < list.length; at += 3) if (list[at] === lower) ArrayPush(entries, [lower, list[at + 1]])
      }
    }
    return entries
  }

  /** `new Headers(adopt, list, vars)`: a list, or the headers of a packet; with `vars` it cannot be changed. */
  const adopt = { __proto__: null }

  class Headers {
    #list
    #vars

    constructor(init = undefined, list = undefined, vars = undefined) {
      if (init === adopt) {
        this.#list = list
        this.#vars = vars
      } else {
        this.#list = []
        if (init !== undefined) fill(this.#list, init)
      }
    }
    static is(value) {
      return typeof value === 'object' && value !== null && #list in value
    }
    static list(headers) {
      if (headers.#list === undefined) {
        const pairs = requestHeaders(headers.#vars)
        const list = []
        for (let index = 0; index < pairs.length; index += 2) ArrayPush(list, pairs[index], pairs[index], pairs[index + 1])
        headers.#list = list
      }
      return headers.#list
    }

    #changeable() {
      if (this.#vars !== undefined) throw new TypeError('the headers of an incoming request cannot be changed')
      return this.#list
    }

    append(name, value) {
      append(this.#changeable(), name, value)
    }
    delete(name) {
      const list = this.#changeable()
      const lower = lowerName(name)
      for (let index = list.length - 2; index > 0; index -= 3) if (list[index] === lower) ArraySplice(list, index - 1, 3)
    }
    get(name) {
      const lower = lowerName(name)
      if (this.#list !== undefined) return find(this.#list, lower)
      const value = requestHeader(this.#vars, lower)
      return value === undefined ? null : value
    }
    getSetCookie() {
      const list = listOf(this)
      const values = []
      for (let index = 1; index < list.length; index += 3) if (list[index] === 'set-cookie') ArrayPush(values, list[index + 1])
      return values
    }
    has(name) {
      const lower = lowerName(name)
      if (this.#list !== undefined) return has(this.#list, lower)
      return requestHeader(this.#vars, lower) !== undefined
    }
    set(name, value) {
      const list = this.#changeable()
      const lower = lowerName(name)
      const clean = cleanValue(value)
      let found = false
      for (let index = 1; index < list.length; ) {
        if (list[index] !== lower) index += 3
        else if (found) ArraySplice(list, index - 1, 3)
        else {
          found = true
          list[index + 1] = clean
          index += 3
        }
      }
      if (!found) ArrayPush(list, `${name}`, lower, clean)
    }
    forEach(callback, self = undefined) {
      const entries = sorted(listOf(this))
      for (let index = 0; index < entries.length; index += 1) {
        P.apply(callback, self, [entries[index][1], entries[index][0], this])
      }
    }
    *entries() {
      const entries = sorted(listOf(this))
      for (let index = 0; index < entries.length; index += 1) yield entries[index]
    }
    *keys() {
      const entries = sorted(listOf(this))
      for (let index = 0; index < entries.length; index += 1) yield entries[index][0]
    }
    *values() {
      const entries = sorted(listOf(this))
      for (let index = 0; index < entries.length; index += 1) yield entries[index][1]
    }
  }
  const { is: isHeaders, list: listOf } = Headers
  delete Headers.is
  delete Headers.list
  Headers.prototype[Symbol.iterator] = Headers.prototype.entries
  lib.tag(Headers, 'Headers')
  lib.global('Headers', Headers)

  /** Names and values in turn, joined by NUL: the form in which a response's head leaves the guest. */
  const wire = (list) => {
    let out = ''
    for (let index = 0; index < list.length; index += 3) {
      out += index === 0 ? `${list[0]}\0${list[2]}` : `\0${list[index]}\0${list[index + 2]}`
    }
    return out
  }

  P.ArrayPush(lib.kinds, {
    is: isHeaders,
    show: (headers, show) => {
      const list = listOf(headers)
      let out = ''
      for (let index = 0; index < list.length; index += 3) {
        out += `${index === 0 ? '' : ', '}${show(list[index])}: ${show(list[index + 2])}`
      }
      return out === '' ? 'Headers {}' : `Headers { ${out} }`
    },
  })

  /**
   * The wire form of what a program gives as headers, with the content type of the body behind it where they name none.
   * Most responses are made of a plain object and sent: they never need a list.
   */
  const wireOf = (init, type) => {
    if (typeof init !== 'object' || init === null || isHeaders(init) || init[Symbol.iterator] !== undefined) {
      const list = fill([], init)
      if (type !== undefined && !has(list, 'content-type')) ArrayPush(list, 'Content-Type', 'content-type', type)
      return wire(list)
    }
    const names = ObjectKeys(init)
    let out = ''
    let isTyped = type === undefined
    for (let index = 0; index < names.length; index += 1) {
      const name = names[index]
      const lower = lowerName(name)
      if (lower === 'content-type') isTyped = true
      const value = cleanValue(init[name])
      out += index === 0 ? `${name}\0${value}` : `\0${name}\0${value}`
    }
    if (!isTyped) out += out === '' ? `Content-Type\0${type}` : `\0Content-Type\0${type}`
    return out
  }

  /** The list of a wire form. */
  const unwire = (text) => {
    const list = []
    if (text === '') return list
    const parts = P.StringSplit(text, '\0')
    for (let index = 0; index < parts.length; index += 2) ArrayPush(list, parts[index], lowerName(parts[index]), parts[index + 1])
    return list
  }

  lib.headers = { __proto__: null, adopt, append, fill, has, find, listOf, isHeaders, wire, wireOf, unwire }
}
