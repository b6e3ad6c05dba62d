// WritableStream (WHATWG Streams). Runs only in programs that name a class of it or of the transform streams.
// Invariant: a sink gets one chunk at a time, in the order written, and nothing after an error.
;(_host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayPush, ArrayShift, PromiseReject, PromiseResolve, PromiseThen, PromiseWithResolvers } = P
  const { ignore, quiet, strategyOf } = lib.streams

  const settle = (call) => {
    try {
      return PromiseResolve(call())
    } catch (error) {
      return PromiseReject(error)
    }
  }

  const internal = { __proto__: null }

  class WritableStreamDefaultController {
    #stream
    #abort
    constructor(key, stream) {
      if (key !== internal) throw new TypeError('Illegal constructor')
      this.#stream = stream
    }
    get signal() {
      this.#abort ??= new lib.AbortController()
      return this.#abort.signal
    }
    error(reason = undefined) {
      breakDown(this.#stream, reason)
    }
    static abort(controller, reason) {
      controller.#abort?.abort(reason)
    }
  }
  const abortSignal = WritableStreamDefaultController.abort
  delete WritableStreamDefaultController.abort

  const desiredSize = (stream) =>
    stream.state === 'errored' ? null : stream.state === 'closed' ? 0 : stream.strategy.highWaterMark - stream.queueSize

  // `ready` is a new promise whenever room runs out, and resolves when there is some again.
  const updateReady = (stream) => {
    const full = stream.state === 'writable' && !stream.closing && desiredSize(stream) <= 0
    if (full && !stream.full) stream.ready = PromiseWithResolvers()
    if (!full && stream.full) stream.ready.resolve(undefined)
    stream.full = full
  }

  const breakDown = (stream, reason) => {
    if (stream.state !== 'writable') return
    stream.state = 'errored'
    stream.error = reason
    const queue = stream.queue
    stream.queue = []
    stream.queueSize = 0
    for (let index = 0; index < queue.length; index += 1) {
      quiet(queue[index].written.promise)
      queue[index].written.reject(reason)
    }
    if (!stream.full) stream.ready = PromiseWithResolvers()
    stream.full = false
    quiet(stream.ready.promise)
    stream.ready.reject(reason)
    quiet(stream.closed.promise)
    stream.closed.reject(reason)
  }

  const advance = (stream) => {
    if (!stream.started || stream.busy || stream.state !== 'writable') return
    const item = stream.queue[0]
    if (item === undefined) return
    stream.busy = true
    const { sink } = stream
    const work = item.isClose
      ? settle(() => sink.close && P.apply(sink.close, sink.self, []))
      : settle(() => sink.write && P.apply(sink.write, sink.self, [item.chunk, stream.controller]))
    PromiseThen(
      work,
      () => {
        stream.busy = false
        if (stream.state !== 'writable') return
        ArrayShift(stream.queue)
        stream.queueSize -= item.size
        item.written.resolve(undefined)
        if (item.isClose) {
          stream.state = 'closed'
          stream.closed.resolve(undefined)
        }
        updateReady(stream)
        advance(stream)
      },
      (error) => {
        stream.busy = false
        breakDown(stream, error)
      },
    )
  }

  const push = (stream, item) => {
    ArrayPush(stream.queue, item)
    stream.queueSize += item.size
    updateReady(stream)
    advance(stream)
    return item.written.promise
  }

  const write = (stream, chunk) => {
    if (stream.state === 'errored') return PromiseReject(stream.error)
    if (stream.state === 'closed' || stream.closing) return PromiseReject(new TypeError('the stream is closed'))
    let size = 1
    try {
      if (stream.strategy.size !== undefined) {
        const measure = stream.strategy.size
        size = +measure(chunk)
      }
    } catch (error) {
      breakDown(stream, error)
      return PromiseReject(error)
    }
    return push(stream, { __proto__: null, chunk, size, isClose: false, written: PromiseWithResolvers() })
  }

  const close = (stream) => {
    if (stream.state === 'errored') return PromiseReject(stream.error)
    if (stream.state === 'closed' || stream.closing) return PromiseReject(new TypeError('the stream is closed'))
    stream.closing = true
    return push(stream, { __proto__: null, chunk: undefined, size: 0, isClose: true, written: PromiseWithResolvers() })
  }

  const abort = (stream, reason) => {
    if (stream.state !== 'writable') return PromiseResolve(undefined)
    abortSignal(stream.controller, reason)
    breakDown(stream, reason)
    return PromiseThen(
      settle(() => stream.sink.abort && P.apply(stream.sink.abort, stream.sink.self, [reason])),
      ignore,
    )
  }

  class WritableStreamDefaultWriter {
    #stream
    #released
    constructor(stream) {
      const state = writableState(stream)
      if (state.writer !== undefined) throw new TypeError('the stream is locked to a writer')
      state.writer = this
      this.#stream = state
    }
    #with(call) {
      return this.#stream === undefined ? PromiseReject(this.#released) : call(this.#stream)
    }
    get closed() {
      return this.#with((stream) => stream.closed.promise)
    }
    get ready() {
      return this.#with((stream) => stream.ready.promise)
    }
    get desiredSize() {
      if (this.#stream === undefined) throw this.#released
      return desiredSize(this.#stream)
    }
    write(chunk = undefined) {
      return this.#with((stream) => write(stream, chunk))
    }
    close() {
      return this.#with(close)
    }
    abort(reason = undefined) {
      return this.#with((stream) => abort(stream, reason))
    }
    releaseLock() {
      if (this.#stream === undefined) return
      this.#stream.writer = undefined
      this.#stream = undefined
      this.#released = new TypeError('the writer was released')
    }
  }
  lib.tag(WritableStreamDefaultWriter, 'WritableStreamDefaultWriter')

  class WritableStream {
    #state = {
      __proto__: null,
      state: 'writable',
      queue: [],
      queueSize: 0,
      writer: undefined,
      sink: undefined,
      strategy: undefined,
      controller: undefined,
      started: false,
      busy: false,
      closing: false,
      full: false,
      error: undefined,
      ready: PromiseWithResolvers(),
      closed: PromiseWithResolvers(),
    }
    constructor(sink = {}, strategy = undefined) {
      const state = this.#state
      state.sink = { __proto__: null, self: sink, write: sink.write, close: sink.close, abort: sink.abort }
      state.strategy = strategyOf(strategy, 1)
      state.controller = new WritableStreamDefaultController(internal, state)
      state.ready.resolve(undefined)
      updateReady(state)
      const started = sink.start === undefined ? undefined : P.apply(sink.start, sink, [state.controller])
      PromiseThen(
        PromiseResolve(started),
        () => {
          state.started = true
          advance(state)
        },
        (error) => breakDown(state, error),
      )
    }
    static state(stream) {
      if (typeof stream !== 'object' || stream === null || !(#state in stream)) throw new TypeError('not a WritableStream')
      return stream.#state
    }
    get locked() {
      return this.#state.writer !== undefined
    }
    getWriter() {
      return new WritableStreamDefaultWriter(this)
    }
    abort(reason = undefined) {
      return this.locked ? PromiseReject(new TypeError('the stream is locked to a writer')) : abort(this.#state, reason)
    }
    close() {
      return this.locked ? PromiseReject(new TypeError('the stream is locked to a writer')) : close(this.#state)
    }
  }
  const writableState = WritableStream.state
  delete WritableStream.state
  lib.tag(WritableStream, 'WritableStream')

  lib.writable = { __proto__: null, WritableStream, writableState, breakDown, settle }
  return { __proto__: null, WritableStream, WritableStreamDefaultWriter, WritableStreamDefaultController }
}
