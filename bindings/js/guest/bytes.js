// Bytes: what counts as some, views on them, joining them; DOMException, which several APIs throw.
// Invariant: `viewOf` returns a plain Uint8Array over the caller's own memory, `copyOf` one over memory of its own.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayBuffer, ArrayBufferByteLength, ArrayBufferIsView, TypedArrayName, TypedArraySet, Uint8Array } = P

  const isArrayBuffer = (value) => {
    if (typeof value !== 'object' || value === null) return false
    try {
      ArrayBufferByteLength(value)
      return true
    } catch {
      return false
    }
  }

  const viewOfDataView = (view) => {
    try {
      return new Uint8Array(P.DataViewBuffer(view), P.DataViewByteOffset(view), P.DataViewByteLength(view))
    } catch {
      return new Uint8Array(0)
    }
  }

  /** A Uint8Array over the bytes of a buffer or view; undefined for anything else. */
  const viewOf = (value) => {
    if (ArrayBufferIsView(value)) {
      // What was detached, or lies outside of a buffer that shrank, has no bytes.
      if (TypedArrayName(value) === undefined) return viewOfDataView(value)
      const length = P.TypedArrayByteLength(value)
      return length === 0 ? new Uint8Array(0) : new Uint8Array(P.TypedArrayBuffer(value), P.TypedArrayByteOffset(value), length)
    }
    if (!isArrayBuffer(value)) return undefined
    return ArrayBufferByteLength(value) === 0 ? new Uint8Array(0) : new Uint8Array(value)
  }

  const copyOf = (view) => {
    const copy = new Uint8Array(P.TypedArrayLength(view))
    TypedArraySet(copy, view)
    return copy
  }

  /** One Uint8Array of all parts; `length` is the sum of theirs. */
  const join = (parts, length) => {
    const whole = new Uint8Array(length)
    let offset = 0
    for (let index = 0; index < parts.length; index += 1) {
      TypedArraySet(whole, parts[index], offset)
      offset += P.TypedArrayLength(parts[index])
    }
    return whole
  }

  /** The ArrayBuffer of exactly these bytes: the view's own when it covers it whole. */
  const bufferOf = (view) => {
    const buffer = P.TypedArrayBuffer(view)
    const offset = P.TypedArrayByteOffset(view)
    const length = P.TypedArrayByteLength(view)
    if (offset === 0 && length === ArrayBufferByteLength(buffer)) return buffer
    return P.ArrayBufferSlice(buffer, offset, offset + length)
  }

  /** UTF-8 bytes of a text. */
  lib.utf8 = (text) => new Uint8Array(host.encodeText(text))
  /** Text of UTF-8 bytes, a byte order mark dropped, broken sequences as U+FFFD. */
  lib.fromUtf8 = (view) => host.decodeText('utf-8', view, 0)
  /** Text from a program as an error message may show it. */
  lib.quote = (text) => P.JSONStringify(P.StringSlice(text, 0, 80))

  /** Classes with state that plain properties do not show: `{ is(object), show(object, inspect) }`. */
  lib.kinds = []

  lib.bytes = { __proto__: null, isArrayBuffer, viewOf, copyOf, join, bufferOf, ArrayBuffer }

  const codes = {
    __proto__: null,
    NotSupportedError: 9,
    InvalidStateError: 11,
    SyntaxError: 12,
    AbortError: 20,
    QuotaExceededError: 22,
    TimeoutError: 23,
    DataCloneError: 25,
    InvalidCharacterError: 5,
  }

  class DOMException extends Error {
    #name
    constructor(message = '', options = 'Error') {
      const name = typeof options === 'object' && options !== null ? (options.name ?? 'Error') : options
      super(message, typeof options === 'object' && options !== null && 'cause' in options ? { cause: options.cause } : undefined)
      this.#name = `${name}`
    }
    get name() {
      return this.#name
    }
    get code() {
      return codes[this.#name] ?? 0
    }
  }
  lib.tag(DOMException, 'DOMException')
  lib.global('DOMException', DOMException)
  lib.DOMException = DOMException
}
