// Words that only the compiler lays down: literals, jumps, loops. No name leads to them, and what they need stands behind
// them in the code. A counted loop keeps its limit and its index on the return stack.
import type { Action, Word } from './dictionary.ts'
import type { Interpreter } from './interpreter.ts'

const hidden = (name: string, action: Action): Word => ({ name, action, token: -1, isImmediate: false, isCompileOnly: true })

/** What a colon word does: the code goes on at its start, and at its end where it was. */
export const runColon: Action = (forth, { start = 0 }) => {
  forth.pushReturn(forth.ip)
  forth.ip = start
}

/** What a created word does: leaves the address of its data, and goes on with what stands behind `does>`. */
export const runCreated: Action = (forth, { data = 0, does }) => {
  forth.pushNumber(data)
  if (does === undefined) return
  forth.pushReturn(forth.ip)
  forth.ip = does
}

export const exitWord = hidden('exit', (forth) => forth.popPlace())

export const literalWord = hidden('(literal)', (forth) => forth.push(forth.operand() as bigint))

export const branchWord = hidden('(branch)', (forth) => {
  forth.ip = forth.operand() as number
})

export const branchIfZeroWord = hidden('(0branch)', (forth) => {
  const target = forth.operand() as number
  if (forth.pop() === 0n) forth.ip = target
})

export const doWord = hidden('(do)', (forth) => beginLoop(forth, forth.pop(), forth.pop()))

/** Does not run its body when it has nothing to count. */
export const questionDoWord = hidden('(?do)', (forth) => {
  const target = forth.operand() as number
  const index = forth.pop()
  const limit = forth.pop()
  if (index === limit) forth.ip = target
  else beginLoop(forth, index, limit)
})

const beginLoop = (forth: Interpreter, index: bigint, limit: bigint): void => {
  forth.pushReturn(limit)
  forth.pushReturn(index)
}

export const loopWord = hidden('(loop)', (forth) => countLoop(forth, 1n))

export const plusLoopWord = hidden('(+loop)', (forth) => countLoop(forth, forth.pop()))

/** The loop ends when the index crosses the border between limit - 1 and limit, in either direction. */
const countLoop = (forth: Interpreter, step: bigint): void => {
  const start = forth.operand() as number
  const index = forth.popReturn()
  const before = BigInt.asIntN(64, index - forth.peekReturn(0))
  const after = before + step
  if (step >= 0n ? before < 0n && after >= 0n : before >= 0n && after < 0n) {
    forth.popReturn()
    return
  }
  forth.pushReturn(BigInt.asIntN(64, index + step))
  forth.ip = start
}

export const leaveWord = hidden('(leave)', (forth) => {
  forth.popReturn()
  forth.popReturn()
  forth.ip = forth.operand() as number
})

/** Gives the word created last the code that follows it, and ends. */
export const doesWord = hidden('(does>)', (forth) => {
  const word = forth.compiler.latest
  if (word !== undefined) word.does = forth.ip
  forth.popPlace()
})

/** For `postpone`: compiles a word when it runs. */
export const compileWord = hidden('(compile)', (forth) => forth.compiler.emit(forth.operand()))
