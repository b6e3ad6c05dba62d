// The outer interpreter: reads names, runs the words they mean, or compiles them while a definition is open.
// Invariant: a definition that is not completed leaves nothing behind that a name leads to.
import { foldCase, type Word } from './dictionary.ts'
import { Fault, type Place, placeText } from './errors.ts'
import type { Code, Interpreter } from './interpreter.ts'
import { parseNumber } from './numbers.ts'
import { literalWord, runColon } from './runtime-words.ts'
import type { Source } from './source.ts'

/** What a control structure has begun and another word must complete: `if`, `begin`, `do`... */
export interface Open {
  readonly kind: string
  /** The operand to patch, or the place to jump back to. */
  readonly at: number
  readonly place: Place
  /** More operands to patch: of `leave`, of `endof`. */
  readonly exits: number[]
}

interface Definition {
  readonly word: Word
  readonly place: Place
  readonly open: Open[]
}

/** What the interpreter keeps of a word beside its code. */
const wordCharge = 128

export class Compiler {
  readonly #forth: Interpreter
  #source: Source | undefined
  #definition: Definition | undefined
  /** `[` was read: words run although a definition is open. */
  isPaused = false
  /** The word that `immediate` and `does>` change. */
  latest: Word | undefined

  constructor(forth: Interpreter) {
    this.#forth = forth
  }

  get isCompiling(): boolean {
    return this.#definition !== undefined && !this.isPaused
  }

  /** Where the name that was read last stands; undefined while no source is read. */
  get place(): Place | undefined {
    return this.#source?.place
  }

  /** For words that read on themselves. */
  get source(): Source {
    if (this.#source === undefined) throw Fault.of('missingName', 'no source is being read here')
    return this.#source
  }

  /** The name that comes next, folded. */
  name(): string {
    return foldCase(this.source.name())
  }

  /** The word whose name comes next. */
  nextWord(): Word {
    return this.#find(this.name())
  }

  #find(name: string): Word {
    const word = this.#forth.dictionary.find(name)
    if (word === undefined) throw Fault.of('undefinedWord', name)
    return word
  }

  /** Reads a source to its end. @throws ForthError */
  interpret(source: Source): void {
    const outer = this.#source
    const outerDefinition = this.#definition
    this.#source = source
    try {
      for (let name = source.next(); name !== undefined; name = source.next()) {
        this.#forth.spend(1)
        this.#interpretName(name)
      }
      const open = this.#definition
      if (open !== outerDefinition && open !== undefined) {
        throw Fault.of('unfinished', `the definition of ${open.word.name} at ${placeText(open.place)} has no ;`)
      }
    } catch (error) {
      const located = this.#forth.located(error, source.place)
      this.#definition = outerDefinition
      this.isPaused = false
      throw located
    } finally {
      this.#source = outer
    }
  }

  #interpretName(name: string): void {
    const forth = this.#forth
    const word = forth.dictionary.find(foldCase(name))
    if (word === undefined) {
      const number = parseNumber(name, forth.base)
      if (number === undefined) throw Fault.of('undefinedWord', name)
      if (this.isCompiling) this.literal(number)
      else forth.push(number)
    } else if (this.isCompiling) {
      if (word.isImmediate) forth.run(word)
      else this.emit(word)
    } else {
      if (word.isCompileOnly && this.#definition === undefined) throw Fault.of('compileOnly', name)
      forth.run(word)
    }
  }

  emit(...codes: Code[]): void {
    for (const code of codes) this.#forth.emit(code, this.place)
  }

  literal(value: bigint): void {
    this.emit(literalWord, value)
  }

  /** A string that lasts as long as the program, left by the code that is compiled, or right here. */
  string(text: string): void {
    const address = BigInt(this.#forth.memory.keep(Buffer.from(text, 'latin1')))
    for (const cell of [address, BigInt(text.length)]) {
      if (this.isCompiling) this.literal(cell)
      else this.#forth.push(cell)
    }
  }

  // Definitions.

  /** Makes a word that does not wait for a `;`. */
  create(action: Word['action'], parts: { isValue?: boolean } = {}): void {
    const name = this.name()
    this.#forth.memory.charge(wordCharge + name.length)
    this.latest = this.#forth.dictionary.define(name, action, { ...parts, data: this.#forth.memory.here })
  }

  begin(name: string): Word {
    if (this.#definition !== undefined) {
      throw Fault.of('controlStructure', `the definition of ${this.#definition.word.name} is not completed`)
    }
    const { dictionary, memory, codeEnd } = this.#forth
    memory.charge(wordCharge + name.length)
    const word = dictionary.make(name, runColon, { start: codeEnd })
    this.#definition = { word, place: this.source.place, open: [] }
    this.isPaused = false
    return word
  }

  end(): void {
    const { word, open } = this.#current
    const left = open.at(-1)
    if (left !== undefined) throw Fault.of('controlStructure', `${left.kind} at ${placeText(left.place)} is not completed`)
    this.#definition = undefined
    this.latest = word
    if (word.name !== '') this.#forth.dictionary.reveal(word)
  }

  /** The word being defined. */
  get current(): Word {
    return this.#current.word
  }

  get #current(): Definition {
    if (this.#definition === undefined) throw Fault.of('compileOnly')
    return this.#definition
  }

  // Control structures.

  /** @param at the operand to patch, or the place to jump back to */
  open(kind: string, at: number, exits: number[] = []): void {
    this.#current.open.push({ kind, at, exits, place: this.source.place })
  }

  /** The structure begun last, which must be one of these. */
  close(...kinds: string[]): Open {
    const last = this.#current.open.pop()
    if (last === undefined) throw Fault.of('controlStructure', `there is no ${kinds.join(' or ')} to go with it`)
    if (!kinds.includes(last.kind)) {
      throw Fault.of('controlStructure', `it goes with ${kinds.join(' or ')}, not with ${last.kind} at ${placeText(last.place)}`)
    }
    return last
  }

  /** The innermost structure of a kind. */
  within(kind: string): Open {
    const found = this.#current.open.findLast((open) => open.kind === kind)
    if (found === undefined) throw Fault.of('controlStructure', `there is no ${kind} around it`)
    return found
  }

  /** Compiles a jump whose target is not known yet. @returns what to patch */
  jump(word: Word): number {
    this.emit(word, 0)
    return this.#forth.codeEnd - 1
  }

  /** Jumps compiled before lead here. */
  land(...jumps: number[]): void {
    for (const at of jumps) this.#forth.patch(at, this.#forth.codeEnd)
  }
}
