// ReadableStream with its default reader and controller (WHATWG Streams). Byte sources (`type: 'bytes'`) are accepted and
// deliver Uint8Arrays; BYOB readers are refused. Invariant: a stream's queue, its reader's waiting reads and its state
// agree: reads wait only while the queue is empty and the stream is readable.
;(_host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayPush, ArrayShift, PromiseReject, PromiseResolve, PromiseThen, PromiseWithResolvers } = P

  const ignore = () => {}
  /** Marks a promise as looked after: its rejection is reported by whoever else holds it, or by nobody. */
  const quiet = (promise) => {
    PromiseThen(promise, undefined, ignore)
    return promise
  }
  const done = () => ({ value: undefined, done: true })

  /** `{ highWaterMark, size }` of a queuing strategy, checked. */
  const strategyOf = (strategy, defaultMark) => {
    const mark = strategy?.highWaterMark
    const highWaterMark = mark === undefined ? defaultMark : +mark
    if (!(highWaterMark >= 0)) throw new RangeError('highWaterMark must be a number of 0 or more')
    const size = strategy?.size
    if (size !== undefined && typeof size !== 'function') throw new TypeError("a strategy's size must be a function")
    return { __proto__: null, highWaterMark, size }
  }

  const internal = { __proto__: null }
  let stateOf

  class ReadableStreamDefaultController {
    #stream
    constructor(key, stream) {
      if (key !== internal) throw new TypeError('Illegal constructor')
      this.#stream = stream
    }
    get desiredSize() {
      return desiredSize(this.#stream)
    }
    // Byte sources that would fill the reader's own buffer find none.
    get byobRequest() {
      return null
    }
    enqueue(chunk) {
      const stream = this.#stream
      if (stream.closeRequested || stream.state !== 'readable') throw new TypeError('the stream takes no more chunks')
      let value = chunk
      if (stream.isBytes) {
        const view = lib.bytes.viewOf(chunk)
        if (view === undefined || P.TypedArrayLength(view) === 0) throw new TypeError('a byte stream takes non-empty views')
        value = view
      }
      enqueue(stream, value)
    }
    close() {
      const stream = this.#stream
      if (stream.closeRequested || stream.state !== 'readable') throw new TypeError('the stream is closed already')
      stream.closeRequested = true
      if (stream.queue.length === 0) finish(stream)
    }
    error(reason = undefined) {
      fail(this.#stream, reason)
    }
  }
  lib.tag(ReadableStreamDefaultController, 'ReadableStreamDefaultController')

  const desiredSize = (stream) =>
    stream.state === 'errored' ? null : stream.state === 'closed' ? 0 : stream.strategy.highWaterMark - stream.queueSize

  const enqueue = (stream, chunk) => {
    if (stream.reads.length > 0) {
      ArrayShift(stream.reads).resolve({ value: chunk, done: false })
    } else {
      let size = 1
      try {
        if (stream.strategy.size !== undefined) {
          const measure = stream.strategy.size
          size = +measure(chunk)
          if (!(size >= 0 && size < Infinity)) throw new RangeError("a chunk's size must be a finite number of 0 or more")
        } else if (stream.isBytes) size = P.TypedArrayLength(chunk)
      } catch (error) {
        fail(stream, error)
        throw error
      }
      ArrayPush(stream.queue, { __proto__: null, chunk, size })
      stream.queueSize += size
    }
    pull(stream)
  }

  const finish = (stream) => {
    stream.state = 'closed'
    stream.source = undefined
    const reads = stream.reads
    stream.reads = []
    for (let index = 0; index < reads.length; index += 1) reads[index].resolve(done())
    stream.reader?.closed.resolve(undefined)
  }

  const fail = (stream, reason) => {
    if (stream.state !== 'readable') return
    stream.state = 'errored'
    stream.error = reason
    stream.queue = []
    stream.queueSize = 0
    stream.source = undefined
    const reads = stream.reads
    stream.reads = []
    for (let index = 0; index < reads.length; index += 1) reads[index].reject(reason)
    if (stream.reader !== undefined) {
      quiet(stream.reader.closed.promise)
      stream.reader.closed.reject(reason)
    }
  }

  // Asks the source for more while there is room or somebody waits; one pull at a time.
  const pull = (stream) => {
    if (stream.state !== 'readable' || stream.closeRequested || !stream.started) return
    if (stream.reads.length === 0 && desiredSize(stream) <= 0) return
    if (stream.pulling) {
      stream.pullAgain = true
      return
    }
    const source = stream.source
    if (source.pull === undefined) return
    stream.pulling = true
    let result
    try {
      result = PromiseResolve(P.apply(source.pull, source.self, [stream.controller]))
    } catch (error) {
      result = PromiseReject(error)
    }
    PromiseThen(
      result,
      () => {
        stream.pulling = false
        if (stream.pullAgain) {
          stream.pullAgain = false
          pull(stream)
        }
      },
      (error) => fail(stream, error),
    )
  }

  const read = (stream) => {
    stream.disturbed = true
    if (stream.queue.length > 0) {
      const { chunk, size } = ArrayShift(stream.queue)
      stream.queueSize -= size
      if (stream.closeRequested && stream.queue.length === 0) finish(stream)
      else pull(stream)
      return PromiseResolve({ value: chunk, done: false })
    }
    if (stream.state === 'closed') return PromiseResolve(done())
    if (stream.state === 'errored') return PromiseReject(stream.error)
    const waiting = PromiseWithResolvers()
    ArrayPush(stream.reads, waiting)
    pull(stream)
    return waiting.promise
  }

  const cancel = (stream, reason) => {
    stream.disturbed = true
    if (stream.state === 'closed') return PromiseResolve(undefined)
    if (stream.state === 'errored') return PromiseReject(stream.error)
    const source = stream.source
    stream.queue = []
    stream.queueSize = 0
    finish(stream)
    try {
      const result = source.cancel === undefined ? undefined : P.apply(source.cancel, source.self, [reason])
      return PromiseThen(PromiseResolve(result), ignore)
    } catch (error) {
      return PromiseReject(error)
    }
  }

  const takeReader = (stream) => {
    if (stream.reader !== undefined) throw new TypeError('the stream is locked to a reader')
    const closed = PromiseWithResolvers()
    const reader = { __proto__: null, closed, stream }
    stream.reader = reader
    if (stream.state === 'closed') closed.resolve(undefined)
    else if (stream.state === 'errored') {
      quiet(closed.promise)
      closed.reject(stream.error)
    }
    return reader
  }

  const releaseReader = (reader) => {
    const stream = reader.stream
    if (stream === undefined) return
    const reason = new TypeError('the reader was released')
    const reads = stream.reads
    stream.reads = []
    for (let index = 0; index < reads.length; index += 1) reads[index].reject(reason)
    if (stream.state !== 'readable') reader.closed = PromiseWithResolvers()
    quiet(reader.closed.promise)
    reader.closed.reject(reason)
    stream.reader = undefined
    reader.stream = undefined
  }

  class ReadableStreamDefaultReader {
    #reader
    constructor(stream) {
      this.#reader = takeReader(stateOf(stream))
    }
    get closed() {
      return this.#reader.closed.promise
    }
    read() {
      const stream = this.#reader.stream
      return stream === undefined ? PromiseReject(new TypeError('the reader was released')) : read(stream)
    }
    cancel(reason = undefined) {
      const stream = this.#reader.stream
      return stream === undefined ? PromiseReject(new TypeError('the reader was released')) : cancel(stream, reason)
    }
    releaseLock() {
      releaseReader(this.#reader)
    }
  }
  lib.tag(ReadableStreamDefaultReader, 'ReadableStreamDefaultReader')

  /** Starts a stream's source; `source` has start, pull and cancel, called on `self`. */
  const begin = (stream, source, strategy, isBytes) => {
    stream.source = source
    stream.strategy = strategy
    stream.isBytes = isBytes
    stream.controller = new ReadableStreamDefaultController(internal, stream)
    const started = source.start === undefined ? undefined : P.apply(source.start, source.self, [stream.controller])
    PromiseThen(
      PromiseResolve(started),
      () => {
        stream.started = true
        pull(stream)
      },
      (error) => fail(stream, error),
    )
  }

  const newState = () => ({
    __proto__: null,
    state: 'readable',
    queue: [],
    queueSize: 0,
    reads: [],
    reader: undefined,
    source: undefined,
    strategy: undefined,
    controller: undefined,
    isBytes: false,
    started: false,
    pulling: false,
    pullAgain: false,
    closeRequested: false,
    disturbed: false,
    error: undefined,
  })

  const methodOf = (source, name) => {
    const method = source[name]
    if (method !== undefined && typeof method !== 'function') throw new TypeError(`a source's ${name} must be a function`)
    return method
  }

  class ReadableStream {
    #state = newState()

    constructor(source = undefined, strategy = undefined) {
      if (source === internal) {
        // The glue's own sources: checked already, and their start runs here as well.
        begin(this.#state, strategy, strategy.strategy, strategy.isBytes === true)
        return
      }
      const given = source ?? {}
      if (typeof given !== 'object' && typeof given !== 'function') throw new TypeError('a source must be an object')
      const isBytes = given.type !== undefined && `${given.type}` === 'bytes'
      if (given.type !== undefined && !isBytes) throw new RangeError(`unknown type of source: ${given.type}`)
      const methods = {
        __proto__: null,
        self: given,
        start: methodOf(given, 'start'),
        pull: methodOf(given, 'pull'),
        cancel: methodOf(given, 'cancel'),
      }
      begin(this.#state, methods, strategyOf(strategy, isBytes ? 0 : 1), isBytes)
    }
    static from(iterable) {
      return lib.pipes.fromIterable(iterable)
    }
    static state(stream) {
      if (typeof stream !== 'object' || stream === null || !(#state in stream)) throw new TypeError('not a ReadableStream')
      return stream.#state
    }
    static is(value) {
      return typeof value === 'object' && value !== null && #state in value
    }
    get locked() {
      return this.#state.reader !== undefined
    }
    cancel(reason = undefined) {
      if (this.locked) return PromiseReject(new TypeError('the stream is locked to a reader'))
      return cancel(this.#state, reason)
    }
    getReader(options = undefined) {
      if (options?.mode !== undefined) throw new TypeError('this stream has default readers only')
      return new ReadableStreamDefaultReader(this)
    }
    tee() {
      return lib.pipes.tee(this.#state)
    }
    pipeTo(destination, options = undefined) {
      return lib.pipes.pipe(this, destination, options)
    }
    pipeThrough(transform, options = undefined) {
      quiet(lib.pipes.pipe(this, transform.writable, options))
      return transform.readable
    }
    values(options = undefined) {
      return lib.pipes.iterate(takeReader(this.#state), Boolean(options?.preventCancel))
    }
  }
  stateOf = ReadableStream.state
  const isStream = ReadableStream.is
  delete ReadableStream.state
  delete ReadableStream.is
  ReadableStream.prototype[Symbol.asyncIterator] = ReadableStream.prototype.values
  lib.tag(ReadableStream, 'ReadableStream')

  lib.streams = {
    __proto__: null,
    isStream,
    stateOf,
    takeReader,
    releaseReader,
    read,
    cancel,
    fail,
    quiet,
    strategyOf,
    done,
    ignore,
    /** A stream over the glue's own source: `{ start, pull, cancel, strategy, isBytes }`. */
    create: (source) => new ReadableStream(internal, source),
    defaultStrategy: (mark) => strategyOf(undefined, mark),
  }

  P.ArrayPush(lib.kinds, { is: isStream, show: (stream) => `ReadableStream { locked: ${stream.locked} }` })
  P.ArrayPush(lib.bodyKinds, (init) => {
    if (!isStream(init)) return undefined
    const state = stateOf(init)
    if (state.disturbed || state.reader !== undefined) throw new TypeError('the stream was used or is locked')
    return { stream: init }
  })
  return { __proto__: null, ReadableStream, ReadableStreamDefaultReader, ReadableStreamDefaultController }
}
