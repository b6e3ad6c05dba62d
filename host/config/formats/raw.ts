// What every configuration format is read into: names with text values in the order of the file, as uWSGI has it. Values are
// not yet expanded; a value that a format cannot express as text is warned about and left out.

export interface RawDirective {
  readonly name: string
  readonly value: string
  /** From 1; undefined where the format's parser does not tell. */
  readonly line: number | undefined
}

export interface ParsedFile {
  readonly directives: readonly RawDirective[]
  /** The section asked for is there, be it empty. */
  readonly isSectionFound: boolean
  /** The sections that are there. */
  readonly sections: readonly string[]
  readonly warnings: readonly { readonly line: number | undefined; readonly text: string }[]
}

/** A file that is not of its format. */
export class FormatError extends Error {
  readonly line: number | undefined

  constructor(line: number | undefined, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.line = line
  }
}

export type ParseFormat = (text: string, section: string) => ParsedFile

/** Where a name holds a value that is neither a text nor a list of texts. */
export const nestedWarning = (name: string, what: string): string =>
  `'${name.slice(0, 80)}' holds ${what}, which no option takes; it is ignored`
