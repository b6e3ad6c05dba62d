// The inner interpreter: two stacks, a list of code, and a loop that runs one word after the other. Code is a list of words,
// each followed by its operands if it has any; a colon word remembers on the return stack where its caller goes on.
// Invariant: every loop of a program passes `run`, which counts its steps; both stacks and all memory have a limit.
// A cell has 64 bits: arithmetic wraps, and every number of the server fits.
import { Compiler } from './compiler.ts'
import { Dictionary, type Word } from './dictionary.ts'
import { type Call, Fault, ForthError, type Place } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { baseAddress, Memory } from './memory.ts'

export type Code = Word | bigint | number

const dataCells = 4096
const returnCells = 8192
/** Runs within runs (`catch`, `evaluate`, calls by way of other languages) lie on the host's own stack. */
const deepestRun = 64
/** Bytes that may be moved for the price of one step. */
const bytesPerStep = 64
/** What a place in the code costs of the memory limit. */
const codeCharge = 32

/** Traces of deeper calls show this many from the inside. */
const mostCalls = 20

export interface InterpreterOptions {
  readonly core: Dictionary
  /** Bytes. */
  readonly memoryLimit: number
  /** Words that one call from outside may run. */
  readonly maxSteps: number
  /** Where output goes while no request is served. */
  readonly log: (bytes: Uint8Array) => void
}

export class Interpreter {
  readonly dictionary: Dictionary
  readonly memory: Memory
  readonly compiler: Compiler
  readonly log: (bytes: Uint8Array) => void
  /** The request being served, and its response. */
  exchange: Exchange | undefined
  /** Where the code goes on; 0: nowhere, the run is over. */
  ip = 0
  readonly #maxSteps: number
  #steps = 0
  readonly #data = new BigInt64Array(dataCells)
  #depth = 0
  #floor = 0
  /** Numbers are places in the code, bigints are the program's own. */
  readonly #returns: (number | bigint)[] = []
  /** What `catch` caught last. */
  lastError: ForthError | undefined
  #runs = 0
  /** The first place is nobody's: `ip` 0 means the end. */
  readonly #code: Code[] = [0]
  readonly #places: (Place | undefined)[] = [undefined]

  constructor({ core, memoryLimit, maxSteps, log }: InterpreterOptions) {
    this.dictionary = new Dictionary(core)
    this.memory = new Memory(memoryLimit)
    this.#maxSteps = maxSteps
    this.log = log
    this.compiler = new Compiler(this)
  }

  // The data stack.

