// For tests of the Forth example: a program run from text, without a server, and what is left of it.
import { createCore } from '../../../examples/plugins/forth/core.ts'
import { ForthError } from '../../../examples/plugins/forth/errors.ts'
import { Interpreter } from '../../../examples/plugins/forth/interpreter.ts'
import { Source } from '../../../examples/plugins/forth/source.ts'
import type { BoundApi } from '../../../host/api/bind.ts'

export interface Outcome {
  /** From the bottom. */
  readonly stack: readonly bigint[]
  readonly output: string
}

export interface Limits {
  readonly maxSteps?: number
  readonly memoryLimit?: number
  readonly api?: BoundApi
}

const noApi: BoundApi = { functions: [], attributes: [], hooks: [] }

export const createForth = (
  log: (bytes: Uint8Array) => void,
  { maxSteps = 1_000_000, memoryLimit = 1024 * 1024, api }: Limits = {},
) => new Interpreter({ core: createCore(api ?? noApi, { name: 'forth' }), memoryLimit, maxSteps, log })

/** @throws ForthError */
export const run = (text: string, limits?: Limits): Outcome => {
  let output = ''
  const forth = createForth((bytes) => {
    output += Buffer.from(bytes).toString('latin1')
  }, limits)
  const stack = forth.enter(() => {
    forth.compiler.interpret(new Source('test.fs', text))
    return Array.from({ length: forth.depth }, (_, place) => forth.peek(place)).reverse()
  })
  return { stack, output }
}

/** The error a program ends with. */
export const failureOf = (text: string, limits?: Limits): ForthError => {
  try {
    run(text, limits)
  } catch (error) {
    if (error instanceof ForthError) return error
    throw error
  }
  throw new Error(`no error: ${text}`)
}
