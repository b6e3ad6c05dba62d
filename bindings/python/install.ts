// Makes the guest's `uwsgi` module from the bound API table: a loop, no function is known here by name. Members of the
// shape `hook` are absent until a guest assigns them (hooks.ts finds them).
import type { BoundApi, BoundCallable, BoundFunction } from '../../host/api/bind.ts'
import { type DirectFunction, notDefined } from '../../host/api/direct.ts'
import type { ApiCallable, ApiParameter, ApiValue } from '../../host/api/kinds.ts'
import { ApiArgumentError } from '../../host/errors.ts'
import { ArgumentReader, type KeepFunction } from './arguments.ts'
import type { Pointer, PythonApi } from './capi.ts'
import { toPython } from './convert.ts'
import { type HostFunctionDefinition, raiseHostError } from './host-function.ts'
import type { Interpreter } from './runtime.ts'

const moduleDoc =
  "The server's API, as uWSGI's own `uwsgi` module has it. Bytes are bytes; where bytes are expected, str is taken as UTF-8."

/** After this, `import uwsgi` works in every guest module. Returns the module; the reference is the caller's. */
export const installApi = (interpreter: Interpreter, bound: BoundApi, keep: KeepFunction): Pointer => {
  const { api } = interpreter
  const { c } = api
  const module = c.PyImport_AddModuleRef(api.name('uwsgi'))
  const setAttribute = (name: string, value: Pointer): void => {
    c.PyObject_SetAttrString(module, api.name(name), value)
  }
  const setNew = (name: string, value: Pointer): void => {
    setAttribute(name, value)
    c.Py_DecRef(value)
  }
  setNew('__doc__', api.newStr(moduleDoc))
  const functions = interpreter.hostFunctions(
    bound.functions.map((member) => define(interpreter, member, keep)),
    'uwsgi',
  )
  bound.functions.forEach(({ entry }, index) => {
    for (const alias of entry.aliases ?? []) setAttribute(alias, functions[index]!)
    setNew(entry.name, functions[index]!)
  })
  for (const { entry, value } of bound.attributes) setNew(entry.name, toPython(api, value, entry.type))
  return module
}

/** A host function for Python that takes and answers what the declaration says. */
export const define = (
  interpreter: Interpreter,
  bound: BoundCallable & Pick<BoundFunction, 'direct' | 'callAsync'>,
  keep: KeepFunction,
): HostFunctionDefinition => {
  const { api } = interpreter
  const { entry } = bound
  const { cores } = interpreter
  const callAsync = cores === undefined ? undefined : bound.callAsync
  const { returns } = entry
  const reader = new ArgumentReader(api, entry, keep)
  const directly = bound.direct === undefined ? undefined : directCall(api, bound.direct)
  return {
    name: ownName(entry),
    doc: `${signature(entry)}\n--\n\n${docText(entry)}`,
    takes: 'keywords',
    ...(callAsync === undefined ? {} : { mayWait: true as const }),
    call: (_self, args, count, keywords) => {
      if (directly !== undefined && count === 1 && keywords === 0) {
        const answer = directly(api.words[args >> 2]!)
        if (answer !== undefined) return answer
      }
      let values: ApiValue[]
      try {
        values = reader.read(args, count, keywords)
      } catch (error) {
        // Anything else was thrown by the interpreter itself.
        if (error instanceof ApiArgumentError) return raiseHostError(api, error)
        throw error
      }
      let result: ApiValue
      try {
        if (callAsync !== undefined && cores?.canWait === true) {
          const outcome = callAsync(values)
          if (outcome instanceof Promise) {
            const failed = (error: unknown): Pointer => {
              reader.release(values)
              return raiseHostError(api, error)
            }
            return outcome.then(
              (value) => () => toPython(api, value, returns),
              (error) => () => failed(error),
            )
          }
          result = outcome
        } else result = bound.call(values)
      } catch (error) {
        interpreter.assertAlive()
        reader.release(values)
        return raiseHostError(api, error)
      }
      interpreter.assertAlive()
      return toPython(api, result, returns)
    },
  }
}

/** Bytes that a direct answer may have; a longer one is rare enough to go the ordinary way. */
const directRoom = 16 * 1024

/** Answers for one argument, `bytes` or `str`, when that is possible: a new reference, or NULL with an exception set. */
const directCall = (api: PythonApi, direct: DirectFunction): ((argument: Pointer) => Pointer | undefined) => {
  const { c } = api
  const room = c.malloc(directRoom)
  return (argument) => {
    const key = api.contentOf(argument)
    if (key === 0) return undefined
    const length = direct(api.bytes, key, api.contentLength, api.words, room, directRoom)
    if (length >= 0) return c.PyBytes_FromStringAndSize(room, length)
    if (length !== notDefined) return undefined
    c.Py_IncRef(api.none)
    return api.none
  }
}

/** Without the object whose method it is. */
const ownName = ({ name }: ApiCallable): string => name.slice(name.lastIndexOf('.') + 1)

const pythonLiteral = (value: ApiParameter['default']): string => {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** The form from which `inspect.signature` reads names and defaults; a default before an argument that is required is none. */
const signature = (entry: ApiCallable): string => {
  const { params } = entry
  const lastRequired = params.findLastIndex((param) => param.default === undefined && param.variadic !== true)
  const parts = params.map((param, index) => {
    if (param.variadic === true) return `*${param.name}`
    const isRequired = param.default === undefined || index < lastRequired
    return isRequired ? param.name : `${param.name}=${pythonLiteral(param.default)}`
  })
  return `${ownName(entry)}(${parts.join(', ')})`
}

const docText = ({ doc, params, raises }: ApiCallable): string =>
  [
    doc,
    ...params.map((param) => `${param.name} (${param.type}${param.unit === undefined ? '' : `, ${param.unit}`}): ${param.doc}`),
    ...(raises.length === 0 ? [] : [`Raises an exception for: ${raises.join('; ')}.`]),
  ].join('\n')
