// Bodies of requests and responses (WHATWG Fetch, "body mixin"): where the bytes are, and reading them once.
// Invariant: a box whose content was given out is `used`; its content is then never read a second time.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayPush, JSONParse, PromiseReject, PromiseResolve, PromiseThen, TypedArrayLength, Uint8Array } = P
  const { bodyLength, bodyRead, bodyText, bodyWhole } = host
  const { viewOf, copyOf, join, bufferOf } = lib.bytes

  const readSize = 65536

  /** `source`: text or bytes that are here; `stream`: they come; `wire`: number of the request whose body it is. */
  const newBox = (source, type, stream, wire) => ({ __proto__: null, source, type, stream, wire, used: false })

  const textType = 'text/plain;charset=UTF-8'

  /**
   * How objects become bodies: each file that defines such a class adds a function from a value to `{ source, type }` or
   * `{ stream }`, or undefined for values of other classes.
   */
  lib.bodyKinds = []

  /** The box of what a program gives as a body. */
  const extract = (init) => {
    if (typeof init === 'object') {
      const view = viewOf(init)
      if (view !== undefined) return newBox(copyOf(view), undefined, undefined, 0)
      for (let index = 0; index < lib.bodyKinds.length; index += 1) {
        const made = lib.bodyKinds[index](init)
        if (made !== undefined) return newBox(made.source, made.type, made.stream, 0)
      }
      if (init[Symbol.asyncIterator] !== undefined) {
        return newBox(undefined, undefined, lib.pipes.fromIterable(init), 0)
      }
    }
    return newBox(`${init}`, textType, undefined, 0)
  }

  const isUsed = (box) => box.used || (box.stream !== undefined && lib.streams.stateOf(box.stream).disturbed)
  const isUnusable = (box) => isUsed(box) || (box.stream !== undefined && lib.streams.stateOf(box.stream).reader !== undefined)

  const wireRead = (id) => bodyRead(id, readSize)

  const readStream = async (stream) => {
    const { stateOf, takeReader, releaseReader, read } = lib.streams
    const state = stateOf(stream)
    const reader = takeReader(state)
    try {
      const parts = []
      let length = 0
      for (;;) {
        const { done, value } = await read(state)
        if (done) return join(parts, length)
        const view = typeof value === 'string' ? lib.utf8(value) : viewOf(value)
        if (view === undefined) throw new TypeError('a body stream must deliver bytes')
        ArrayPush(parts, view)
        length += TypedArrayLength(view)
      }
    } finally {
      releaseReader(reader)
    }
  }

  const readWire = async (id) => {
    const parts = []
    let length = 0
    for (;;) {
      const part = new Uint8Array(await wireRead(id))
      if (TypedArrayLength(part) === 0) return join(parts, length)
      ArrayPush(parts, part)
      length += TypedArrayLength(part)
    }
  }

  /** The whole text when it is here already, else undefined. Leaves the marking as used to the caller. */
  const textNow = (box) => {
    if (box.stream !== undefined) return undefined
    if (box.wire !== 0) return bodyText(box.wire)
    return typeof box.source === 'string' ? P.StringToWellFormed(box.source) : lib.fromUtf8(box.source)
  }

  const bytesNow = (box) => {
    if (box.stream !== undefined) return undefined
    if (box.wire !== 0) {
      const whole = bodyWhole(box.wire)
      return whole === undefined ? undefined : new Uint8Array(whole)
    }
    return typeof box.source === 'string' ? lib.utf8(box.source) : copyOf(box.source)
  }

  const bytesLater = (box) => (box.stream !== undefined ? readStream(box.stream) : readWire(box.wire))

  // Reads the box of `owner` once. `now` gives its content when it is here, `convert` makes the result of content, `later` turns bytes
  // into content. A box of null has an empty body, which can be read any number of times.
  const consume = (owner, boxOf, now, later, empty, convert) => {
    try {
      const box = boxOf(owner)
      if (box === null) return PromiseResolve(convert(empty()))
      if (isUnusable(box)) return PromiseReject(new TypeError('the body was used already'))
      box.used = true
      const content = now(box)
      if (content !== undefined) return PromiseResolve(convert(content))
      return PromiseThen(bytesLater(box), (bytes) => convert(later(bytes)))
    } catch (error) {
      return PromiseReject(error)
    }
  }

  const same = (value) => value
  const noText = () => ''
  const noBytes = () => new Uint8Array(0)
  const consumeText = (owner, boxOf, convert) => consume(owner, boxOf, textNow, lib.fromUtf8, noText, convert)
  const consumeBytes = (owner, boxOf, convert) => consume(owner, boxOf, bytesNow, same, noBytes, convert)
  const parseJson = (text) => JSONParse(text)

  const streamOf = (box) => {
    if (box.stream !== undefined) return box.stream
    if (box.wire !== 0 && !box.used) {
      box.stream = lib.streams.create({
        __proto__: null,
        isBytes: true,
        strategy: lib.streams.defaultStrategy(0),
        pull: async (controller) => {
          const part = new Uint8Array(await wireRead(box.wire))
          if (TypedArrayLength(part) === 0) controller.close()
          else controller.enqueue(part)
        },
      })
    } else {
      const { used } = box
      box.stream = lib.streams.create({
        __proto__: null,
        isBytes: true,
        strategy: lib.streams.defaultStrategy(0),
        start: (controller) => {
          const bytes = used ? noBytes() : bytesNow(box)
          if (TypedArrayLength(bytes) > 0) controller.enqueue(bytes)
          controller.close()
        },
      })
      if (used) lib.streams.stateOf(box.stream).disturbed = true
    }
    return box.stream
  }

  /** A second box with the same content (fetch's "clone"). The first one stays usable. */
  const cloneBox = (box) => {
    if (isUnusable(box)) throw new TypeError('the body was used already')
    if (box.wire !== 0 && box.stream === undefined) {
      const whole = bodyWhole(box.wire)
      if (whole !== undefined) {
        box.source = new Uint8Array(whole)
        box.wire = 0
      }
    }
    if (box.wire === 0 && box.stream === undefined) return newBox(box.source, box.type, undefined, 0)
    const branches = streamOf(box).tee()
    box.stream = branches[0]
    return newBox(undefined, box.type, branches[1], 0)
  }

  /** Gives a class its body methods; `boxOf` finds the box (null: no body), `typeOf` the content type. */
  const addBody = (constructor, boxOf, typeOf) => {
    const methods = {
      get body() {
        const box = boxOf(this)
        return box === null ? null : streamOf(box)
      },
      get bodyUsed() {
        const box = boxOf(this)
        return box !== null && isUsed(box)
      },
      text() {
        return consumeText(this, boxOf, same)
      },
      json() {
        return consumeText(this, boxOf, parseJson)
      },
      bytes() {
        return consumeBytes(this, boxOf, same)
      },
      arrayBuffer() {
        return consumeBytes(this, boxOf, bufferOf)
      },
      blob() {
        return consumeBytes(this, boxOf, (bytes) => lib.newBlob(bytes, typeOf(this) ?? ''))
      },
      formData() {
        return consumeBytes(this, boxOf, (bytes) => lib.parseForm(bytes, typeOf(this) ?? ''))
      },
    }
    const names = P.ObjectKeys(methods)
    for (let index = 0; index < names.length; index += 1) {
      const descriptor = P.ObjectGetOwnPropertyDescriptor(methods, names[index])
      P.ObjectDefineProperty(constructor.prototype, names[index], descriptor)
    }
  }

  lib.body = {
    __proto__: null,
    newBox,
    extract,
    textType,
    addBody,
    cloneBox,
    isUsed,
    isUnusable,
    streamOf,
    /** Box of a request that came over the wire; null when it has no body. */
    wireBox: (id) => (bodyLength(id) === 0 ? null : newBox(undefined, undefined, undefined, id)),
  }
}