  push(value: bigint): void {
    if (this.#depth === dataCells) throw Fault.of('stackOverflow')
    // Storing wraps to 64 bits.
    this.#data[this.#depth] = value
    this.#depth += 1
  }

  pushNumber(value: number): void {
    this.push(BigInt(value))
  }

  pushFlag(value: boolean): void {
    this.push(value ? -1n : 0n)
  }

  pop(): bigint {
    if (this.#depth === this.#floor) throw Fault.of('stackUnderflow')
    this.#depth -= 1
    return this.#data[this.#depth] as bigint
  }

  /** How many cells there are, of the call from outside that runs. */
  get depth(): number {
    return this.#depth - this.#floor
  }

  set depth(depth: number) {
    this.#depth = this.#floor + depth
  }

  /** @param place from the top, which is 0 */
  peek(place: number): bigint {
    if (!(place >= 0 && place < this.depth)) throw Fault.of('stackUnderflow')
    return this.#data[this.#depth - 1 - place] as bigint
  }

  // Strings are two cells, address and length.

  /** The bytes themselves, until memory is taken the next time. */
  popView(): Uint8Array {
    const length = this.pop()
    return this.memory.view(this.pop(), length)
  }

  popText(): string {
    return Buffer.from(this.popView()).toString('latin1')
  }

  /** Lays bytes down among the answers; undefined is `0 0`. */
  pushBytes(bytes: Uint8Array | undefined): void {
    this.pushNumber(bytes === undefined ? 0 : this.memory.answer(bytes))
    this.pushNumber(bytes?.length ?? 0)
  }

  pushText(text: string | undefined): void {
    this.pushBytes(text === undefined ? undefined : Buffer.from(text, 'latin1'))
  }

  /** The word whose token is on the stack. */
  popWord(): Word {
    const token = this.pop()
    const word = token >= 0n ? this.dictionary.byToken(token) : undefined
    if (word === undefined) throw Fault.of('invalidArgument', `${token} is no execution token`)
    return word
  }

  // The return stack.

  pushReturn(value: number | bigint): void {
    if (this.#returns.length === returnCells) throw Fault.of('returnStackOverflow')
    this.#returns.push(value)
  }

  /** Leaves the word that runs: the code goes on in its caller. */
  popPlace(): void {
    const place = this.#returns.pop()
    if (typeof place !== 'number') throw Fault.of('returnStackImbalance', 'a value or a loop was left on the return stack')
    this.ip = place
  }

  popReturn(): bigint {
    const value = this.peekReturn(0)
    this.#returns.pop()
    return value
  }

  get returnDepth(): number {
    return this.#returns.length
  }

  /** A value of the program's own; `place` counts from the top, which is 0. */
  peekReturn(place: number): bigint {
    const value = this.#returns.at(-1 - place)
    if (typeof value !== 'bigint') throw Fault.of('returnStackUnderflow')
    return value
  }

  // The code.

  /** The place where the next word will be compiled. */
  get codeEnd(): number {
    return this.#code.length
  }

  emit(code: Code, place: Place | undefined): void {
    this.memory.charge(codeCharge)
    this.#code.push(code)
    this.#places.push(place)
  }

  /** Fills in a place that was not known when the jump to it was compiled. */
  patch(at: number, code: number): void {
    this.#code[at] = code
  }

  /** What stands in the code behind the word that runs. */
  operand(): Code {
    const code = this.#code[this.ip] as Code
    this.ip += 1
    return code
  }

  // Running.

  /** The number base for reading and showing numbers. */
  get base(): number {
    const base = this.memory.fetchCell(BigInt(baseAddress))
    if (base < 2n || base > 36n) throw Fault.of('invalidBase', `${base}, not 2 to 36`)
    return Number(base)
  }

  write(bytes: Uint8Array): void {
    this.spend(bytes.length)
    if (this.exchange === undefined) this.log(bytes)
    else this.exchange.write(bytes)
  }

  /** Accounts for work on so many bytes. */
  spend(bytes: number): void {
    this.count(Math.ceil(bytes / bytesPerStep))
  }

  /** Accounts for work of so many steps. */
  count(steps: number): void {
    this.#steps += steps
    if (this.#steps > this.#maxSteps) throw Fault.of('tooManySteps', `more than ${this.#maxSteps} (forth-max-steps)`)
  }

  /**
   * Runs a word to its end.
   * @throws ForthError, with the word's return stack as it was before
   */
  run(word: Word): void {
    if (this.#runs === deepestRun) throw Fault.of('returnStackOverflow', `runs are nested ${deepestRun} deep`)
    const outerIp = this.ip
    const returns = this.#returns.length
    this.#runs += 1
    try {
      // A colon word comes back to 0. Any other has done its work and leaves it there.
      this.#returns.push(outerIp)
      this.ip = 0
      word.action(this, word)
      while (this.ip !== 0) {
        const next = this.#code[this.ip] as Word
        this.ip += 1
        this.#steps += 1
        if (this.#steps > this.#maxSteps) this.count(0)
        next.action(this, next)
      }
    } catch (error) {
      throw this.located(error)
    } finally {
      this.#returns.length = returns
      this.ip = outerIp
      this.#runs -= 1
    }
  }

  /**
   * A call from outside: `run` on a stack that looks empty. What `work` leaves there, and all answers, are gone afterwards.
   * Within another call (Forth called Lua, which calls Forth) steps count on, answers and the number base stay.
   */
  enter<T>(work: () => T): T {
    const { ip } = this
    const floor = this.#floor
    const depth = this.#depth
    const isOutermost = depth === 0 && this.#runs === 0
    if (isOutermost) {
      this.#steps = 0
      this.lastError = undefined
      this.memory.storeCell(BigInt(baseAddress), 10n)
    }
    this.#floor = depth
    try {
      return work()
    } catch (error) {
      throw this.located(error)
    } finally {
      this.#floor = floor
      this.#depth = depth
      this.ip = ip
      if (isOutermost) this.memory.forgetAnswers()
    }
  }

  /** Where a word's definition begins, as a call. */
  callOf({ name, start = 0 }: Word): Call[] {
    const place = this.#places[start]
    return place === undefined ? [] : [{ word: name || ':noname', place }]
  }

  /**
   * A fault with the place where it happened and the calls that led there; any other error as it is.
   * @param read it happened while this place of a source was read
   */
  located(error: unknown, read?: Place): unknown {
    if (!(error instanceof Fault)) return error
    const source = (place: Place): Call => ({ word: 'the source', place })
    const calls: Call[] = read === undefined ? [] : [source(read)]
    let untold = 0
    for (const ip of [this.ip, ...this.#returns.toReversed()]) {
      const place = typeof ip === 'number' ? this.#places[ip - 1] : undefined
      if (place === undefined) continue
      if (calls.length === mostCalls) untold += 1
      else calls.push({ word: this.dictionary.at(ip as number)?.name || ':noname', place })
    }
    const { place } = this.compiler
    if (read === undefined && place !== undefined) calls.push(source(place))
    return new ForthError(error, calls, untold)
  }
}
