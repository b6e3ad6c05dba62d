// Neutral values of the API to Python objects and back. Only this file knows which is which.
// Invariant: every value is copied; nothing that is handed over shares memory with the other side.
import type { ApiResult, ApiValue, BytesMap, OptionMap, RecordValue } from '../../host/api/kinds.ts'
import { ApiArgumentError } from '../../host/errors.ts'
import type { Pointer, PythonApi } from './capi.ts'

// Py_TPFLAGS_*_SUBCLASS: bits of a type's flags that say what it derives from.
const isInt = 1 << 24
const isBytes = 1 << 27
const isStr = 1 << 28
const isDict = 1 << 29

/** Numbers of the 64-bit range or less go through C; longer ones as hexadecimal text, up to so many characters of it. */
const longestHex = 1024

/** The Python object of a host's value: a new reference, or 0 with an exception set. */
export const toPython = (api: PythonApi, value: ApiValue, type: ApiResult): Pointer => {
  const { c } = api
  switch (typeof value) {
    case 'undefined':
      return api.none
    case 'boolean':
      return value ? api.true : api.false
    case 'number':
      if (type === 'float') return c.PyFloat_FromDouble(value)
      return (value | 0) === value ? c.PyLong_FromLong(value) : c.PyLong_FromLongLong(BigInt(value))
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? c.PyLong_FromLongLong(value) : longFromText(api, value)
    case 'string':
      return api.newStr(value)
  }
  if (value instanceof Uint8Array) return api.newBytes(value)
  if (value instanceof Map) return type === 'options' ? optionsDict(api, value as OptionMap) : bytesDict(api, value as BytesMap)
  if (typeof type === 'object' && 'list' in type) return sequence(api, value as readonly ApiValue[], type.list, type.python)
  if (typeof type === 'object') return recordDict(api, value as RecordValue, type.record)
  return api.raise('typeError', 'the server answered with a value of a kind that was not declared')
}

const longFromText = (api: PythonApi, value: bigint): Pointer => {
  const digits = api.newCString(value.toString(16))
  const result = api.c.PyLong_FromString(digits, 0, 16)
  api.c.free(digits)
  return result
}

const sequence = (api: PythonApi, values: readonly ApiValue[], type: ApiResult, kind: 'list' | 'tuple'): Pointer => {
  const { c } = api
  const isList = kind === 'list'
  const result = isList ? c.PyList_New(values.length) : c.PyTuple_New(values.length)
  for (let index = 0; result !== 0 && index < values.length; index += 1) {
    const item = toPython(api, values[index], type)
    if (item === 0) return given(api, result)
    if (isList) c.PyList_SetItem(result, index, item)
    else c.PyTuple_SetItem(result, index, item)
  }
  return result
}

const recordDict = (api: PythonApi, record: RecordValue, types: Readonly<Record<string, ApiResult>>): Pointer => {
  const dict = api.c.PyDict_New()
  for (const name in types) {
    const value = toPython(api, record[name], types[name] as ApiResult)
    if (!setItem(api, dict, value === 0 ? 0 : api.newStr(name), value)) return given(api, dict)
  }
  return dict
}

/** What a job of the spooler says of itself, as uWSGI has it: under str names, and the file's path is str too. */
const taskName = 'spooler_task_name'
const taskBody = 'body'

/** Names and values both are bytes, as uWSGI has what it parsed from a packet. */
const bytesDict = (api: PythonApi, map: BytesMap): Pointer => {
  const dict = api.c.PyDict_New()
  const isTask = map.has(taskName)
  for (const [name, bytes] of map) {
    const isOwn = isTask && (name === taskName || name === taskBody)
    const value = isOwn && name === taskName ? utf8Str(api, bytes) : api.newBytes(bytes)
    const key = value === 0 ? 0 : isOwn ? api.newStr(name) : api.newBytes(Buffer.from(name, 'latin1'))
    if (!setItem(api, dict, key, value)) return given(api, dict)
  }
  return dict
}

const utf8Str = (api: PythonApi, bytes: Uint8Array): Pointer => api.newStr(Buffer.from(bytes).toString('utf8'))

