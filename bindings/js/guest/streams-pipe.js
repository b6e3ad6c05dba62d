// What is done with whole readable streams: iterating, making one from an iterable, splitting in two, piping.
// Invariant: a reader taken here is released when the work is over, whichever way it ended.
;(_host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayPush, PromiseReject, PromiseResolve, PromiseThen, PromiseWithResolvers } = P
  const { cancel, create, defaultStrategy, done, ignore, quiet, read, releaseReader, stateOf, takeReader } = lib.streams

  class StreamIterator {
    #reader
    #preventCancel
    // Calls made at once are answered one after the other.
    #last = PromiseResolve(undefined)
    constructor(reader, preventCancel) {
      this.#reader = reader
      this.#preventCancel = preventCancel
    }
    #after(step) {
      this.#last = PromiseThen(this.#last, step, step)
      return this.#last
    }
    next() {
      return this.#after(() => {
        if (this.#reader.stream === undefined) return done()
        return PromiseThen(
          read(this.#reader.stream),
          (result) => {
            if (result.done) releaseReader(this.#reader)
            return result
          },
          (error) => {
            releaseReader(this.#reader)
            throw error
          },
        )
      })
    }
    return(value = undefined) {
      return this.#after(() => {
        const stream = this.#reader.stream
        if (stream === undefined) return { value, done: true }
        const cancelled = this.#preventCancel ? PromiseResolve(undefined) : cancel(stream, value)
        releaseReader(this.#reader)
        return PromiseThen(cancelled, () => ({ value, done: true }))
      })
    }
    [Symbol.asyncIterator]() {
      return this
    }
  }
  // Without this, a guest could make iterators of its own "readers".
  StreamIterator.prototype.constructor = Object

  const fromIterable = (iterable) => {
    const method = iterable?.[Symbol.asyncIterator] ?? iterable?.[Symbol.iterator]
    if (typeof method !== 'function') throw new TypeError('ReadableStream.from() takes an iterable')
    const iterator = P.apply(method, iterable, [])
    return create({
      __proto__: null,
      strategy: defaultStrategy(0),
      pull: (controller) =>
        PromiseThen(PromiseResolve(iterator.next()), (result) =>
          result.done ? controller.close() : PromiseThen(PromiseResolve(result.value), (value) => controller.enqueue(value)),
        ),
      cancel: (reason) => (iterator.return === undefined ? undefined : iterator.return(reason)),
    })
  }

  const tee = (stream) => {
    const reader = takeReader(stream)
    const controllers = []
    const reasons = []
    const cancelled = PromiseWithResolvers()
    let reading = false
    let readAgain = false
    const branchOver = [false, false]

    const pull = () => {
      if (reading) {
        readAgain = true
        return undefined
      }
      reading = true
      PromiseThen(
        read(stream),
        (result) => {
          reading = false
          for (let index = 0; index < 2; index += 1) {
            if (branchOver[index]) continue
            if (result.done) controllers[index].close()
            else controllers[index].enqueue(result.value)
          }
          if (result.done) cancelled.resolve(undefined)
          else if (readAgain) {
            readAgain = false
            pull()
          }
        },
        (error) => {
          for (let index = 0; index < 2; index += 1) controllers[index].error(error)
          cancelled.resolve(undefined)
        },
      )
      return undefined
    }
    const branch = (index) =>
      create({
        __proto__: null,
        strategy: defaultStrategy(1),
        start: (controller) => {
          controllers[index] = controller
        },
        pull,
        // The source is cancelled only when neither branch wants more.
        cancel: (reason) => {
          branchOver[index] = true
          reasons[index] = reason
          if (branchOver[1 - index]) PromiseThen(cancel(stream, reasons), cancelled.resolve, cancelled.reject)
          return cancelled.promise
        },
      })
    const branches = [branch(0), branch(1)]
    PromiseThen(reader.closed.promise, ignore, (error) => {
      for (let index = 0; index < 2; index += 1) controllers[index].error(error)
    })
    return branches
  }

  const pipe = (source, destination, options = undefined) => {
    const { preventClose = false, preventAbort = false, preventCancel = false, signal } = options ?? {}
    let stream
    let reader
    let writer
    try {
      stream = stateOf(source)
      if (destination.locked) throw new TypeError('the stream to write to is locked to a writer')
      reader = takeReader(stream)
      writer = destination.getWriter()
    } catch (error) {
      if (reader !== undefined) releaseReader(reader)
      return PromiseReject(error)
    }
    const outcome = PromiseWithResolvers()
    let over = false
    const end = (action, isError, error) => {
      if (over) return
      over = true
      const leave = () => {
        releaseReader(reader)
        writer.releaseLock()
        if (isError) outcome.reject(error)
        else outcome.resolve(undefined)
      }
      PromiseThen(PromiseResolve(action()), leave, (later) => {
        isError = true
        error = later
        leave()
      })
    }
    const sourceFailed = (error) => end(() => (preventAbort ? undefined : writer.abort(error)), true, error)
    const destinationFailed = (error) => end(() => (preventCancel ? undefined : cancel(stream, error)), true, error)
    const aborted = () =>
      end(
        () => {
          const actions = []
          if (!preventAbort) ArrayPush(actions, writer.abort(signal.reason))
          if (!preventCancel) ArrayPush(actions, cancel(stream, signal.reason))
          return PromiseThen(PromiseResolve(actions[0]), () => actions[1])
        },
        true,
        signal.reason,
      )
    const step = () => {
      if (over) return
      PromiseThen(
        writer.ready,
        () => {
          if (over) return
          PromiseThen(
            read(stream),
            (result) => {
              if (result.done) end(() => (preventClose ? undefined : writer.close()), false)
              else {
                quiet(writer.write(result.value))
                step()
              }
            },
            sourceFailed,
          )
        },
        destinationFailed,
      )
    }
    PromiseThen(writer.closed, ignore, destinationFailed)
    if (signal !== undefined) {
      if (signal.aborted) aborted()
      else signal.addEventListener('abort', aborted)
    }
    step()
    return outcome.promise
  }

  const iterate = (reader, preventCancel) => new StreamIterator(reader, preventCancel)
  lib.pipes = { __proto__: null, iterate, fromIterable, tee, pipe }
}
