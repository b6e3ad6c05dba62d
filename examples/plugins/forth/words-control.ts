// Words that steer: the structures inside of definitions, all of which run while one is compiled, and what calls and catches.
import type { Action, Word, WordTable } from './dictionary.ts'
import { Fault, ForthError } from './errors.ts'
import {
  branchIfZeroWord,
  branchWord,
  compileWord,
  doesWord,
  doWord,
  exitWord,
  leaveWord,
  loopWord,
  plusLoopWord,
  questionDoWord,
} from './runtime-words.ts'

const endLoop =
  (word: Word): Action =>
  ({ compiler }) => {
    const { at, exits } = compiler.close('do')
    compiler.emit(word, at)
    compiler.land(...exits)
  }

/** Immediate, and only inside of definitions. */
export const controlWords: WordTable = {
  if: ({ compiler }) => compiler.open('if', compiler.jump(branchIfZeroWord)),
  else: ({ compiler }) => {
    const { at } = compiler.close('if')
    const end = compiler.jump(branchWord)
    compiler.land(at)
    compiler.open('else', end)
  },
  // biome-ignore lint/suspicious/noThenProperty: a word of Forth, in a table nobody awaits
  then: ({ compiler }) => compiler.land(compiler.close('if', 'else').at),

  begin: ({ compiler, codeEnd }) => compiler.open('begin', codeEnd),
  until: ({ compiler }) => compiler.emit(branchIfZeroWord, compiler.close('begin').at),
  again: ({ compiler }) => compiler.emit(branchWord, compiler.close('begin').at),
  while: ({ compiler }) => {
    const { at } = compiler.close('begin')
    compiler.open('while', at, [compiler.jump(branchIfZeroWord)])
  },
  repeat: ({ compiler }) => {
    const { at, exits } = compiler.close('while')
    compiler.emit(branchWord, at)
    compiler.land(...exits)
  },

  do: (forth) => {
    forth.compiler.emit(doWord)
    forth.compiler.open('do', forth.codeEnd)
  },
  '?do': (forth) => {
    const skip = forth.compiler.jump(questionDoWord)
    forth.compiler.open('do', forth.codeEnd, [skip])
  },
  loop: endLoop(loopWord),
  '+loop': endLoop(plusLoopWord),
  leave: ({ compiler }) => void compiler.within('do').exits.push(compiler.jump(leaveWord)),

  case: ({ compiler }) => compiler.open('case', 0),
  of: (forth) => {
    const { compiler, dictionary } = forth
    compiler.within('case')
    for (const name of ['over', '=']) compiler.emit(dictionary.find(name) as Word)
    compiler.open('of', compiler.jump(branchIfZeroWord))
    compiler.emit(dictionary.find('drop') as Word)
  },
  endof: ({ compiler }) => {
    const { at } = compiler.close('of')
    compiler.within('case').exits.push(compiler.jump(branchWord))
    compiler.land(at)
  },
  endcase: ({ compiler, dictionary }) => {
    compiler.emit(dictionary.find('drop') as Word)
    compiler.land(...compiler.close('case').exits)
  },

  ';': ({ compiler }) => {
    compiler.emit(exitWord)
    compiler.end()
  },
  exit: ({ compiler }) => compiler.emit(exitWord),
  recurse: ({ compiler }) => compiler.emit(compiler.current),
  'does>': ({ compiler }) => compiler.emit(doesWord),
  literal: (forth) => forth.compiler.literal(forth.pop()),
  "[']": ({ compiler }) => compiler.literal(BigInt(compiler.nextWord().token)),
  '[char]': ({ compiler }) => compiler.literal(BigInt(compiler.source.name().charCodeAt(0))),
  '[': ({ compiler }) => {
    compiler.isPaused = true
  },
  postpone: ({ compiler }) => {
    const word = compiler.nextWord()
    if (word.isImmediate) compiler.emit(word)
    else compiler.emit(compileWord, word)
  },
  // ( flag -- ) abort" text" raises an error with this text when the flag is not 0.
  'abort"': ({ compiler, dictionary }) => {
    const over = compiler.jump(branchIfZeroWord)
    compiler.string(compiler.source.upTo('"'))
    compiler.emit(dictionary.find('(abort")') as Word)
    compiler.land(over)
  },
}

/** Only inside of definitions: what they keep lies on the return stack. */
export const returnStackWords: WordTable = {
  '>r': (forth) => forth.pushReturn(forth.pop()),
  'r>': (forth) => forth.push(forth.popReturn()),
  'r@': (forth) => forth.push(forth.peekReturn(0)),
  i: (forth) => forth.push(forth.peekReturn(0)),
  j: (forth) => forth.push(forth.peekReturn(2)),
  unloop: (forth) => {
    forth.popReturn()
    forth.popReturn()
  },
}

/** In steps. */
const errorCost = 1000

export const callingWords: WordTable = {
  execute: (forth) => {
    const word = forth.popWord()
    word.action(forth, word)
  },
  // ( xt -- 0 | n ) Runs a word; n is the code of the error that ended it, and the stack is as deep as before.
  catch: (forth) => {
    const word = forth.popWord()
    const { depth } = forth
    try {
      forth.run(word)
    } catch (error) {
      if (!(error instanceof ForthError) || !error.isCatchable) throw error
      // Making an error is much work, the more calls led there.
      forth.count(errorCost + forth.returnDepth)
      // What the word took away cannot be had again: these cells are there, and hold anything.
      forth.depth = depth
      forth.lastError = error
      forth.pushNumber(error.throwCode)
      return
    }
    forth.push(0n)
  },
  throw: (forth) => {
    const code = forth.pop()
    if (code !== 0n) throw Fault.ofCode(Number(code))
  },
  abort: () => {
    throw Fault.of('abort')
  },
  '(abort")': (forth) => {
    throw Fault.of('abortMessage', forth.popText())
  },
  // ( -- addr u ) What the error that was caught last said.
  'error-message': (forth) => forth.pushBytes(forth.lastError === undefined ? undefined : Buffer.from(forth.lastError.message)),
}
