// Latin-1 text to bytes and back: the one text encoding of the wire, since it keeps every byte (PEP 3333 asks for it too).
// Node's own byte methods are called on plain Uint8Arrays, so that a view on shared memory needs no Buffer around it.
import { ProtocolError } from './errors.ts'

interface Latin1Methods {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  latin1Write(this: Uint8Array, text: string, offset: number): number
}

const methods = Buffer.prototype as unknown as Latin1Methods
const slice = methods.latin1Slice
const write = methods.latin1Write

// For text that V8 stores as one byte per character this class can match nothing, which V8 knows without looking at it.
const aboveLatin1 = /[^\x00-\xff]/

/** The bytes from `start` to `end` (exclusive) as Latin-1 text: one character per byte. */
export const latin1Text = (bytes: Uint8Array, start: number, end: number): string => slice.call(bytes, start, end)

/** Writes checked text at `offset`; the caller has made sure that it fits. */
export const writeLatin1 = (bytes: Uint8Array, text: string, offset: number): void => {
  write.call(bytes, text, offset)
}

/** True when every character has a Latin-1 byte. Costs nearly nothing for text that does. */
export const isLatin1 = (text: string): boolean => !aboveLatin1.test(text)

/** The refusal of text that is not Latin-1; `what` says whose text it is. */
export const notLatin1 = (text: string, what: string): ProtocolError => {
  const at = text.search(aboveLatin1)
  const codePoint = (text.codePointAt(at) as number).toString(16).toUpperCase().padStart(4, '0')
  return new ProtocolError(
    'NOT_LATIN1',
    `${what} holds U+${codePoint} at position ${at}, which is not Latin-1: encode it to bytes first`,
  )
}
