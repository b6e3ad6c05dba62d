// How `polywsgi ctl` and the server talk: JSON values, one a line. A question is `{ "command": [...], "options": {...} }`, its
// answer `{ "ok": true, "result": ... }` or `{ "ok": false, "error": "..." }`; several may follow each other on a connection.
// Bytes are text where they are UTF-8, and `{ "base64": "..." }` where they are not.

/** Of one line, either way: a value of a cache is at most so large, in base64. */
export const longestLine = 16 * 1024 * 1024

export type Bytes = string | { readonly base64: string }

export interface Question {
  readonly command: readonly string[]
  readonly options: Readonly<Record<string, string>>
}

export type Answer = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: string }

/** What was asked for cannot be done, for a reason that whoever asks is to read. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

/** @throws Refusal for what is no question */
export const parseQuestion = (line: string): Question => {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new Refusal('a question is a JSON object on one line')
  }
  if (typeof value !== 'object' || value === null) throw new Refusal('a question is a JSON object')
  const { command, options = {} } = value as { command?: unknown; options?: unknown }
  if (!Array.isArray(command) || command.length === 0 || !command.every((word) => typeof word === 'string'))
    throw new Refusal('the member "command" of a question is a list of texts')
  if (typeof options !== 'object' || options === null || !Object.values(options).every((option) => typeof option === 'string'))
    throw new Refusal('the member "options" of a question is an object of texts')
  return { command, options: options as Record<string, string> }
}

export const bytesToJson = (bytes: Uint8Array): Bytes => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') }
  }
}

export const bytesFromJson = (bytes: Bytes): Uint8Array =>
  typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.base64, 'base64')

/** Cuts a stream into lines. */
export class LineSplitter {
  #chunks: Buffer[] = []
  #length = 0

  /** @returns the lines that are whole now @throws Refusal for one that is too long */
  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let rest = chunk
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      this.#add(rest.subarray(0, end))
      lines.push(Buffer.concat(this.#chunks, this.#length).toString('utf8'))
      this.#chunks = []
      this.#length = 0
      rest = rest.subarray(end + 1)
    }
    this.#add(rest)
    return lines
  }

  #add(piece: Buffer): void {
    if (piece.length === 0) return
    this.#length += piece.length
    if (this.#length > longestLine) throw new Refusal(`a line has more than ${longestLine} bytes`)
    this.#chunks.push(piece)
  }
}
