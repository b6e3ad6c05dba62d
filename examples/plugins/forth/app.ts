// One Forth program, loaded from its file: a dictionary of its own behind which the core's lies, and the ways the server calls
// its words. A call finds a stack that holds its arguments and nothing else, and what it types outside of requests is logged.
import { readFileSync } from 'node:fs'
import {
  AppLoadError,
  type BytesMap,
  LineJoiner,
  type RequestResult,
  type WorkerContext,
  type WsgiRequest,
} from 'polywsgi/plugin'
import { pushPairs } from './convert.ts'
import { type Dictionary, foldCase, type Word } from './dictionary.ts'
import { Fault, ForthError } from './errors.ts'
import { Exchange } from './exchange.ts'
import { isClientGone } from './host-call.ts'
import { Interpreter } from './interpreter.ts'
import { Source } from './source.ts'

/** Where the option has no value. */
export const defaultMaxSteps = 10_000_000

export class ForthApp {
  readonly forth: Interpreter
  readonly #log: LineJoiner
  readonly #file: string

  constructor(file: string, core: Dictionary, context: WorkerContext) {
    const log = new LineJoiner(context.log)
    const maxSteps = context.options.get('forth-max-steps')
    this.#file = file
    this.#log = log
    this.forth = new Interpreter({
      core,
      memoryLimit: context.memoryLimit,
      maxSteps: typeof maxSteps === 'number' ? maxSteps : defaultMaxSteps,
      log: (bytes) => log.write(bytes),
    })
  }

  /** Reads the file. @throws AppLoadError */
  load(): void {
    try {
      // One character per byte: strings are the bytes that stand in the file.
      const source = new Source(this.#file, readFileSync(this.#file, 'latin1'))
      this.#enter(undefined, () => this.forth.compiler.interpret(source))
    } catch (error) {
      const details = error instanceof ForthError ? error.traceback : ''
      const message = `cannot load the Forth program ${this.#file}: ${(error as Error).message}`
      throw new AppLoadError(message, details, { cause: error })
    }
  }

  /** A word of the program's own. @throws AppLoadError naming it */
  word(name: string): Word {
    const word = this.forth.dictionary.findOwn(foldCase(name))
    if (word === undefined) throw new AppLoadError(`cannot load the Forth program ${this.#file}: it has no word ${name}`)
    return word
  }

  /** @throws ForthError: the host answers 500 */
  serve(request: WsgiRequest, word: Word): RequestResult {
    const exchange = new Exchange(request)
    try {
      this.#enter(exchange, () => this.forth.run(word))
      exchange.finish()
    } catch (error) {
      if (!isClientGone(error)) throw error
    }
    return 0
  }

  /** ( a1 u1 ... an un -- addr u ) What the word leaves below is dropped. */
  rpc(word: Word, args: readonly Uint8Array[]): Uint8Array | undefined {
    const forth = this.forth
    return this.#enter(undefined, () => {
      for (const arg of args) forth.pushBytes(arg)
      forth.run(word)
      if (forth.depth < 2) {
        const left = `${word.name || ':noname'} left ${forth.depth} cells`
        const fault = Fault.of('invalidArgument', `a function called by RPC leaves an address and a length; ${left}`)
        throw new ForthError(fault, forth.callOf(word))
      }
      if (forth.peek(0) === 0n && forth.peek(1) === 0n) return undefined
      return forth.popView().slice()
    })
  }

  /** ( signum -- ) */
  signal(word: Word, signum: number): void {
    this.#enter(undefined, () => {
      this.forth.pushNumber(signum)
      this.forth.run(word)
    })
  }

  /** ( -- ) Runs a word that the server calls if the program has it. */
  hook(name: string): void {
    const word = this.forth.dictionary.findOwn(name)
    if (word !== undefined) this.#enter(undefined, () => this.forth.run(word))
  }

  /** mule-msg-hook ( addr u -- ) False: the program has none. */
  muleMessage(message: Uint8Array): boolean {
    const word = this.forth.dictionary.findOwn('mule-msg-hook')
    if (word === undefined) return false
    this.#enter(undefined, () => {
      this.forth.pushBytes(message)
      this.forth.run(word)
    })
    return true
  }

  /** spooler ( k1 v1 ... kn vn n -- code ), the addresses and lengths of a job's names and values. 0, not mine, without it. */
  spool(file: string, vars: BytesMap, body: Uint8Array): number {
    const word = this.forth.dictionary.findOwn('spooler')
    if (word === undefined) return 0
    const job = new Map(vars).set('spooler_task_name', Buffer.from(file))
    if (body.length > 0) job.set('body', body)
    return this.#enter(undefined, () => {
      pushPairs(this.forth, job)
      this.forth.run(word)
      return Number(this.forth.pop())
    })
  }

  #enter<T>(exchange: Exchange | undefined, work: () => T): T {
    const forth = this.forth
    const outer = forth.exchange
    forth.exchange = exchange
    try {
      return forth.enter(work)
    } finally {
      forth.exchange = outer
      if (exchange === undefined) this.#log.flush()
    }
  }
}
