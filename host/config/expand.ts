// Expansion of values: `%(placeholder)`, `$(ENVIRONMENT)`, `@(file)`, and in files also `%d` and its like. One pass: text
// that was put in is not looked at again, so a value from outside cannot smuggle a placeholder in.
import { resolve } from 'node:path'
import type { ConfigError } from '../errors.ts'
import type { Directive, DirectiveStore } from './directive.ts'
import { badValue, decodeText, readFault, unreadable, written } from './faults.ts'
import type { OptionTable } from './option-table.ts'
import { evaluatePlaceholder } from './placeholder.ts'
import { shown } from './shown.ts'
import type { Surroundings } from './surroundings.ts'

// A placeholder of two placeholders of two placeholders doubles with each step.
const largestExpansion = 16 * 1024 * 1024
const deepestNesting = 100
// Room for the longest path; a bound keeps a text full of open parentheses from being searched to its end for each.
const longestInner = 4200

export interface ExpansionContext {
  /** The options there are. */
  readonly table: OptionTable
  readonly store: DirectiveStore
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly surroundings: Surroundings
  /** Gets what deserves a word but is no error. */
  warn(warning: string): void
}

export class Expansion {
  readonly #context: ExpansionContext
  readonly #known = new Map<Directive, string | true>()
  readonly #underWay: Directive[] = []
  readonly #used = new Set<string>()
  #length = 0

  constructor(context: ExpansionContext) {
    this.#context = context
  }

  /** The names that some placeholder has asked for. */
  get usedNames(): ReadonlySet<string> {
    return this.#used
  }

  /** @throws ConfigError */
  value(directive: Directive): string | true {
    const known = this.#known.get(directive)
    if (known !== undefined) return known
    const start = this.#underWay.indexOf(directive)
    if (start !== -1) {
      const circle = [...this.#underWay.slice(start), directive].map(({ name }) => shown(name))
      throw refusal(directive, `the placeholder refers to itself (${circle.join(' -> ')})`)
    }
    if (this.#underWay.length >= deepestNesting) {
      throw refusal(directive, `placeholders refer to placeholders more than ${deepestNesting} times`)
    }
    this.#underWay.push(directive)
    const value = directive.isLiteral || directive.value === true ? directive.value : this.#text(directive, directive.value)
    this.#underWay.pop()
    this.#length += value === true ? 0 : value.length
    if (this.#length > largestExpansion) throw refusal(directive, `the values grow past ${largestExpansion} characters`)
    this.#known.set(directive, value)
    return value
  }

  #text(directive: Directive, text: string): string {
    let result = ''
    let position = 0
    for (const match of text.matchAll(marks)) {
      // A mark inside of what was just replaced, as the second % of %%, is no mark.
      if (match.index < position) continue
      const replaced = this.#mark(directive, text, match.index)
      if (replaced === undefined) continue
      result += text.slice(position, match.index) + replaced.text
      position = replaced.end
      if (result.length > largestExpansion) throw refusal(directive, `the values grow past ${largestExpansion} characters`)
    }
    return result + text.slice(position)
  }

  /** What stands for the mark at `start`, and where the text goes on; undefined: the mark stands for itself. */
  #mark(directive: Directive, text: string, start: number): { text: string; end: number } | undefined {
    const next = text[start + 1]
    if (next === '(') {
      const ahead = text.slice(start + 2, start + 2 + longestInner)
      const close = ahead.indexOf(')')
      if (close === -1) return undefined
      const replacement = this.#parenthesised(directive, text[start]!, ahead.slice(0, close))
      return replacement === undefined ? undefined : { text: replacement, end: start + 2 + close + 1 }
    }
    if (text[start] !== '%' || next === undefined || directive.magic === undefined) return undefined
    if (next === '%') return { text: '%', end: start + 2 }
    const character = /^%\{([0-9a-f]{1,6})\}/i.exec(text.slice(start, start + 9))
    if (character !== null && Number.parseInt(character[1]!, 16) <= 0x10ffff) {
      return { text: String.fromCodePoint(Number.parseInt(character[1]!, 16)), end: start + character[0].length }
    }
    if (!/[a-z0-9[]/i.test(next)) return undefined
    const magic = directive.magic.get(next)
    if (magic === undefined) {
      const place = `${directive.where}: ${written(directive.name, directive.value)}`
      this.#context.warn(`${place}: %${next} is not a magic variable and stands for nothing; write %%${next} for itself`)
    }
    return { text: magic ?? '', end: start + 2 }
  }

  #parenthesised(directive: Directive, mark: string, inner: string): string | undefined {
    if (mark === '$') return this.#context.env[inner]
    if (mark === '@') return this.#contents(directive, inner)
    if (inner === '_' && directive.item !== undefined) return directive.item
    const result = evaluatePlaceholder(inner, (name) => this.#named(directive, name))
    if ('fault' in result) throw refusal(directive, `%(${shown(inner)}): ${result.fault}`)
    return result.text
  }

  /** The first value of a name, the strongest layer first. */
  #named(directive: Directive, name: string): string | undefined {
    if (name === '_' && directive.item !== undefined) return directive.item
    this.#used.add(name)
    const first = this.#context.store.named(name)[0]
    if (first === undefined) return undefined
    const value = this.value(first)
    return value === true ? '1' : value
  }

  #contents(directive: Directive, source: string): string {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(source)?.[1]?.toLowerCase()
    if (scheme === 'exec') throw refusal(directive, `@(${shown(source)}): running a program for an option value is not supported`)
    if (scheme !== undefined) throw refusal(directive, `@(${shown(source)}): only files can be read here, not ${scheme}://`)
    try {
      const text = decodeText(this.#context.surroundings.readFile(resolve(this.#context.cwd, source)))
      return text.replace(/\r?\n$/, '')
    } catch (error) {
      throw unreadable(directive.where, `${shown(directive.name)}: cannot read @(${shown(source)}): ${readFault(error)}`, error)
    }
  }
}

const marks = /[%$@]/g

const refusal = (directive: Directive, problem: string): ConfigError =>
  badValue(directive.where, `${written(directive.name, directive.value)}: ${problem}`)
