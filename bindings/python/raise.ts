// What the host throws, as Python exceptions.
import { ApiArgumentError, GuestError, PolywsgiError } from '../../host/errors.ts'
import type { ExceptionClass, PythonApi } from './capi.ts'

/**
 * ApiArgumentError is TypeError or ValueError by its fault, a refusal is ValueError, what another guest raised is
 * RuntimeError, anything else OSError, as uWSGI raises for what goes wrong outside of Python.
 */
export const raiseHostError = (api: PythonApi, error: unknown): 0 => {
  // Of code that was called by way of the server: it goes through all that wait for it.
  if (error instanceof PolywsgiError && error.code === 'HARAKIRI') return raiseHarakiri(api, error.message)
  return api.raise(exceptionFor(error), error instanceof Error ? error.message : String(error))
}

/** Raises Harakiri where the host knows already what was stopped. */
export const raiseHarakiri = (api: PythonApi, reason: string): 0 => {
  const { c } = api
  const text = api.newStr(reason)
  const error = text === 0 ? 0 : c.PyObject_CallOneArg(api.harakiri, text)
  if (text !== 0) c.Py_DecRef(text)
  if (error === 0) return 0
  c.PyObject_SetAttrString(error, api.name('is_told'), api.true)
  c.PyErr_SetObject(api.harakiri, error)
  c.Py_DecRef(error)
  return 0
}

const exceptionFor = (error: unknown): ExceptionClass => {
  if (error instanceof ApiArgumentError) return error.fault === 'type' ? 'typeError' : 'valueError'
  if (error instanceof GuestError) return 'runtimeError'
  return error instanceof PolywsgiError && error.code === 'API_REFUSED' ? 'valueError' : 'osError'
}
