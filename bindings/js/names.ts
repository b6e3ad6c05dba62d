// Names of dicts: a guest has them as text, the host as the Latin-1 text of their UTF-8 bytes. Invariant: every name of bytes
// survives the way to a guest and back: a byte that is no UTF-8 is a lone surrogate of U+DC80 to U+DCFF meanwhile, as in
// Python (PEP 383).
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const isAsciiText = (text: string): boolean => !/[^\x00-\x7f]/.test(text)

/** How long the sequence is that begins with this byte; 0 when none does (RFC 3629, 4). */
const sequenceLength = (byte: number): number => {
  if (byte < 0x80) return 1
  if (byte < 0xc2 || byte > 0xf4) return 0
  if (byte < 0xe0) return 2
  return byte < 0xf0 ? 3 : 4
}

const decoded = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** The host's form of a name as a guest has it. */
export const nameToText = (name: string): string => {
  if (isAsciiText(name)) return name
  const bytes = Buffer.from(name, 'latin1')
  const whole = decoded(bytes)
  if (whole !== undefined) return whole
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at]!
    const length = sequenceLength(byte)
    const sequence = length === 0 ? undefined : decoded(bytes.subarray(at, at + length))
    text += sequence ?? String.fromCharCode(0xdc00 + byte)
    at += sequence === undefined ? 1 : length
  }
  return text
}

/** A guest's name as the host has it. Other lone surrogates become U+FFFD, as in all text. */
export const textToName = (text: string): string => {
  if (isAsciiText(text)) return text
  // With the `u` flag a half of a pair is no match: every second part is an escaped byte.
  return text
    .split(/([\udc80-\udcff])/u)
    .map((part, index) =>
      index % 2 === 1 ? String.fromCharCode(part.charCodeAt(0) - 0xdc00) : Buffer.from(part, 'utf8').toString('latin1'),
    )
    .join('')
}
