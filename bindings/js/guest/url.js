// URL and URLSearchParams (WHATWG URL). Parsing is the host's, exact and fast: text in, parts as text out.
// Invariant: a URL and its searchParams say the same at any time, whichever of them was changed.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayPush, ArraySort, ArraySplice, StringIndexOf, StringReplaceAll, StringSlice, StringToWellFormed } = P
  const { parseUrl, changeUrl, parseQuery } = host

  const encodeComponent = encodeURIComponent
  // encodeURIComponent leaves these alone, application/x-www-form-urlencoded does not.
  const formEscapes = ['%20', '+', '!', '%21', "'", '%27', '(', '%28', ')', '%29', '~', '%7E']
  const formEncode = (text) => {
    let out = encodeComponent(StringToWellFormed(text))
    for (let index = 0; index < formEscapes.length; index += 2) {
      if (P.StringIncludes(out, formEscapes[index])) out = StringReplaceAll(out, formEscapes[index], formEscapes[index + 1])
    }
    return out
  }

  const text = (value) => StringToWellFormed(`${value}`)
  const linked = { __proto__: null }
  let setUrlQuery
  let serialize

  class URLSearchParams {
    // Names and values in turn.
    #list = []
    #url

    constructor(init = '') {
      if (init === linked) return
      if (typeof init === 'object' && init !== null) {
        if (#list in init) this.#list = P.ArraySlice(init.#list)
        else if (typeof init[Symbol.iterator] === 'function') this.#fromPairs(init)
        else {
          const names = P.ObjectKeys(init)
          for (let index = 0; index < names.length; index += 1) {
            ArrayPush(this.#list, text(names[index]), text(init[names[index]]))
          }
        }
      } else {
        const query = text(init)
        this.#list = parseQuery(query[0] === '?' ? StringSlice(query, 1) : query)
      }
    }

    #fromPairs(pairs) {
      for (const pair of pairs) {
        const parts = typeof pair === 'object' && pair !== null ? [...pair] : []
        if (parts.length !== 2) throw new TypeError('each query pair must be a [name, value] list')
        ArrayPush(this.#list, text(parts[0]), text(parts[1]))
      }
    }

    #changed() {
      if (this.#url !== undefined) setUrlQuery(this.#url, serialize(this))
    }

    static link(url, query) {
      const params = new URLSearchParams(linked)
      params.#url = url
      params.#list = parseQuery(query)
      return params
    }
    static reset(params, query) {
      params.#list = parseQuery(query)
    }
    static is(value) {
      return typeof value === 'object' && value !== null && #list in value
    }

    get size() {
      return this.#list.length / 2
    }
    append(name, value) {
      ArrayPush(this.#list, text(name), text(value))
      this.#changed()
    }
    delete(name, value = undefined) {
      const wanted = text(name)
      const only = value === undefined ? undefined : text(value)
      for (let index = this.#list.length - 2; index >= 0; index -= 2) {
        if (this.#list[index] === wanted && (only === undefined || this.#list[index + 1] === only)) {
          ArraySplice(this.#list, index, 2)
        }
      }
      this.#changed()
    }
    get(name) {
      const wanted = text(name)
      for (let index = 0; index < this.#list.length; index += 2) {
        if (this.#list[index] === wanted) return this.#list[index + 1]
      }
      return null
    }
    getAll(name) {
      const wanted = text(name)
      const values = []
      for (let index = 0; index < this.#list.length; index += 2) {
        if (this.#list[index] === wanted) ArrayPush(values, this.#list[index + 1])
      }
      return values
    }
    has(name, value = undefined) {
      const wanted = text(name)
      const only = value === undefined ? undefined : text(value)
      for (let index = 0; index < this.#list.length; index += 2) {
        if (this.#list[index] === wanted && (only === undefined || this.#list[index + 1] === only)) return true
      }
      return false
    }
    set(name, value) {
      const wanted = text(name)
      const wellFormed = text(value)
      let found = false
      for (let index = 0; index < this.#list.length; ) {
        if (this.#list[index] !== wanted) index += 2
        else if (found) ArraySplice(this.#list, index, 2)
        else {
          found = true
          this.#list[index + 1] = wellFormed
          index += 2
        }
      }
      if (!found) ArrayPush(this.#list, wanted, wellFormed)
      this.#changed()
    }
    sort() {
      const order = []
      for (let index = 0; index < this.#list.length; index += 2) ArrayPush(order, index)
      ArraySort(order, (a, b) => (this.#list[a] < this.#list[b] ? -1 : this.#list[a] > this.#list[b] ? 1 : a - b))
      const sorted = []
      for (let index = 0; index < order.length; index += 1) {
        ArrayPush(sorted, this.#list[order[index]], this.#list[order[index] + 1])
      }
      this.#list = sorted
      this.#changed()
    }
    forEach(callback, self = undefined) {
      for (let index = 0; index < this.#list.length; index += 2) {
        P.apply(callback, self, [this.#list[index + 1], this.#list[index], this])
      }
    }
    *entries() {
      for (let index = 0; index < this.#list.length; index += 2) yield [this.#list[index], this.#list[index + 1]]
    }
    *keys() {
      for (let index = 0; index < this.#list.length; index += 2) yield this.#list[index]
    }
    *values() {
      for (let index = 0; index < this.#list.length; index += 2) yield this.#list[index + 1]
    }
    toString() {
      let out = ''
      for (let index = 0; index < this.#list.length; index += 2) {
        out += `${index === 0 ? '' : '&'}${formEncode(this.#list[index])}=${formEncode(this.#list[index + 1])}`
      }
      return out
    }
  }
  const { link, reset, is } = URLSearchParams
  delete URLSearchParams.link
  delete URLSearchParams.reset
  delete URLSearchParams.is
  URLSearchParams.prototype[Symbol.iterator] = URLSearchParams.prototype.entries
  lib.tag(URLSearchParams, 'URLSearchParams')
  serialize = P.uncurry(URLSearchParams.prototype.toString)
  P.ArrayPush(lib.kinds, { is, show: (params, show) => `URLSearchParams { ${show(serialize(params))} }` })

  const parse = (input, base) => (base === undefined ? parseUrl(`${input}`) : parseUrl(`${input}`, `${base}`))

  const SCHEME = 0
  const USER = 1
  const HOST = 2
  const PORT = 3
  const PATH = 4
  const QUERY = 5
  const HASH = 6
  const END = 7

  // Where the parts of a serialised URL begin (WHATWG URL, "URL serializing"): found when one is first asked for.
  const offsetsOf = (href) => {
    const scheme = StringIndexOf(href, ':') + 1
    const hashAt = StringIndexOf(href, '#', scheme)
    const hash = hashAt === -1 ? href.length : hashAt
    const queryAt = StringIndexOf(href, '?', scheme)
    const query = queryAt === -1 || queryAt > hash ? hash : queryAt
    if (href[scheme] !== '/' || href[scheme + 1] !== '/') return [scheme, scheme, scheme, scheme, scheme, query, hash]
    const start = scheme + 2
    const slash = StringIndexOf(href, '/', start)
    const path = slash === -1 || slash > query ? query : slash
    const at = StringIndexOf(href, '@', start)
    const host = at === -1 || at > path ? start : at + 1
    // An IPv6 address has colons of its own, inside brackets.
    const bracket = StringIndexOf(href, ']', host)
    const colon = StringIndexOf(href, ':', bracket === -1 || bracket > path ? host : bracket)
    return [scheme, start, host, colon === -1 || colon > path ? path : colon, path, query, hash]
  }
  const specialOrigins = ['http:', 'https:', 'ws:', 'wss:', 'ftp:']

  class URL {
    #href
    #offsets
    #params

    constructor(input, base = undefined) {
      // A request's url is serialised already.
      this.#href = base === undefined && input === lib.lastUrl ? input : parse(input, base)
      if (this.#href === undefined) throw new TypeError(`Invalid URL: ${input}`)
    }
    static canParse(input, base = undefined) {
      return parse(input, base) !== undefined
    }
    static parse(input, base = undefined) {
      return parse(input, base) === undefined ? null : new URL(input, base)
    }
    static is(value) {
      return typeof value === 'object' && value !== null && #href in value
    }
    static setQuery(url, query) {
      url.#href = changeUrl(url.#href, 'search', query)
      url.#offsets = undefined
    }

    #change(name, value) {
      const href = changeUrl(this.#href, name, `${value}`)
      if (href === undefined) throw new TypeError(`Invalid URL: ${value}`)
      this.#href = href
      this.#offsets = undefined
      if (this.#params !== undefined) reset(this.#params, StringSlice(this.search, 1))
    }
    #slice(from, to) {
      this.#offsets ??= offsetsOf(this.#href)
      const offsets = this.#offsets
      return StringSlice(this.#href, offsets[from], to === END ? this.#href.length : offsets[to])
    }

    get href() {
      return this.#href
    }
    set href(value) {
      this.#change('href', value)
    }
    get origin() {
      const { protocol } = this
      if (protocol === 'blob:') {
        const inner = parse(this.#slice(SCHEME, END), undefined)
        return inner === undefined ? 'null' : new URL(inner).origin
      }
      for (let index = 0; index < specialOrigins.length; index += 1) {
        if (specialOrigins[index] === protocol) return `${protocol}//${this.host}`
      }
      return 'null'
    }
    get protocol() {
      this.#offsets ??= offsetsOf(this.#href)
      return StringSlice(this.#href, 0, this.#offsets[SCHEME])
    }
    set protocol(value) {
      this.#change('protocol', value)
    }
    get username() {
      const user = this.#slice(USER, HOST)
      const colon = StringIndexOf(user, ':')
      return StringSlice(user, 0, colon === -1 ? -1 : colon)
    }
    set username(value) {
      this.#change('username', value)
    }
    get password() {
      const user = this.#slice(USER, HOST)
      const colon = StringIndexOf(user, ':')
      return colon === -1 ? '' : StringSlice(user, colon + 1, -1)
    }
    set password(value) {
      this.#change('password', value)
    }
    get host() {
      return this.#slice(HOST, PATH)
    }
    set host(value) {
      this.#change('host', value)
    }
    get hostname() {
      return this.#slice(HOST, PORT)
    }
    set hostname(value) {
      this.#change('hostname', value)
    }
    get port() {
      return StringSlice(this.#slice(PORT, PATH), 1)
    }
    set port(value) {
      this.#change('port', value)
    }
    get pathname() {
      const path = this.#slice(PATH, QUERY)
      // `web+demo:/.//not-a-host/`: written so that the path does not look like a host.
      const { length } = this.#slice(USER, PATH)
      return length === 0 && P.StringStartsWith(path, '/.//') ? StringSlice(path, 2) : path
    }
    set pathname(value) {
      this.#change('pathname', value)
    }
    get search() {
      const query = this.#slice(QUERY, HASH)
      return query === '?' ? '' : query
    }
    set search(value) {
      this.#change('search', value)
    }
    get hash() {
      const hash = this.#slice(HASH, END)
      return hash === '#' ? '' : hash
    }
    set hash(value) {
      this.#change('hash', value)
    }
    get searchParams() {
      this.#params ??= link(this, StringSlice(this.search, 1))
      return this.#params
    }
    toString() {
      return this.#href
    }
    toJSON() {
      return this.#href
    }
  }
  setUrlQuery = URL.setQuery
  P.ArrayPush(lib.kinds, { is: URL.is, show: (url, show) => `URL { ${show(url.href)} }` })
  delete URL.setQuery
  delete URL.is
  lib.tag(URL, 'URL')

  lib.URL = URL
  P.ArrayPush(lib.bodyKinds, (init) =>
    is(init) ? { source: serialize(init), type: 'application/x-www-form-urlencoded;charset=UTF-8' } : undefined,
  )
  return { __proto__: null, URL, URLSearchParams }
}
