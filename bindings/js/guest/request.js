// Request (WHATWG Fetch). One that came over the wire holds nothing but its packet and its number until a property is
// asked for: a handler pays for what it reads.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { parseUrl, requestBreaks, requestUrl, requestVar } = host
  const { adopt, fill, has } = lib.headers
  const { addBody, cloneBox, extract, isUnusable, newBox, wireBox } = lib.body
  const { Headers } = globalThis

  const wire = { __proto__: null }
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
  // Methods written in lower case by mistake so often that fetch corrects them.
  const normalized = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']
  const forbidden = ['CONNECT', 'TRACE', 'TRACK']

  const methodOf = (value) => {
    const text = `${value}`
    const upper = P.StringToUpperCase(text)
    if (P.RegExpExec(token, text) === null) throw new TypeError(`invalid method: ${lib.quote(text)}`)
    for (let index = 0; index < forbidden.length; index += 1) {
      if (forbidden[index] === upper) throw new TypeError(`forbidden method: ${upper}`)
    }
    for (let index = 0; index < normalized.length; index += 1) if (normalized[index] === upper) return upper
    return text
  }

  // Why, as requests.ts has it: the client left (1), the time is over (2). Undefined: the request is over.
  const watch = (breaks, signal) => {
    if (breaks === undefined) return
    P.PromiseThen(breaks, (why) => {
      if (why === 1) lib.abortSignal(signal, new lib.DOMException('the client is gone', 'AbortError'))
      else lib.abortSignal(signal, new lib.DOMException('the time for the answer is over', 'TimeoutError'))
    })
  }

  let newState

  class Request {
    #vars
    #id
    #state

    constructor(input, init = undefined, id = 0) {
      if (input === wire) {
        this.#vars = init
        this.#id = id
        return
      }
      this.#state = newState()
      const state = this.#state
      const given = init ?? {}
      let box = null
      let other
      if (typeof input === 'object' && input !== null && #state in input) {
        other = input
        state.method = other.method
        state.url = other.url
        box = boxOf(other)
      } else {
        state.url = parseUrl(`${input}`)
        if (state.url === undefined) throw new TypeError(`Invalid URL: ${input}`)
        if (P.StringIncludes(state.url, '@')) {
          const { username, password } = new lib.URL(state.url)
          if (username !== '' || password !== '') throw new TypeError('a request URL must not hold credentials')
        }
      }
      if (given.method !== undefined) state.method = methodOf(given.method)
      const list = []
      if (given.headers !== undefined) fill(list, given.headers)
      else if (other !== undefined) fill(list, other.headers)
      if (given.body !== undefined && given.body !== null) {
        if (state.method === 'GET' || state.method === 'HEAD') throw new TypeError(`a ${state.method} request has no body`)
        state.box = extract(given.body)
        if (state.box.type !== undefined && !has(list, 'content-type')) {
          lib.headers.append(list, 'Content-Type', state.box.type)
        }
      } else if (box !== null) {
        if (isUnusable(box)) throw new TypeError('the body was used already')
        // The body moves: the request it came from has none left to read.
        state.box = newBox(box.source, box.type, box.stream, box.wire)
        setBox(other, newBox(undefined, undefined, undefined, 0))
        boxOf(other).used = true
      }
      state.headers = new Headers(adopt, list)
      const signal = given.signal === undefined ? other?.signal : given.signal
      if (signal !== undefined && signal !== null) {
        if (!lib.isSignal(signal)) throw new TypeError("a request's signal must be an AbortSignal")
        state.signal = signal
      }
    }
    static is(value) {
      return typeof value === 'object' && value !== null && #state in value
    }
    static state(request) {
      return request.#state
    }
    static box(request) {
      request.#state ??= newState()
      const state = request.#state
      if (state.box === undefined) state.box = request.#vars === undefined ? null : wireBox(request.#id)
      return state.box
    }
    static setBox(request, box) {
      request.#state.box = box
    }
    get method() {
      this.#state ??= newState()
      const state = this.#state
      if (this.#vars !== undefined && state.wireMethod === undefined) {
        state.wireMethod = requestVar(this.#vars, 'REQUEST_METHOD') ?? 'GET'
        state.method = state.wireMethod
      }
      return state.method
    }
    get url() {
      this.#state ??= newState()
      const state = this.#state
      if (state.url === undefined) {
        state.url = requestUrl(this.#vars)
        lib.lastUrl = state.url
      }
      return state.url
    }
    get headers() {
      this.#state ??= newState()
      this.#state.headers ??= new Headers(adopt, undefined, this.#vars)
      return this.#state.headers
    }
    /** Aborts when the client leaves before it has its answer, and when the time for that is over. */
    get signal() {
      this.#state ??= newState()
      if (this.#state.signal === undefined) {
        const signal = lib.newSignal()
        this.#state.signal = signal
        if (this.#vars !== undefined) watch(requestBreaks(this.#id), signal)
      }
      return this.#state.signal
    }
    get redirect() {
      return 'follow'
    }
    get mode() {
      return 'cors'
    }
    get credentials() {
      return 'same-origin'
    }
    get cache() {
      return 'default'
    }
    get destination() {
      return ''
    }
    get referrer() {
      return 'about:client'
    }
    get referrerPolicy() {
      return ''
    }
    get integrity() {
      return ''
    }
    get keepalive() {
      return false
    }
    get duplex() {
      return 'half'
    }
    clone() {
      const box = boxOf(this)
      const second = box === null ? null : cloneBox(box)
      const copy = new Request(this.url, { method: this.method, headers: this.headers, signal: this.signal })
      setBox(copy, second)
      return copy
    }
  }
  const { is, state: stateOf, box: boxOf, setBox } = Request
  delete Request.is
  delete Request.state
  delete Request.box
  delete Request.setBox
  newState = () => ({
    __proto__: null,
    method: 'GET',
    wireMethod: undefined,
    url: undefined,
    headers: undefined,
    box: undefined,
    signal: undefined,
  })
  addBody(Request, boxOf, (request) => request.headers.get('content-type'))
  lib.tag(Request, 'Request')
  lib.global('Request', Request)

  P.ArrayPush(lib.kinds, {
    is,
    show: (request, show) => `Request { method: ${show(request.method)}, url: ${show(request.url)} }`,
  })

  lib.newRequest = (vars, id) => new Request(wire, vars, id)
  /** Aborts the signal of a request if anybody has asked for it. */
  lib.abortRequest = (request, reason) => {
    const signal = stateOf(request)?.signal
    if (signal !== undefined) lib.abortSignal(signal, reason)
  }
}
