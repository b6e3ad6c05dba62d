// Blob and File (W3C File API): immutable bytes with a type. Runs only in programs that use them.
;(_host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayPush, PromiseResolve, TypedArrayLength, TypedArraySubarray } = P
  const { viewOf, copyOf, join, bufferOf } = lib.bytes

  const typeOf = (value) => {
    const text = `${value}`
    for (let index = 0; index < text.length; index += 1) {
      const code = P.StringCharCodeAt(text, index)
      if (code < 0x20 || code > 0x7e) return ''
    }
    return P.StringToLowerCase(text)
  }

  const internal = { __proto__: null }

  class Blob {
    #bytes
    #type
    constructor(parts = [], options = undefined) {
      if (parts === internal) {
        this.#bytes = options.bytes
        this.#type = options.type
        return
      }
      if (typeof parts !== 'object' || parts === null || parts[Symbol.iterator] === undefined) {
        throw new TypeError('a Blob is made of a list of parts')
      }
      const views = []
      let length = 0
      for (const part of parts) {
        const view = isBlob(part) ? bytesOf(part) : (viewOf(part) ?? lib.utf8(`${part}`))
        ArrayPush(views, view)
        length += TypedArrayLength(view)
      }
      this.#bytes = join(views, length)
      this.#type = typeOf(options?.type ?? '')
    }
    static is(value) {
      return typeof value === 'object' && value !== null && #bytes in value
    }
    static bytes(blob) {
      return blob.#bytes
    }
    get size() {
      return TypedArrayLength(this.#bytes)
    }
    get type() {
      return this.#type
    }
    slice(start = 0, end = undefined, type = '') {
      const size = TypedArrayLength(this.#bytes)
      const clamp = (value) => {
        const whole = trunc(+value) || 0
        return whole < 0 ? max(size + whole, 0) : min(whole, size)
      }
      const from = clamp(start)
      const to = end === undefined ? size : clamp(end)
      const bytes = TypedArraySubarray(this.#bytes, from, max(from, to))
      return new Blob(internal, { bytes, type: typeOf(type) })
    }
    text() {
      return PromiseResolve(lib.fromUtf8(this.#bytes))
    }
    bytes() {
      return PromiseResolve(copyOf(this.#bytes))
    }
    arrayBuffer() {
      return PromiseResolve(bufferOf(copyOf(this.#bytes)))
    }
    stream() {
      const bytes = this.#bytes
      return lib.streams.create({
        __proto__: null,
        isBytes: true,
        strategy: lib.streams.defaultStrategy(0),
        start: (controller) => {
          if (TypedArrayLength(bytes) > 0) controller.enqueue(copyOf(bytes))
          controller.close()
        },
      })
    }
  }
  const { trunc, max, min } = Math
  const { is: isBlob, bytes: bytesOf } = Blob
  delete Blob.is
  delete Blob.bytes
  lib.tag(Blob, 'Blob')

  class File extends Blob {
    #name
    #lastModified
    constructor(parts, name, options = undefined) {
      super(parts, options)
      this.#name = `${name}`
      this.#lastModified = options?.lastModified === undefined ? dateNow() : +options.lastModified
    }
    get name() {
      return this.#name
    }
    get lastModified() {
      return this.#lastModified
    }
  }
  const dateNow = Date.now
  lib.tag(File, 'File')

  lib.isBlob = isBlob
  lib.blobBytes = bytesOf
  lib.File = File
  lib.newBlob = (bytes, type) => new Blob(internal, { bytes, type: typeOf(type) })
  ArrayPush(lib.kinds, { is: isBlob, show: (blob, show) => `Blob { size: ${blob.size}, type: ${show(blob.type)} }` })
  ArrayPush(lib.bodyKinds, (init) =>
    isBlob(init) ? { source: bytesOf(init), type: init.type === '' ? undefined : init.type } : undefined,
  )

  return { __proto__: null, Blob, File }
}
