// TextEncoder, TextDecoder, atob, btoa (WHATWG Encoding, HTML "base64 utility methods"). The conversions are the host's;
// what is here are the objects and the bytes a streaming decoder keeps between calls.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { viewOf, copyOf, join } = lib.bytes
  const { decodeText, encodeText, encodingName, fromBase64, toBase64 } = host

  const fatalFlag = 1
  const keepBomFlag = 2

  class TextEncoder {
    get encoding() {
      return 'utf-8'
    }
    encode(text = '') {
      return new P.Uint8Array(encodeText(`${text}`))
    }
    encodeInto(source, destination) {
      const text = `${source}`
      if (P.TypedArrayName(destination) !== 'Uint8Array') throw new TypeError('encodeInto() writes into a Uint8Array')
      const space = P.TypedArrayLength(destination)
      let read = 0
      let written = 0
      while (read < text.length) {
        const code = text.codePointAt(read)
        const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
        if (written + size > space) break
        written += size
        read += size === 4 ? 2 : 1
      }
      P.TypedArraySet(destination, new P.Uint8Array(encodeText(P.StringSlice(text, 0, read))))
      return { read, written }
    }
  }
  lib.tag(TextEncoder, 'TextEncoder')

  // How many bytes at the end of `view` begin a sequence that is not complete yet.
  const unfinishedUtf8 = (view) => {
    const length = P.TypedArrayLength(view)
    for (let back = 1; back <= 3 && back <= length; back += 1) {
      const byte = view[length - back]
      if (byte < 0x80) return 0
      if (byte >= 0xc2) {
        const needed = byte >= 0xf5 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
        return needed > back ? back : 0
      }
    }
    return 0
  }

  const unfinishedUtf16 = (view) => {
    const length = P.TypedArrayLength(view)
    const odd = length & 1
    const high = length - odd - 1
    return high > 0 && (view[high] & 0xfc) === 0xd8 ? odd + 2 : odd
  }

  class TextDecoder {
    #encoding
    #fatal
    #ignoreBOM
    #kept
    #begun = false
    constructor(label = 'utf-8', options = undefined) {
      this.#encoding = encodingName(`${label}`)
      if (this.#encoding === undefined) throw new RangeError(`unknown or unsupported encoding: ${label}`)
      this.#fatal = Boolean(options?.fatal)
      this.#ignoreBOM = Boolean(options?.ignoreBOM)
    }
    get encoding() {
      return this.#encoding
    }
    get fatal() {
      return this.#fatal
    }
    get ignoreBOM() {
      return this.#ignoreBOM
    }
    decode(input = undefined, options = undefined) {
      const stream = Boolean(options?.stream)
      let view = input === undefined ? new P.Uint8Array(0) : viewOf(input)
      if (view === undefined) throw new TypeError('decode() takes an ArrayBuffer or a view of one')
      if (this.#kept !== undefined) {
        view = join([this.#kept, view], P.TypedArrayLength(this.#kept) + P.TypedArrayLength(view))
        this.#kept = undefined
      }
      if (stream) {
        const length = P.TypedArrayLength(view)
        const unfinished =
          this.#encoding === 'utf-8' ? unfinishedUtf8(view) : this.#encoding === 'utf-16le' ? unfinishedUtf16(view) : 0
        if (unfinished > 0) {
          this.#kept = copyOf(P.TypedArraySubarray(view, length - unfinished))
          view = P.TypedArraySubarray(view, 0, length - unfinished)
        }
      }
      // A byte order mark counts only at the very beginning of the stream.
      const flags = (this.#fatal ? fatalFlag : 0) | (this.#ignoreBOM || this.#begun ? keepBomFlag : 0)
      this.#begun = stream && (this.#begun || P.TypedArrayLength(view) > 0)
      const text = decodeText(this.#encoding, view, flags)
      if (text === undefined) {
        this.#kept = undefined
        this.#begun = false
        throw new TypeError(`the data is not valid ${this.#encoding}`)
      }
      return text
    }
  }
  lib.tag(TextDecoder, 'TextDecoder')

  const invalidCharacter = (message) => new lib.DOMException(message, 'InvalidCharacterError')

  const atob = function atob(data) {
    const text = fromBase64(`${data}`)
    if (text === undefined) throw invalidCharacter('atob() takes base64 text')
    return text
  }

  const btoa = function btoa(data) {
    const text = toBase64(`${data}`)
    if (text === undefined) throw invalidCharacter('btoa() takes text of characters up to U+00FF')
    return text
  }

  lib.TextEncoder = TextEncoder
  lib.TextDecoder = TextDecoder
  return { __proto__: null, TextEncoder, TextDecoder, atob, btoa }
}
