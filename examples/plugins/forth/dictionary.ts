// The words a program can use: its own, and behind them the core's, which all programs of a thread share.
// Invariant: a word's token (what `'` leaves) never changes and is never given to another word; the latest definition of a
// name hides those before it, in code that is compiled from then on.
import type { Interpreter } from './interpreter.ts'

/** What a word does, which is told itself. It may read operands behind it in the code, and change where the code goes on. */
export type Action = (forth: Interpreter, word: Word) => void
export type WordTable = Readonly<Record<string, Action>>

export interface Word {
  /** '' for a word of `:noname`. */
  readonly name: string
  readonly action: Action
  readonly token: number
  /** Runs while others are compiled. */
  isImmediate: boolean
  readonly isCompileOnly: boolean
  /** Of a colon definition: where its code begins. */
  readonly start?: number
  /** Of `create`, `variable` and `value`: the address of its data. */
  readonly data?: number
  /** Where the code behind `does>` begins, if the word has been given any. */
  does?: number
  /** `to` may change it. */
  readonly isValue?: boolean
}

/** Names are alike whatever the case of their ASCII letters. Other bytes are what they are. */
export const foldCase = (name: string): string => name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

export interface WordParts {
  readonly isImmediate?: boolean
  readonly isCompileOnly?: boolean
  readonly start?: number
  readonly data?: number
  readonly isValue?: boolean
}

export class Dictionary {
  readonly #core: Dictionary | undefined
  readonly #words: Word[] = []
  readonly #names = new Map<string, Word>()

  constructor(core?: Dictionary) {
    this.#core = core
  }

  get size(): number {
    return (this.#core?.size ?? 0) + this.#words.length
  }

  /** Makes a word that no name leads to yet. */
  make(name: string, action: Action, parts: WordParts = {}): Word {
    const word: Word = { isImmediate: false, isCompileOnly: false, ...parts, name, action, token: this.size }
    this.#words.push(word)
    return word
  }

  /** From now on the word is what its name means. */
  reveal(word: Word): void {
    this.#names.set(word.name, word)
  }

  define(name: string, action: Action, parts?: WordParts): Word {
    const word = this.make(name, action, parts)
    this.reveal(word)
    return word
  }

  defineAll(table: WordTable, parts?: WordParts): void {
    for (const [name, action] of Object.entries(table)) this.define(name, action, parts)
  }

  /** @param name folded */
  find(name: string): Word | undefined {
    return this.#names.get(name) ?? this.#core?.find(name)
  }

  /** Only among the program's own. */
  findOwn(name: string): Word | undefined {
    return this.#names.get(name)
  }

  byToken(token: bigint): Word | undefined {
    const first = this.#core?.size ?? 0
    return token < first ? this.#core?.byToken(token) : this.#words[Number(token) - first]
  }

  /** The colon definition that a place in the code belongs to. */
  at(ip: number): Word | undefined {
    return this.#words.findLast(({ start }) => start !== undefined && start <= ip)
  }

  /** The latest first, the core's last. */
  *names(): Iterable<string> {
    yield* [...this.#names.keys()].reverse()
    if (this.#core !== undefined) yield* this.#core.names()
  }
}
