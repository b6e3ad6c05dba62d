// Words that make words, and words that read on in the source: names, strings, comments.
import type { WordTable } from './dictionary.ts'
import { Fault } from './errors.ts'
import { cellSize } from './memory.ts'
import { runCreated } from './runtime-words.ts'
import { Source } from './source.ts'

export const definingWords: WordTable = {
  ':': ({ compiler }) => void compiler.begin(compiler.name()),
  // ( -- xt ) A word without a name.
  ':noname': (forth) => forth.pushNumber(forth.compiler.begin('').token),
  immediate: ({ compiler }) => {
    if (compiler.latest !== undefined) compiler.latest.isImmediate = true
  },
  ']': ({ compiler }) => {
    compiler.isPaused = false
  },
  create: ({ compiler }) => compiler.create(runCreated),
  variable: ({ compiler, memory }) => {
    compiler.create(runCreated)
    memory.allot(cellSize)
  },
  constant: (forth) => {
    const value = forth.pop()
    forth.compiler.create((at) => at.push(value))
  },
  '2constant': (forth) => {
    const second = forth.pop()
    const first = forth.pop()
    forth.compiler.create((at) => {
      at.push(first)
      at.push(second)
    })
  },
  value: (forth) => {
    const { compiler, memory } = forth
    const value = forth.pop()
    compiler.create((at, { data = 0 }) => at.push(at.memory.fetchCell(BigInt(data))), { isValue: true })
    const address = memory.here
    memory.allot(cellSize)
    memory.storeCell(BigInt(address), value)
  },
  "'": (forth) => forth.pushNumber(forth.compiler.nextWord().token),
  char: (forth) => forth.pushNumber(forth.compiler.source.name().charCodeAt(0)),
  // ( addr u -- ) Reads a string as source.
  evaluate: (forth) => forth.compiler.interpret(new Source('(evaluate)', forth.popText())),
  words: (forth) => forth.write(Buffer.from(`${[...forth.dictionary.names()].join(' ')}\n`, 'latin1')),
}

/** Immediate, inside and outside of definitions. */
export const readingWords: WordTable = {
  '(': ({ compiler }) => void compiler.source.upTo(')'),
  '\\': ({ compiler }) => compiler.source.skipLine(),
  's"': ({ compiler }) => compiler.string(compiler.source.upTo('"')),
  '."': (forth) => {
    const { compiler, dictionary } = forth
    const text = compiler.source.upTo('"')
    const type = dictionary.find('type')
    if (!compiler.isCompiling || type === undefined) return forth.write(Buffer.from(text, 'latin1'))
    compiler.string(text)
    compiler.emit(type)
  },
  // ( n -- ) to NAME changes a value.
  to: (forth) => {
    const { compiler, dictionary } = forth
    const word = compiler.nextWord()
    if (!word.isValue || word.data === undefined) throw Fault.of('invalidArgument', `${word.name} is no value`)
    if (!compiler.isCompiling) return forth.memory.storeCell(BigInt(word.data), forth.pop())
    const store = dictionary.find('!')
    compiler.literal(BigInt(word.data))
    if (store !== undefined) compiler.emit(store)
  },
}
