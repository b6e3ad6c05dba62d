// What goes wrong in a Forth program: the codes of Forth-2012 (table 9.1), and the error the host sees, with the place in the
// source and the calls that led there.
// Invariant: words throw a `Fault`, which knows nothing of places; only the interpreter makes a `ForthError` of it.
import { GuestError } from 'polywsgi/plugin'

/** A name and a text for each code. `catch` leaves the code, `--reload-on-exception-type` takes the name. */
export const faults = {
  abort: [-1, 'aborted'],
  abortMessage: [-2, 'aborted'],
  stackOverflow: [-3, 'stack overflow'],
  stackUnderflow: [-4, 'stack underflow'],
  returnStackOverflow: [-5, 'return stack overflow'],
  returnStackUnderflow: [-6, 'return stack underflow'],
  memoryExhausted: [-8, 'memory exhausted'],
  invalidAddress: [-9, 'invalid memory address'],
  divisionByZero: [-10, 'division by zero'],
  outOfRange: [-11, 'result out of range'],
  undefinedWord: [-13, 'undefined word'],
  compileOnly: [-14, 'only to be used inside of a definition'],
  missingName: [-16, 'a name is missing'],
  nameTooLong: [-19, 'name too long'],
  controlStructure: [-22, 'control structure mismatch'],
  invalidArgument: [-24, 'invalid argument'],
  returnStackImbalance: [-25, 'return stack imbalance'],
  tooManySteps: [-28, 'too many steps'],
  unfinished: [-39, 'unexpected end of the source'],
  invalidBase: [-40, 'invalid base'],
  /** Not in the standard, which leaves -4095 to -256 to systems. */
  host: [-256, 'the host refused'],
  noRequest: [-257, 'no request is being served'],
} as const satisfies Record<string, readonly [code: number, text: string]>

export type FaultName = keyof typeof faults

const names = new Map<number, FaultName>(Object.entries(faults).map(([name, [code]]) => [code, name as FaultName]))

/** Text of the program is one character per byte; people read UTF-8. */
const asText = (bytes: string): string => Buffer.from(bytes, 'latin1').toString()
export const asBytes = (text: string): string => Buffer.from(text).toString('latin1')

/** What a word throws. The message is text of the program's kind: one character per byte. */
export class Fault extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }

  /** `division by zero`, or with more to say: `undefined word: foo`. */
  static of(name: FaultName, more = ''): Fault {
    const [code, text] = faults[name]
    return new Fault(code, more === '' ? text : `${text}: ${more}`)
  }

  /** For `throw`, which may be given any number. */
  static ofCode(code: number): Fault {
    const name = names.get(code)
    return name === undefined ? new Fault(code, `error ${code}`) : Fault.of(name)
  }
}

/** Where a word stands in the source; line and column (in bytes) from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A word that was running, and where in it. */
export interface Call {
  readonly word: string
  readonly place: Place
}

export const placeText = ({ file, line, column }: Place): string => `${file}:${line}:${column}`

export class ForthError extends GuestError {
  readonly throwCode: number
  readonly fault: string

  /**
   * @param calls from the inside out; none: the program has not begun to run
   * @param untold how many calls more there were
   */
  constructor(fault: Fault, calls: readonly Call[], untold = 0) {
    const shown = calls.map(({ word, place }) => `  in ${asText(word)} (${placeText(place)})`)
    if (untold > 0) shown.push(`  ... called by ${untold} more`)
    const message = asText(fault.message)
    const [innermost] = calls
    const title = innermost === undefined ? message : `${placeText(innermost.place)}: ${message}`
    super('forth', message, [title, ...shown].join('\n'))
    this.throwCode = fault.code
    this.fault = names.get(fault.code) ?? 'thrown'
  }

  /** A program that ran for too long must not be able to go on. */
  get isCatchable(): boolean {
    return this.throwCode !== faults.tooManySteps[0]
  }
}
