// The part of the companion module through which running Lua code is stopped: what stop-checks.ts has the interpreter call, and the
// hook that ends the code. Both ask JavaScript (stopping.ts); to yield and to raise here keeps the unwinding out of its frames.
import { stopWordsAt } from './stop-checks.ts'
import {
  call,
  constant,
  drop,
  equal,
  i32,
  if_,
  lessSigned,
  load32,
  local,
  type ModuleBuilder,
  return_,
} from './wasm-assembler.ts'

export interface StoppingExports {
  /** Its place in the table goes into the word `stopWordsAt.checkStop`. */
  readonly checkStop: unknown
  /** A lua_Hook. */
  readonly stopHook: unknown
}

/** What `hooked` answers: the code may go on; its thread is to yield; the error on top of its stack is to be raised. */
export const hookAnswer = { goOn: 0, yield: 1, raise: 2 } as const

export const importForStopping = (module: ModuleBuilder) => ({
  poll: module.importFunction('host', 'poll', [i32], []),
  hooked: module.importFunction('host', 'hooked', [i32], [i32]),
})

export const defineStopping = (
  module: ModuleBuilder,
  host: ReturnType<typeof importForStopping>,
  { yieldTo, luaError }: { yieldTo: number; luaError: number },
): void => {
  // checkStop(L): the interpreter also comes here for hooks, and when a stack was moved.
  module.defineFunction('checkStop', [i32], [], 0, [
    [constant(stopWordsAt.countdown), load32, constant(0), lessSigned],
    if_([local.get(0), call(host.poll)]),
  ])
  // stopHook(L, ar)
  const answer = 2
  module.defineFunction('stopHook', [i32, i32], [], 1, [
    [local.get(0), call(host.hooked), local.tee(answer), constant(hookAnswer.yield), equal],
    if_([[local.get(0), constant(0), constant(0), constant(0), call(yieldTo), drop], return_]),
    [local.get(answer), constant(hookAnswer.raise), equal],
    if_([local.get(0), call(luaError), drop]),
  ])
}
