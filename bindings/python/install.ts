// Makes the guest's `uwsgi` module from the bound API table: a loop, no function is known here by name.
import type { BoundApi, BoundFunction } from '../../host/api/bind.ts'
import type { ApiFunction, ApiParameter, ApiValue } from '../../host/api/kinds.ts'
import { ApiArgumentError } from '../../host/errors.ts'
import type { Pointer, PythonApi } from './capi.ts'
import { fromPython, toPython } from './convert.ts'
import { type HostFunctionDefinition, hostAnswer, raiseHostError } from './host-function.ts'
import type { Interpreter } from './runtime.ts'

const moduleDoc =
  "The server's API, as uWSGI's own `uwsgi` module has it. Bytes are bytes; where bytes are expected, str is taken as UTF-8."

/** After this, `import uwsgi` works in every guest module. Returns the module; the reference is the caller's. */
export const installApi = (interpreter: Interpreter, bound: BoundApi): Pointer => {
  const { api } = interpreter
  const { c } = api
  const module = c.PyImport_AddModuleRef(api.name('uwsgi'))
  const setAttribute = (name: string, value: Pointer): void => {
    c.PyObject_SetAttrString(module, api.name(name), value)
    c.Py_DecRef(value)
  }
  setAttribute('__doc__', api.newStr(moduleDoc))
  const definitions = bound.functions.map((entry) => define(api, entry))
  const functions = interpreter.hostFunctions(definitions, 'uwsgi')
  definitions.forEach(({ name }, index) => {
    setAttribute(name, functions[index]!)
  })
  for (const { entry, value } of bound.attributes) setAttribute(entry.name, toPython(api, value, entry.type))
  return module
}

const define = (api: PythonApi, bound: BoundFunction): HostFunctionDefinition => {
  const { entry } = bound
  return {
    name: entry.name,
    doc: `${signature(entry)}\n--\n\n${docText(entry)}`,
    takes: 'keywords',
    call: (_self, args, count, keywords) => {
      let values: ApiValue[]
      try {
        values = readArguments(api, entry, args, count, keywords)
      } catch (error) {
        if (error instanceof ApiArgumentError) return raiseHostError(api, error)
        throw error
      }
      const result = hostAnswer(api, () => ({ value: bound.call(values) }))
      return result === undefined ? 0 : toPython(api, result.value, entry.returns)
    },
  }
}

/** Positional and keyword arguments in declared order. */
const readArguments = (api: PythonApi, entry: ApiFunction, args: Pointer, count: number, keywords: Pointer): ApiValue[] => {
  const { c } = api
  const { name, params } = entry
  const argument = (index: number): Pointer => api.words[(args >> 2) + index]!
  // One more than declared is enough for the table's own complaint about too many.
  const values: ApiValue[] = []
  for (let index = 0; index < Math.min(count, params.length + 1); index += 1) {
    values.push(fromPython(api, argument(index), name, params[index]?.name ?? `${index + 1}`))
  }
  const named = keywords === 0 ? 0 : c.PyTuple_Size(keywords)
  for (let index = 0; index < named; index += 1) {
    const keyword = api.strText(c.PyTuple_GetItem(keywords, index)) ?? '?'
    const position = params.findIndex((param) => param.name === keyword)
    if (position === -1) throw new ApiArgumentError(name, keyword, 'type', `got an unexpected keyword argument '${keyword}'`)
    if (position < count) throw new ApiArgumentError(name, keyword, 'type', `got multiple values for argument '${keyword}'`)
    while (values.length < position) values.push(undefined)
    values[position] = fromPython(api, argument(count + index), name, keyword)
  }
  return values
}

const pythonLiteral = (value: NonNullable<ApiParameter['default']> | null): string => {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** The form from which `inspect.signature` reads names and defaults. */
const signature = ({ name, params }: ApiFunction): string => {
  const parts = params.map((param) =>
    param.default === undefined ? param.name : `${param.name}=${pythonLiteral(param.default)}`,
  )
  return `${name}(${parts.join(', ')})`
}

const docText = ({ doc, params, raises }: ApiFunction): string =>
  [
    doc,
    ...params.map((param) => `${param.name} (${param.type}${param.unit === undefined ? '' : `, ${param.unit}`}): ${param.doc}`),
    ...(raises.length === 0 ? [] : [`Raises an exception for: ${raises.join('; ')}.`]),
  ].join('\n')
