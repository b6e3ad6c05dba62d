// Requests for JSGI 3 apps (http://wiki.commonjs.org/wiki/JSGI/Level0/A/Draft2): an object in, `{ status, headers, body }`
// out, or a promise of it. Properties of the request are read from the packet when first asked for, and may be set.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayPush, PromiseResolve, PromiseThen, TypedArrayLength, Uint8Array } = P
  const { bodyReadSync, fail, finish, promiseResult, promiseState, respond, respondHead, write, writeSync } = host
  const { requestHeaders, requestScheme, requestVar } = host

  const readSize = 65536
  // Chunks up to this many bytes in all go out with the head in one message.
  const gatherSize = 32768

  class Input {
    #id
    constructor(id) {
      this.#id = id
    }
    /** At most `max` bytes, all that is left without it; none at the end. Waits for the client. */
    read(max = undefined) {
      if (max !== undefined) {
        const size = +max
        if (!(size >= 0)) throw new TypeError('read() takes a number of bytes')
        return lib.toUwsgiBytes(bodyReadSync(this.#id, size > 0x7fffffff ? 0x7fffffff : size | 0))
      }
      const parts = []
      let length = 0
      for (;;) {
        const part = new Uint8Array(bodyReadSync(this.#id, readSize))
        if (TypedArrayLength(part) === 0) return lib.toUwsgiBytes(lib.bytes.bufferOf(lib.bytes.join(parts, length)))
        ArrayPush(parts, part)
        length += TypedArrayLength(part)
      }
    }
    forEach(callback, self = undefined) {
      for (;;) {
        const part = lib.toUwsgiBytes(bodyReadSync(this.#id, readSize))
        if (TypedArrayLength(part) === 0) return
        P.apply(callback, self, [part])
      }
    }
    text() {
      return lib.fromUtf8(lib.bytes.viewOf(this.read()))
    }
  }

  // A guest could read the body of any request with an Input of its own making.
  Input.prototype.constructor = Object

  const jsgi = P.ObjectFreeze({
    version: P.ObjectFreeze([0, 3]),
    errors: P.ObjectFreeze({ print: (text) => host.log(`${text}`), write: (text) => host.log(`${text}`) }),
    multithread: false,
    multiprocess: true,
    runOnce: false,
    async: true,
    cgi: false,
    ext: P.ObjectFreeze({}),
  })

  const variable = (name) => (packet) => requestVar(packet, name) ?? ''

  // How each property is read from the packet; `input` needs the request's number too.
  const readers = {
    __proto__: null,
    method: variable('REQUEST_METHOD'),
    scriptName: variable('SCRIPT_NAME'),
    pathInfo: variable('PATH_INFO'),
    queryString: variable('QUERY_STRING'),
    scheme: requestScheme,
    host: (packet) => {
      const host = requestVar(packet, 'HTTP_HOST') || requestVar(packet, 'SERVER_NAME') || ''
      const colon = P.StringLastIndexOf(host, ':')
      return colon > P.StringLastIndexOf(host, ']') ? P.StringSlice(host, 0, colon) : host
    },
    port: (packet) => requestVar(packet, 'SERVER_PORT') || (requestScheme(packet) === 'https' ? '443' : '80'),
    remoteAddr: variable('REMOTE_ADDR'),
    remoteUser: variable('REMOTE_USER'),
    serverSoftware: () => 'polywsgi',
    version: (packet) => {
      const protocol = requestVar(packet, 'SERVER_PROTOCOL') ?? 'HTTP/1.1'
      return P.StringSplit(P.StringSlice(protocol, P.StringIndexOf(protocol, '/') + 1), '.')
    },
    headers: (packet) => {
      const list = requestHeaders(packet)
      const headers = {}
      for (let at = 0; at < list.length; at += 2) headers[list[at]] = list[at + 1]
      return headers
    },
    env: (packet) => lib.varsObject(packet),
    input: (_packet, id) => new Input(id),
    jsgi: () => jsgi,
  }

  class JsgiRequest {
    #packet
    #id
    constructor(packet, id) {
      this.#packet = packet
      this.#id = id
    }
    static read(request, reader) {
      return reader(request.#packet, request.#id)
    }
  }
  const readProperty = JsgiRequest.read
  delete JsgiRequest.read
  JsgiRequest.prototype.constructor = Object

  const own = (request, name, value) => {
    P.ObjectDefineProperty(request, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true })
    return value
  }
  // Enumerable, so that `for (const name in request)` shows what there is.
  const names = P.ObjectKeys(readers)
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index]
    const reader = readers[name]
    P.ObjectDefineProperty(JsgiRequest.prototype, name, {
      __proto__: null,
      get() {
        return own(this, name, readProperty(this, reader))
      },
      set(value) {
        own(this, name, value)
      },
      enumerable: true,
      configurable: true,
    })
  }

  const chunkOf = (value) => {
    const view = typeof value === 'string' ? lib.utf8(value) : lib.bytes.viewOf(value)
    if (view === undefined) throw new TypeError(`a body must deliver text or bytes, not ${lib.inspectNested(value)}`)
    return view
  }

  const headOf = (headers) => {
    const list = []
    if (headers !== undefined && headers !== null) {
      if (typeof headers !== 'object') throw new TypeError('the headers of a JSGI response are an object')
      const names = P.ObjectKeys(headers)
      for (let index = 0; index < names.length; index += 1) {
        const value = headers[names[index]]
        if (P.ArrayIsArray(value)) {
          for (let at = 0; at < value.length; at += 1) lib.headers.append(list, names[index], value[at])
        } else lib.headers.append(list, names[index], value)
      }
    }
    return lib.headers.wire(list)
  }

  // Gathers what a body pushes, and begins to send when it becomes much or the body goes on later. While the body is asked for it
  // the client is waited for; one that goes on later gets a promise to wait for, and keeps no other handler waiting.
  const newWriter = (id, status, head) => {
    let parts = []
    let length = 0
    let begun = false
    // The last chunk under way, once the body goes on later.
    let last
    const begin = () => {
      if (!begun) respondHead(id, status, undefined, head)
      begun = true
    }
    const flush = () => {
      begin()
      if (length > 0) writeSync(id, lib.bytes.join(parts, length))
      parts = []
      length = 0
    }
    return {
      __proto__: null,
      write: (value) => {
        const view = chunkOf(value)
        const chunk = typeof value === 'string' ? view : lib.bytes.copyOf(view)
        if (last !== undefined) {
          last = PromiseThen(last, () => write(id, chunk))
          return last
        }
        ArrayPush(parts, chunk)
        length += TypedArrayLength(view)
        if (begun || length > gatherSize) flush()
      },
      goOn: () => {
        begin()
        last = length > 0 ? write(id, lib.bytes.join(parts, length)) : PromiseResolve(true)
      },
      end: () => {
        if (!begun) respond(id, status, undefined, head, lib.bytes.join(parts, length))
        else finish(id)
      },
      sent: () => last,
    }
  }

  const sendBody = (id, status, head, body) => {
    const writer = newWriter(id, status, head)
    if (typeof body !== 'object' || typeof body.forEach !== 'function') {
      throw new TypeError(`the body of a JSGI response is text, bytes or has forEach, not ${lib.inspectNested(body)}`)
    }
    const result = body.forEach(writer.write)
    if (typeof result !== 'object' || result === null || typeof result.then !== 'function') {
      writer.end()
      return
    }
    // The body goes on: what it has said so far must not wait for the rest.
    writer.goOn()
    const done = PromiseThen(PromiseResolve(result), writer.sent)
    PromiseThen(done, writer.end, (error) => fail(id, lib.describe(error)))
  }

  const isAllText = (list) => {
    for (let index = 0; index < list.length; index += 1) if (typeof list[index] !== 'string') return false
    return true
  }

  const answer = (id, response) => {
    try {
      if (typeof response !== 'object' || response === null || response.status === undefined) {
        throw new TypeError(`a JSGI app returns { status, headers, body }, not ${lib.inspectNested(response)}`)
      }
      const status = +response.status
      if (!(P.NumberIsInteger(status) && status >= 100 && status <= 999)) {
        throw new TypeError(
          `the status of a JSGI response is a number of three digits, not ${lib.inspectNested(response.status)}`,
        )
      }
      const head = headOf(response.headers)
      const { body } = response
      if (typeof body === 'string') respond(id, status, undefined, head, body)
      else if (body === undefined || body === null) respond(id, status, undefined, head, '')
      else if (P.ArrayIsArray(body) && isAllText(body)) respond(id, status, undefined, head, P.ArrayJoin(body, ''))
      else if (P.TypedArrayName(body) === 'Uint8Array') respond(id, status, undefined, head, lib.bytes.viewOf(body))
      else sendBody(id, status, head, body)
    } catch (error) {
      fail(id, lib.describe(error))
    }
  }

  const apps = []
  lib.addJsgiApp = (handler) => {
    apps[apps.length] = handler
    return apps.length - 1
  }

  lib.entries.dispatchJsgi = (index, id, packet) => {
    const handler = apps[index]
    let result
    try {
      result = handler(new JsgiRequest(packet, id))
    } catch (error) {
      fail(id, lib.describe(error))
      return
    }
    const state = typeof result === 'object' && result !== null ? promiseState(result) : -1
    if (state === 1) answer(id, promiseResult(result))
    else if (state >= 0 || (state === -1 && typeof result?.then === 'function')) {
      PromiseThen(
        PromiseResolve(result),
        (response) => answer(id, response),
        (error) => fail(id, lib.describe(error)),
      )
    } else answer(id, result)
  }
}