/** The dict that a job is to the guest: its own variables, and what the spooler says of it. */
export const taskDict = (api: PythonApi, path: string, vars: BytesMap, body: Uint8Array): Pointer => {
  const task = new Map(vars).set(taskName, utf8Encoder.encode(path))
  return bytesDict(api, body.length > 0 ? task.set(taskBody, body) : task)
}

const utf8Encoder = new TextEncoder()

/** As uWSGI has it on Python 3: names are str, values bytes, True for an option without a value; several are a list. */
const optionsDict = (api: PythonApi, options: OptionMap): Pointer => {
  const dict = api.c.PyDict_New()
  const single = (value: string | true): Pointer => (value === true ? api.true : api.newBytes(utf8Encoder.encode(value)))
  for (const [name, values] of options) {
    const item = values.length === 1 ? single(values[0]!) : api.c.PyList_New(values.length)
    if (values.length !== 1) values.forEach((value, index) => void api.c.PyList_SetItem(item, index, single(value)))
    if (!setItem(api, dict, api.newStr(name), item)) return given(api, dict)
  }
  return dict
}

/** Sets an item of a dict and gives both references away. False, with an exception set, when something is NULL or fails. */
const setItem = (api: PythonApi, dict: Pointer, key: Pointer, value: Pointer): boolean => {
  const isSet = dict !== 0 && key !== 0 && value !== 0 && api.c.PyDict_SetItem(dict, key, value) === 0
  if (key !== 0) api.c.Py_DecRef(key)
  if (value !== 0) api.c.Py_DecRef(value)
  return isSet
}

/** Gives back what could not be completed. */
const given = (api: PythonApi, object: Pointer): 0 => {
  if (object !== 0) api.c.Py_DecRef(object)
  return 0
}

/**
 * The host's value of a Python object (borrowed). Bytes, bytearray and memoryview are bytes; None is "not given".
 * @throws ApiArgumentError fault `type` for an object of another kind, `value` for text with a lone surrogate or an
 *   integer beyond any use. No Python exception is left pending.
 */
export const fromPython = (api: PythonApi, object: Pointer, functionName: string, argument: string): ApiValue => {
  const { c } = api
  if (object === api.none) return undefined
  if (object === api.true) return true
  if (object === api.false) return false
  const type = api.typeOf(object)
  if (type === api.bytesType) return api.bytesCopy(object)
  const flags = c.PyType_GetFlags(type)
  if ((flags & isStr) !== 0) return api.strText(object) ?? refuseSurrogate(api, functionName, argument)
  if ((flags & isBytes) !== 0) return api.bytesView(object)?.slice()
  if ((flags & isInt) !== 0) return integerFrom(api, object, functionName, argument)
  if (type === api.floatType) return c.PyFloat_AsDouble(object)
  if (c.PyObject_CheckBuffer(object) !== 0) {
    const bytes = bufferCopy(api, object)
    if (bytes !== undefined) return bytes
    c.PyErr_Clear()
  }
  throw new ApiArgumentError(functionName, argument, 'type', `argument '${argument}' is of a type the API does not take`)
}

/** As `fromPython`, where bytes are wanted: text comes as its UTF-8 without the detour by way of a string. */
export const bytesFromPython = (api: PythonApi, object: Pointer, functionName: string, argument: string): ApiValue => {
  const type = api.typeOf(object)
  if (type === api.bytesType) return api.bytesCopy(object)
  if ((api.c.PyType_GetFlags(type) & isStr) !== 0) {
    return api.utf8Copy(object) ?? refuseSurrogate(api, functionName, argument)
  }
  return fromPython(api, object, functionName, argument)
}

const refuseSurrogate = (api: PythonApi, functionName: string, argument: string): never => {
  api.c.PyErr_Clear()
  throw new ApiArgumentError(functionName, argument, 'value', `argument '${argument}' holds a lone surrogate`)
}

/**
 * Names and values of a dict: names are bytes or str, values those or whole numbers, which stand for their decimal text.
 * @throws ApiArgumentError naming the key whose value is something else
 */
