// Binds the table to one thread: each function checks its arguments against their declaration and calls its implementation.
// Bindings see only the result, lists they loop over; no binding knows any function by name.

import { ApiError } from '../errors.ts'
import { checkArguments } from './check-arguments.ts'
import type { ApiContext } from './context.ts'
import { type DirectFunction, directFunctions } from './direct.ts'
import { implementation } from './implement/index.ts'
import type { ApiAttribute, ApiCallable, ApiEntry, ApiFunction, ApiHook, ApiValue } from './kinds.ts'
import { apiTable } from './table/index.ts'
import { Waiting } from './waiting.ts'

/** What a guest may call, ready to be called. */
export interface BoundCallable {
  readonly entry: ApiCallable
  /**
   * @param args what the guest passed, in order, each as the neutral value its binding makes of it
   * @throws ApiArgumentError naming the argument
   */
  call(args: readonly ApiValue[]): ApiValue
}

/** A function of the API, ready to be called by a guest. */
export interface BoundFunction extends BoundCallable {
  readonly entry: ApiFunction
  /**
   * As `call`, but a promise where that would park the thread. Absent for what never waits.
   * @param args may be read until the promise settles: no views of memory that guests go on to write
   */
  callAsync?(args: readonly ApiValue[]): ApiValue | Promise<ApiValue>
  /** A shorter way for calls with one argument of bytes, where there is one. */
  readonly direct?: DirectFunction | undefined
}

export interface BoundAttribute {
  readonly entry: ApiAttribute
  readonly value: ApiValue
}

export interface BoundApi {
  readonly functions: readonly BoundFunction[]
  readonly attributes: readonly BoundAttribute[]
  /** Members that guests assign functions to. */
  readonly hooks: readonly ApiHook[]
}

export const bindApi = (context: ApiContext): BoundApi => {
  const functions: BoundFunction[] = []
  const attributes: BoundAttribute[] = []
  const hooks: ApiHook[] = []
  for (const entry of apiTable as readonly ApiEntry[]) {
    if (entry.shape === 'hook') {
      hooks.push(entry)
      continue
    }
    // The mapped type proved that the implementation takes what the entry declares; past this point arguments are only
    // known at run time, and checkArguments() is what holds them to the declaration.
    const implement = (implementation as Readonly<Record<string, unknown>>)[entry.name] as (
      context: ApiContext,
      ...args: ApiValue[]
    ) => ApiValue | Waiting<ApiValue>
    if (entry.shape === 'attribute') attributes.push({ entry, value: implement(context) as ApiValue })
    else if (context.access.isSandboxed && entry.unsandboxed !== undefined) functions.push({ entry, call: refusal(entry) })
    else {
      const direct = directFunctions[entry.name as keyof typeof directFunctions]?.(context)
      if (entry.kind === 'immediate') {
        const call = (args: readonly ApiValue[]): ApiValue => implement(context, ...checkArguments(entry, args)) as ApiValue
        functions.push({ entry, call, direct })
        continue
      }
      functions.push({
        entry,
        direct,
        call: (args) => {
          const answer = implement(context, ...checkArguments(entry, args))
          return answer instanceof Waiting ? answer.park() : answer
        },
        callAsync: (args) => {
          const answer = implement(context, ...checkArguments(entry, args))
          if (!(answer instanceof Waiting)) return answer
          const { request } = context
          const outcome = answer.promise()
          if (outcome instanceof Promise) request?.suspended()
          return outcome
        },
      })
    }
  }
  return { functions, attributes, hooks }
}

const refusal =
  ({ name, unsandboxed }: ApiFunction) =>
  (): never => {
    throw new ApiError(name, 'API_REFUSED', `not allowed by the sandbox: ${unsandboxed}`)
  }
