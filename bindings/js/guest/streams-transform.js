// TransformStream, the text transform streams and the queuing strategies (WHATWG Streams). Runs only in programs that
// name one of them. Invariant: the writable side takes a chunk only when the readable side has room for what comes of it.
;(_host, lib) => {
  'use strict'
  const P = lib.primordials
  const { PromiseThen, PromiseWithResolvers } = P
  const { create, fail, ignore, stateOf, strategyOf } = lib.streams
  const { WritableStream, writableState, breakDown, settle } = lib.writable

  const internal = { __proto__: null }

  class TransformStreamDefaultController {
    #readable
    #writable
    constructor(key, readable, writable) {
      if (key !== internal) throw new TypeError('Illegal constructor')
      this.#readable = readable
      this.#writable = writable
    }
    get desiredSize() {
      return this.#readable().controller.desiredSize
    }
    enqueue(chunk = undefined) {
      this.#readable().controller.enqueue(chunk)
    }
    error(reason = undefined) {
      fail(this.#readable(), reason)
      breakDown(this.#writable(), reason)
    }
    terminate() {
      const readable = this.#readable()
      if (readable.state === 'readable' && !readable.closeRequested) readable.controller.close()
      breakDown(this.#writable(), new TypeError('the transform stream was terminated'))
    }
  }

  class TransformStream {
    #readable
    #writable
    constructor(transformer = {}, writableStrategy = undefined, readableStrategy = undefined) {
      const run = (name, args, fallback) =>
        transformer[name] === undefined ? fallback?.() : P.apply(transformer[name], transformer, args)
      let wanted = PromiseWithResolvers()
      const controller = new TransformStreamDefaultController(
        internal,
        () => stateOf(this.#readable),
        () => writableState(this.#writable),
      )
      this.#readable = create({
        __proto__: null,
        strategy: strategyOf(readableStrategy, 0),
        // The writable side waits for this: that is the backpressure.
        pull: () => {
          wanted.resolve(undefined)
          wanted = PromiseWithResolvers()
          return undefined
        },
        cancel: (reason) => {
          breakDown(writableState(this.#writable), reason)
          return run('cancel', [reason])
        },
      })
      const started = settle(() => run('start', [controller]))
      const failed = (error) => {
        fail(stateOf(this.#readable), error)
        throw error
      }
      const room = () => {
        const readable = stateOf(this.#readable)
        return readable.reads.length > 0 || readable.controller.desiredSize > 0 || readable.state !== 'readable'
      }
      this.#writable = new WritableStream(
        {
          start: () => started,
          write: (chunk) => {
            const transform = () =>
              PromiseThen(
                settle(() => run('transform', [chunk, controller], () => controller.enqueue(chunk))),
                ignore,
                failed,
              )
            return room() ? transform() : PromiseThen(wanted.promise, transform)
          },
          close: () =>
            PromiseThen(
              settle(() => run('flush', [controller])),
              () => {
                const readable = stateOf(this.#readable)
                if (readable.state === 'readable' && !readable.closeRequested) readable.controller.close()
              },
              failed,
            ),
          abort: (reason) => {
            fail(stateOf(this.#readable), reason)
            return run('cancel', [reason])
          },
        },
        writableStrategy,
      )
    }
    get readable() {
      return this.#readable
    }
    get writable() {
      return this.#writable
    }
  }
  lib.tag(TransformStream, 'TransformStream')

  class TextEncoderStream {
    #transform
    constructor() {
      const encoder = new lib.TextEncoder()
      this.#transform = new TransformStream({
        transform: (chunk, controller) => {
          const bytes = encoder.encode(chunk)
          if (P.TypedArrayLength(bytes) > 0) controller.enqueue(bytes)
        },
      })
    }
    get encoding() {
      return 'utf-8'
    }
    get readable() {
      return this.#transform.readable
    }
    get writable() {
      return this.#transform.writable
    }
  }

  class TextDecoderStream {
    #decoder
    #transform
    constructor(label = 'utf-8', options = undefined) {
      const decoder = new lib.TextDecoder(label, options)
      const pass = (text, controller) => {
        if (text !== '') controller.enqueue(text)
      }
      this.#decoder = decoder
      this.#transform = new TransformStream({
        transform: (chunk, controller) => pass(decoder.decode(chunk, { stream: true }), controller),
        flush: (controller) => pass(decoder.decode(), controller),
      })
    }
    get encoding() {
      return this.#decoder.encoding
    }
    get readable() {
      return this.#transform.readable
    }
    get writable() {
      return this.#transform.writable
    }
  }

  class CountQueuingStrategy {
    #mark
    constructor(init) {
      this.#mark = init.highWaterMark
    }
    get highWaterMark() {
      return this.#mark
    }
    get size() {
      return () => 1
    }
  }

  class ByteLengthQueuingStrategy {
    #mark
    constructor(init) {
      this.#mark = init.highWaterMark
    }
    get highWaterMark() {
      return this.#mark
    }
    get size() {
      return (chunk) => chunk.byteLength
    }
  }

  return {
    __proto__: null,
    TransformStream,
    TextEncoderStream,
    TextDecoderStream,
    CountQueuingStrategy,
    ByteLengthQueuingStrategy,
  }
}
