// Response (WHATWG Fetch), and how one leaves the guest: status, head and a body that is here in one call of the host, a
// stream chunk by chunk.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { respond, respondHead, write, finish } = host
  const { adopt, listOf, unwire, wire, wireOf } = lib.headers
  const { addBody, cloneBox, extract, isUnusable, newBox, streamOf, textType } = lib.body
  const { Headers } = globalThis

  const textHead = `Content-Type\0${textType}`

  const statusOf = (value) => {
    const status = +value
    if (!(P.NumberIsInteger(status) && status >= 200 && status <= 599)) {
      throw new RangeError(`a response's status must be a whole number from 200 to 599, not ${lib.inspectNested(value)}`)
    }
    return status | 0
  }
  const reasonOf = (value) => {
    const clean = host.headerValue(`${value}`)
    if (clean === false) throw new TypeError('statusText holds a character that HTTP does not allow')
    return clean ?? `${value}`
  }
  /** The head of a response that was given no headers: the type of its body. */
  const typeHead = (body) => {
    if (typeof body === 'string') return textHead
    return body === null || body.type === undefined ? '' : `Content-Type\0${body.type}`
  }
  const isNullStatus = (status) => status === 204 || status === 205 || status === 304

  class Response {
    #status
    // A text that nobody has read yet, a box, or null.
    #body
    // undefined: what goes with the body and nothing else; the wire form; or Headers.
    #headers
    #reason

    constructor(body = null, init = undefined) {
      let type
      if (typeof body === 'string') {
        this.#body = body
        type = textType
      } else if (body === null) this.#body = null
      else {
        this.#body = extract(body)
        type = this.#body.type
      }
      if (init === undefined || init === null) {
        this.#status = 200
        return
      }
      const { status, statusText, headers } = init
      this.#status = status === undefined || status === 200 ? 200 : statusOf(status)
      if (statusText !== undefined && statusText !== '') this.#reason = reasonOf(statusText)
      if (body !== null && isNullStatus(this.#status)) {
        throw new TypeError(`a response with status ${this.#status} has no body`)
      }
      if (headers !== undefined && headers !== null) this.#headers = wireOf(headers, type)
    }
    static json(data, init = undefined) {
      const text = P.JSONStringify(data)
      if (text === undefined) throw new TypeError('the data has no JSON form')
      const response = new Response(text, { status: init?.status, statusText: init?.statusText })
      response.#headers = wireOf(init?.headers ?? {}, 'application/json')
      return response
    }
    static redirect(url, status = 302) {
      const location = host.parseUrl(`${url}`)
      if (location === undefined) throw new TypeError(`Invalid URL: ${url}`)
      if (status !== 301 && status !== 302 && status !== 303 && status !== 307 && status !== 308) {
        throw new RangeError(`${lib.inspectNested(status)} is not the status of a redirect`)
      }
      return new Response(null, { status, headers: { Location: location } })
    }
    static error() {
      const response = new Response(null)
      response.#status = 0
      return response
    }
    static is(value) {
      return typeof value === 'object' && value !== null && #status in value
    }
    static box(response) {
      if (typeof response.#body === 'string') response.#body = newBox(response.#body, textType, undefined, 0)
      return response.#body
    }
    static send(response, id, request) {
      const headers = response.#headers
      const body = response.#body
      const status = response.#status
      if (headers === undefined && typeof body === 'string') {
        respond(id, status, response.#reason, textHead, body)
        return
      }
      if (status === 0) throw new TypeError('the handler returned Response.error()')
      const head = typeof headers === 'string' ? headers : headers === undefined ? typeHead(body) : wire(listOf(headers))
      if (body === null || typeof body === 'string') {
        respond(id, status, response.#reason, head, body === null ? '' : body)
        return
      }
      if (isUnusable(body)) throw new TypeError("the response's body was used already")
      if (body.stream === undefined && body.wire === 0) {
        respond(id, status, response.#reason, head, body.source)
        return
      }
      const stream = lib.streams.stateOf(streamOf(body))
      body.used = true
      const reader = lib.streams.takeReader(stream)
      // All of it is here already: it needs no turns of the job queue.
      if (stream.closeRequested || stream.state === 'closed') {
        respond(id, status, response.#reason, head, takeAll(stream))
        return
      }
      respondHead(id, status, response.#reason, head)
      lib.streams.quiet(pump(id, stream, reader, request))
    }
    get status() {
      return this.#status
    }
    get statusText() {
      return this.#reason ?? ''
    }
    get ok() {
      return this.#status >= 200 && this.#status <= 299
    }
    get type() {
      return this.#status === 0 ? 'error' : 'default'
    }
    get url() {
      return ''
    }
    get redirected() {
      return false
    }
    get headers() {
      const headers = this.#headers
      if (typeof headers === 'object') return headers
      this.#headers = new Headers(adopt, unwire(headers ?? typeHead(this.#body)))
      return this.#headers
    }
    clone() {
      const box = boxOf(this)
      const copy = new Response(null)
      copy.#status = this.#status
      copy.#reason = this.#reason
      copy.#headers = wire(listOf(this.headers))
      copy.#body = box === null ? null : cloneBox(box)
      return copy
    }
  }
  const { is: isResponse, box: boxOf, send } = Response
  delete Response.is
  delete Response.box
  delete Response.send
  addBody(Response, boxOf, (response) => response.headers.get('content-type'))
  lib.tag(Response, 'Response')
  lib.global('Response', Response)
  P.ArrayPush(lib.kinds, {
    is: isResponse,
    show: (response, show) => `Response { status: ${response.status}, headers: ${show(response.headers)} }`,
  })
  lib.isResponse = isResponse
  lib.sendResponse = send

  const chunkOf = (value) => {
    const view = typeof value === 'string' ? lib.utf8(value) : lib.bytes.viewOf(value)
    if (view === undefined) throw new TypeError(`a response stream must deliver bytes or text, not ${lib.inspectNested(value)}`)
    return view
  }

  const takeAll = (stream) => {
    const parts = []
    let length = 0
    for (let index = 0; index < stream.queue.length; index += 1) {
      parts[index] = chunkOf(stream.queue[index].chunk)
      length += P.TypedArrayLength(parts[index])
    }
    stream.queue = []
    stream.disturbed = true
    return lib.bytes.join(parts, length)
  }

  const pump = async (id, stream, reader, request) => {
    const { read, cancel, releaseReader, quiet } = lib.streams
    try {
      for (;;) {
        const { done, value } = await read(stream)
        if (done) break
        const view = chunkOf(value)
        const isThere = await write(id, view)
        if (!isThere) {
          const gone = new lib.DOMException('the client is gone', 'AbortError')
          lib.abortRequest(request, gone)
          await cancel(stream, gone)
          break
        }
      }
      finish(id)
    } catch (error) {
      quiet(cancel(stream, error))
      host.fail(id, lib.describe(error))
    } finally {
      releaseReader(reader)
    }
  }
}
