// Neutral values of the API to Python objects and back. Only this file knows which is which.
// Invariant: every value is copied; nothing that is handed over shares memory with the other side.
import type { ApiType, ApiValue, OptionMap } from '../../host/api/kinds.ts'
import { ApiArgumentError } from '../../host/errors.ts'
import { type Pointer, type PythonApi, typeOffset } from './capi.ts'

// Py_TPFLAGS_*_SUBCLASS: bits of a type's flags that say what it derives from.
const isInt = 1 << 24
const isBytes = 1 << 27
const isStr = 1 << 28

/** Numbers of the 64-bit range or less go through C; longer ones as hexadecimal text, up to so many characters of it. */
const longestHex = 1024

/** The Python object of a host's value: a new reference, or 0 with an exception set. */
export const toPython = (api: PythonApi, value: ApiValue, type: ApiType): Pointer => {
  const { c } = api
  switch (typeof value) {
    case 'undefined':
      return newReference(api, api.none)
    case 'boolean':
      return newReference(api, value ? api.true : api.false)
    case 'number':
      if (type === 'float') return c.PyFloat_FromDouble(value)
      return (value | 0) === value ? c.PyLong_FromLong(value) : c.PyLong_FromLongLong(BigInt(value))
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? c.PyLong_FromLongLong(value) : longFromText(api, value)
    case 'string':
      return api.newStr(value)
    default:
      return value instanceof Uint8Array ? api.newBytes(value) : optionsDict(api, value)
  }
}

const longFromText = (api: PythonApi, value: bigint): Pointer => {
  const digits = api.newCString(value.toString(16))
  const result = api.c.PyLong_FromString(digits, 0, 16)
  api.c.free(digits)
  return result
}

const newReference = (api: PythonApi, object: Pointer): Pointer => {
  api.c.Py_IncRef(object)
  return object
}

/** As uWSGI has it on Python 3: names are str, values bytes, True for an option without a value; several are a list. */
const optionsDict = (api: PythonApi, options: OptionMap): Pointer => {
  const { c } = api
  const dict = c.PyDict_New()
  const single = (value: string | true): Pointer =>
    value === true ? newReference(api, api.true) : api.newBytes(new TextEncoder().encode(value))
  for (const [name, values] of options) {
    let item: Pointer
    if (values.length === 1) item = single(values[0]!)
    else {
      item = c.PyList_New(0)
      for (const value of values) {
        const element = single(value)
        c.PyList_Append(item, element)
        c.Py_DecRef(element)
      }
    }
    const key = api.newStr(name)
    c.PyDict_SetItem(dict, key, item)
    c.Py_DecRef(key)
    c.Py_DecRef(item)
  }
  return dict
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
  const type = api.words[(object + typeOffset) >> 2]!
  const flags = c.PyType_GetFlags(type)
  if ((flags & isStr) !== 0) {
    const text = api.strText(object)
    if (text !== undefined) return text
    c.PyErr_Clear()
    throw new ApiArgumentError(functionName, argument, 'value', `argument '${argument}' holds a lone surrogate`)
  }
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
