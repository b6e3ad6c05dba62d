// What the host throws, as Python exceptions.
import { ApiArgumentError, GuestError, PolywsgiError } from '../../host/errors.ts'
import type { ExceptionClass, PythonApi } from './capi.ts'

/**
 * ApiArgumentError is TypeError or ValueError by its fault, a refusal is ValueError, what another guest raised is
 * RuntimeError, anything else OSError, as uWSGI raises for what goes wrong outside of Python.
 */
export const raiseHostError = (api: PythonApi, error: unknown): 0 =>
  api.raise(exceptionFor(error), error instanceof Error ? error.message : String(error))

const exceptionFor = (error: unknown): ExceptionClass => {
  if (error instanceof ApiArgumentError) return error.fault === 'type' ? 'typeError' : 'valueError'
  if (error instanceof GuestError) return 'runtimeError'
  return error instanceof PolywsgiError && error.code === 'API_REFUSED' ? 'valueError' : 'osError'
}