export const dictFromPython = (api: PythonApi, object: Pointer, functionName: string, argument: string): BytesMap => {
  const refuse = (fault: 'type' | 'value', complaint: string): never => {
    throw new ApiArgumentError(functionName, argument, fault, `argument '${argument}' ${complaint}`)
  }
  const textOrBytes = (item: Pointer): Uint8Array | undefined => {
    const flags = api.c.PyType_GetFlags(api.typeOf(item))
    if ((flags & isBytes) !== 0) return api.bytesView(item)?.slice()
    return (flags & isStr) === 0 ? undefined : (api.utf8Copy(item) ?? refuseSurrogate(api, functionName, argument))
  }
  if ((api.c.PyType_GetFlags(api.typeOf(object)) & isDict) === 0) refuse('type', 'must be a dict')
  const map = new Map<string, Uint8Array>()
  // No guest code runs in this loop, so the dict stays as it is. Position, key and value go through `out`, which the
  // conversions use too.
  const slot = api.out >> 2
  for (let position = 0; ; ) {
    api.words[slot] = position
    if (api.c.PyDict_Next(object, api.out, api.out + 4, api.out + 8) === 0) return map
    position = api.words[slot]!
    const [key, value] = [api.words[slot + 1]!, api.words[slot + 2]!]
    const name = textOrBytes(key)
    if (name === undefined) return refuse('type', `has a key that is neither str nor bytes: number ${map.size + 1}`)
    const latin1 = Buffer.from(name).toString('latin1')
    const shown = `'${Buffer.from(name).toString('utf8')}'`
    const bytes = textOrBytes(value) ?? decimalOf(api, value, functionName, argument)
    if (bytes === undefined) return refuse('type', `has a value that is neither bytes, str nor a whole number: ${shown}`)
    if (map.has(latin1)) refuse('value', `has ${shown} twice, as str and as bytes`)
    map.set(latin1, bytes)
  }
}

const decimalOf = (api: PythonApi, object: Pointer, functionName: string, argument: string): Uint8Array | undefined => {
  // True and False are whole numbers to Python; as a value of a job they are a mistake.
  const isNumber = object !== api.true && object !== api.false && (api.c.PyType_GetFlags(api.typeOf(object)) & isInt) !== 0
  return isNumber ? utf8Encoder.encode(String(integerFrom(api, object, functionName, argument))) : undefined
}

/** What a guest answers where a number is expected: undefined for anything else, and for one that no code has. */
export const numberFromPython = (api: PythonApi, object: Pointer): number | undefined => {
  if ((api.c.PyType_GetFlags(api.typeOf(object)) & isInt) === 0) return undefined
  const value = api.c.PyLong_AsLongAndOverflow(object, api.out)
  return api.words[api.out >> 2] === 0 ? value : undefined
}

const integerFrom = (api: PythonApi, object: Pointer, functionName: string, argument: string): number | bigint => {
  const { c } = api
  const small = c.PyLong_AsLongAndOverflow(object, api.out)
  if (api.words[api.out >> 2] === 0) return small
  const long = c.PyLong_AsLongLongAndOverflow(object, api.out)
  if (api.words[api.out >> 2] === 0) {
    const number = Number(long)
    return Number.isSafeInteger(number) ? number : long
  }
  const hex = c.PyNumber_ToBase(object, 16)
  const text = hex === 0 || c.PyUnicode_GetLength(hex) > longestHex ? undefined : api.strText(hex)
  if (hex !== 0) c.Py_DecRef(hex)
  if (text === undefined) {
    c.PyErr_Clear()
    throw new ApiArgumentError(functionName, argument, 'value', `argument '${argument}' is out of range`)
  }
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text)
}

/** struct Py_buffer: 44 bytes on this platform, the address first, the length third. */
const bufferStructSize = 64

/** What the buffer protocol gives of an object, copied; undefined, with an exception set, when it refuses. */
export const bufferCopy = (api: PythonApi, object: Pointer): Uint8Array | undefined => {
  const { c } = api
  const view = c.malloc(bufferStructSize)
  // PyBUF_SIMPLE: one contiguous run of bytes.
  const failed = c.PyObject_GetBuffer(object, view, 0) !== 0
  const bytes = failed ? undefined : api.bytes.slice(api.words[view >> 2]!, api.words[view >> 2]! + api.words[(view + 8) >> 2]!)
  if (!failed) c.PyBuffer_Release(view)
  c.free(view)
  return bytes
}
