// Host functions of the guest glue for text and its encodings, URLs, headers' grammar: things the host has, exact and fast.
// Invariant: text and bytes in, text and bytes out; nothing is kept between calls.
import type { Converter } from './convert.ts'
import type { Pointer, RawFunction } from './engine.ts'
import { GuestThrow } from './errors.ts'

const fatalFlag = 1
const keepBomFlag = 2

// Labels of WHATWG Encoding for the three encodings that can be decoded piece by piece without a decoder kept alive.
const encodings = ['utf-8', 'windows-1252', 'utf-16le'] as const
type EncodingName = (typeof encodings)[number]

const decoders = new Map<string, TextDecoder>()
const decoderOf = (encoding: string, flags: number): TextDecoder => {
  const key = `${encoding} ${flags}`
  let decoder = decoders.get(key)
  if (decoder === undefined) {
    decoder = new TextDecoder(encoding, { fatal: (flags & fatalFlag) !== 0, ignoreBOM: (flags & keepBomFlag) !== 0 })
    decoders.set(key, decoder)
  }
  return decoder
}

/** `utf-8`, `windows-1252` (which `latin1` is, by the standard) or `utf-16le`; undefined for other labels. */
const encodingName = (label: string): EncodingName | undefined => {
  try {
    const name = new TextDecoder(label).encoding
    return encodings.find((encoding) => encoding === name)
  } catch {
    return undefined
  }
}

const decode = (encoding: string, bytes: Uint8Array, flags: number): string | undefined => {
  try {
    return decoderOf(encoding, flags).decode(bytes)
  } catch {
    return undefined
  }
}

const base64Form = /^[A-Za-z0-9+/]*$/
const whitespace = /[\t\n\f\r ]+/g

/** "Forgiving-base64 decode" (WHATWG Infra): the bytes as Latin-1 text, or undefined. */
const fromBase64 = (text: string): string | undefined => {
  let data = text.replace(whitespace, '')
  if (data.length % 4 === 0) data = data.replace(/={1,2}$/, '')
  if (data.length % 4 === 1 || !base64Form.test(data)) return undefined
  return Buffer.from(data, 'base64').toString('latin1')
}

const aboveLatin1 = /[^\x00-\xff]/
const toBase64 = (text: string): string | undefined =>
  aboveLatin1.test(text) ? undefined : Buffer.from(text, 'latin1').toString('base64')

const headerNameForm = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const headerValueForbidden = /[\0\n\r]|[^\x00-\xff]/

const urlParts = ['href', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const

/** @throws GuestThrow for a value that is no text: the glue passes nothing else */
export const wantText = (text: string | undefined): string => {
  if (text === undefined) throw new GuestThrow('TypeError', 'a text is wanted')
  return text
}

export const textFunctions = (converter: Converter): Record<string, RawFunction> => {
  const text = (argv: Pointer, index: number): string => wantText(converter.text(argv + index * 8))
  const bytes = (argv: Pointer, index: number): Uint8Array => {
    const found = converter.bytes(argv + index * 8)
    if (found === undefined) throw new GuestThrow('TypeError', 'bytes are wanted')
    return found
  }
  const optional = (value: string | undefined): Pointer => (value === undefined ? 0 : converter.newText(value))

  return {
    encodeText: (_argc, argv) => {
      const utf8 = converter.utf8(argv)
      // A copy, since making room for the result may move what a view shows.
      return converter.newBuffer(Uint8Array.from(wantBytes(utf8)))
    },
    decodeText: (_argc, argv) => optional(decode(text(argv, 0), bytes(argv, 1), converter.int(argv + 16) ?? 0)),
    latin1: (_argc, argv) => converter.newLatin1(bytes(argv, 0).slice()),
    encodingName: (_argc, argv) => optional(encodingName(text(argv, 0))),
    fromBase64: (_argc, argv) => optional(fromBase64(text(argv, 0))),
    toBase64: (_argc, argv) => optional(toBase64(text(argv, 0))),
    headerName: (_argc, argv) => {
      const name = text(argv, 0)
      return headerNameForm.test(name) ? converter.newText(name.toLowerCase()) : 0
    },
    // undefined: fine as it is, as nearly all are; false: not allowed; else what is left without white space around it.
    headerValue: (_argc, argv) => {
      if (converter.isPlainHeaderValue(argv)) return 0
      const value = text(argv, 0)
      const trimmed = value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')
      if (headerValueForbidden.test(trimmed)) return converter.boolean(false)
      return trimmed === value ? 0 : converter.newText(trimmed)
    },
    parseUrl: (argc, argv) => {
      const url = URL.parse(text(argv, 0), argc > 1 ? text(argv, 1) : undefined)
      return url === null ? 0 : converter.newText(url.href)
    },
    changeUrl: (_argc, argv) => {
      const url = new URL(text(argv, 0))
      const name = text(argv, 1)
      const part = urlParts.find((known) => known === name)
      try {
        if (part !== undefined) url[part] = text(argv, 2)
      } catch {
        return 0
      }
      return converter.newText(url.href)
    },
    parseQuery: (_argc, argv) => converter.newList([...new URLSearchParams(plainQuery(text(argv, 0)))].flat()),
  }
}

const wantBytes = (bytes: Uint8Array | undefined): Uint8Array => {
  if (bytes === undefined) throw new GuestThrow('TypeError', 'a text is wanted')
  return bytes
}

// URLSearchParams drops one leading `?`; the glue has done that where it is due.
const plainQuery = (query: string): string => (query.startsWith('?') ? `?${query}` : query)
