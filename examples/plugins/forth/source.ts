// A source text, read name by name. Forth has no grammar beyond this: names between spaces, and words that read on themselves.
// The text is Latin-1, one character per byte of the file, so that strings in it are the bytes they are.
import { Fault, type Place } from './errors.ts'

const longestName = 255
const isSpace = (code: number): boolean => code <= 0x20

export class Source {
  readonly file: string
  readonly #text: string
  #position = 0
  // Lines are counted as far as somebody asked.
  #countedTo = 0
  #line = 1
  #lineStart = 0
  #nameAt = 0

  constructor(file: string, text: string) {
    this.file = file
    this.#text = text
  }

  /** Where the name that was read last stands. */
  get place(): Place {
    for (; this.#countedTo < this.#nameAt; this.#countedTo += 1) {
      if (this.#text.charCodeAt(this.#countedTo) !== 0x0a) continue
      this.#line += 1
      this.#lineStart = this.#countedTo + 1
    }
    return { file: this.file, line: this.#line, column: this.#nameAt - this.#lineStart + 1 }
  }

  /** The next name; undefined at the end. */
  next(): string | undefined {
    const text = this.#text
    let start = this.#position
    while (start < text.length && isSpace(text.charCodeAt(start))) start += 1
    let end = start
    while (end < text.length && !isSpace(text.charCodeAt(end))) end += 1
    this.#nameAt = start
    // One space after a name belongs to it: what a word reads on begins behind that.
    this.#position = Math.min(end + 1, text.length)
    if (start === end) return undefined
    if (end - start > longestName) throw Fault.of('nameTooLong', `${text.slice(start, start + 20)}...`)
    return text.slice(start, end)
  }

  /** The next name, for a word that needs one. */
  name(): string {
    const name = this.next()
    if (name === undefined) throw Fault.of('missingName')
    return name
  }

  /** What stands before the next `delimiter`, which is skipped. */
  upTo(delimiter: string): string {
    const end = this.#text.indexOf(delimiter, this.#position)
    if (end === -1) throw Fault.of('unfinished', `there is no closing ${delimiter}`)
    const text = this.#text.slice(this.#position, end)
    this.#position = end + 1
    return text
  }

  /** For comments to the end of the line. */
  skipLine(): void {
    // The space behind the name may have been the line's end.
    if (this.#text.charCodeAt(this.#position - 1) === 0x0a) return
    const end = this.#text.indexOf('\n', this.#position)
    this.#position = end === -1 ? this.#text.length : end + 1
  }
}
