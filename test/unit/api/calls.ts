// Calls of the API as a binding makes them: by name, with neutral values, in a context of the test's own.
import { bindApi } from '../../../host/api/bind.ts'
import type { ApiContext } from '../../../host/api/context.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { ApiArgumentError, PolywsgiError } from '../../../host/errors.ts'
import { testContext } from '../../support/api-context.ts'

export interface Calls {
  call(name: string, ...args: ApiValue[]): ApiValue
  /** The same for a caller who can wait. */
  later(name: string, ...args: ApiValue[]): Promise<ApiValue>
  attribute(name: string): ApiValue
  /** What a call is refused with, in the words a Python guest sees; throws when it is not. */
  fault(name: string, ...args: ApiValue[]): string
}

const pythonClass = (error: PolywsgiError): string => {
  if (error instanceof ApiArgumentError) return error.fault === 'type' ? 'TypeError' : 'ValueError'
  return error.code === 'API_IO' ? 'OSError' : 'ValueError'
}

export const callsOf = (parts: Partial<ApiContext>): Calls => {
  const api = bindApi(testContext(parts))
  const call = (name: string, ...args: ApiValue[]): ApiValue => {
    const bound = api.functions.find(({ entry }) => entry.name === name)
    if (bound === undefined) throw new Error(`the API has no function ${name}`)
    return bound.call(args)
  }
  return {
    call,
    later: async (name, ...args) => {
      const bound = api.functions.find(({ entry }) => entry.name === name)
      if (bound?.callAsync === undefined) throw new Error(`the API has no function ${name} that may wait`)
      return await bound.callAsync(args)
    },
    attribute: (name) => {
      const bound = api.attributes.find(({ entry }) => entry.name === name)
      if (bound === undefined) throw new Error(`the API has no attribute ${name}`)
      return bound.value
    },
    fault: (name, ...args) => {
      try {
        call(name, ...args)
      } catch (error) {
        if (error instanceof PolywsgiError) return `${pythonClass(error)}: ${error.message}`
        throw error
      }
      throw new Error(`${name} was not refused`)
    },
  }
}
