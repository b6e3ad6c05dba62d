// CPython's C API as Pyodide's wasm module exports it, and the memory both sides share. All traffic with the interpreter
// goes through these calls on raw addresses: no proxy object exists on either side, so a guest cannot hold one.
// Invariant: `bytes` and `words` always view the current memory; they are renewed whenever it grows.
import type { WasmExports, WasmGlobal, WasmMemory, WasmTable } from '../../host/plugin/web-assembly.ts'

/** An address in the interpreter's memory; 0 is C's NULL. A function that returns one of an object hands over a reference. */
export type Pointer = number

/** `ob_type` comes after the reference count in every object. */
const typeOffset = 4
/** struct PyBytesObject: reference count, type, length, hash, and then the bytes. */
const bytesLengthOffset = 8
const bytesContentOffset = 16

export interface PythonExports {
  readonly memory: WasmMemory
  readonly __indirect_function_table: WasmTable
  /** Where the C stack ends at the moment: it grows downwards. */
  readonly __stack_pointer: { value: Pointer }
  malloc(size: number): Pointer
  free(address: Pointer): void

  PyInitConfig_Create(): Pointer
  PyInitConfig_SetInt(config: Pointer, name: Pointer, value: bigint): number
  PyInitConfig_SetStr(config: Pointer, name: Pointer, value: Pointer): number
  PyInitConfig_SetStrList(config: Pointer, name: Pointer, length: number, items: Pointer): number
  PyInitConfig_GetError(config: Pointer, message: Pointer): number
  PyInitConfig_Free(config: Pointer): void
  Py_InitializeFromInitConfig(config: Pointer): number

  PyInterpreterState_Main(): Pointer
  /** One of the thread's own, not in use yet. */
  PyThreadState_New(interpreter: Pointer): Pointer
  PyThreadState_Get(): Pointer
  /** Returns the one that was current. */
  PyThreadState_Swap(threadState: Pointer): Pointer
  PyThreadState_Clear(threadState: Pointer): void
  PyThreadState_Delete(threadState: Pointer): void
  PyUnstable_ThreadState_SetStackProtection(threadState: Pointer, start: Pointer, size: number): number

  Py_CompileString(source: Pointer, fileName: Pointer, start: number): Pointer
  PyEval_EvalCode(code: Pointer, globals: Pointer, locals: Pointer): Pointer
  PyEval_GetBuiltins(): Pointer
  /** Borrowed; 0 outside of Python code. */
  PyEval_GetFrame(): Pointer
  PyFrame_GetCode(frame: Pointer): Pointer
  PyImport_AddModuleRef(name: Pointer): Pointer
  PyImport_ImportModule(name: Pointer): Pointer
  PyModule_GetDict(module: Pointer): Pointer

  Py_IncRef(object: Pointer): void
  Py_DecRef(object: Pointer): void
  PyObject_CallNoArgs(callable: Pointer): Pointer
  PyObject_CallOneArg(callable: Pointer, argument: Pointer): Pointer
  PyObject_Vectorcall(callable: Pointer, args: Pointer, count: number, keywordNames: Pointer): Pointer
  PyObject_GetAttrString(object: Pointer, name: Pointer): Pointer
  PyObject_SetAttrString(object: Pointer, name: Pointer, value: Pointer): number
  PyObject_Str(object: Pointer): Pointer
  PyCallable_Check(object: Pointer): number
  PyObject_GC_UnTrack(object: Pointer): void
  PyObject_CheckBuffer(object: Pointer): number
  PyObject_GetBuffer(object: Pointer, view: Pointer, flags: number): number
  PyBuffer_Release(view: Pointer): void
  PyType_GetFlags(type: Pointer): number
  PyCFunction_NewEx(definition: Pointer, self: Pointer, module: Pointer): Pointer

  PyErr_SetObject(type: Pointer, value: Pointer): void
  PyErr_SetNone(type: Pointer): void
  PyErr_Occurred(): Pointer
  PyErr_Clear(): void
  PyErr_GetRaisedException(): Pointer
  PyErr_CheckSignals(): number
  PyErr_GivenExceptionMatches(exception: Pointer, exceptionClass: Pointer): number

  PyContextVar_Get(variable: Pointer, defaultValue: Pointer, value: Pointer): number

  PyUnicode_DecodeLatin1(bytes: Pointer, length: number, errors: Pointer): Pointer
  PyUnicode_FromStringAndSize(bytes: Pointer, length: number): Pointer
  PyUnicode_AsUTF8AndSize(text: Pointer, length: Pointer): Pointer
  PyUnicode_GetLength(text: Pointer): number
  PyUnicode_InternInPlace(slot: Pointer): void
  PyBytes_FromStringAndSize(bytes: Pointer, length: number): Pointer
  PyBytes_AsString(bytes: Pointer): Pointer
  PyBytes_Size(bytes: Pointer): number
  PyLong_FromLong(value: number): Pointer
  PyLong_FromLongLong(value: bigint): Pointer
  PyLong_FromString(digits: Pointer, end: Pointer, base: number): Pointer
  PyLong_AsLongAndOverflow(value: Pointer, overflow: Pointer): number
  PyLong_AsLongLongAndOverflow(value: Pointer, overflow: Pointer): bigint
  PyNumber_ToBase(value: Pointer, base: number): Pointer
  PyFloat_FromDouble(value: number): Pointer
  PyFloat_AsDouble(value: Pointer): number
  PyDict_New(): Pointer
  PyDict_Copy(dict: Pointer): Pointer
  PyDict_SetItem(dict: Pointer, key: Pointer, value: Pointer): number
  PyDict_SetItemString(dict: Pointer, key: Pointer, value: Pointer): number
  PyDict_GetItem(dict: Pointer, key: Pointer): Pointer
  PyDict_GetItemString(dict: Pointer, key: Pointer): Pointer
  PyDict_Next(dict: Pointer, position: Pointer, key: Pointer, value: Pointer): number
  PyList_New(length: number): Pointer
  PyList_Append(list: Pointer, item: Pointer): number
  /** Takes the reference to `item`. */
  PyList_SetItem(list: Pointer, index: number, item: Pointer): number
  PyTuple_New(length: number): Pointer
  /** Takes the reference to `item`. */
  PyTuple_SetItem(tuple: Pointer, index: number, item: Pointer): number
  PyTuple_Size(tuple: Pointer): number
  PyTuple_GetItem(tuple: Pointer, index: number): Pointer
}

/** C data symbols whose address we need: objects as such, exceptions as pointers to the class. */
const objects = {
  none: '_Py_NoneStruct',
  true: '_Py_TrueStruct',
  false: '_Py_FalseStruct',
  floatType: 'PyFloat_Type',
  bytesType: 'PyBytes_Type',
  strType: 'PyUnicode_Type',
  coroutineType: 'PyCoro_Type',
} as const
const exceptionClasses = {
  typeError: 'PyExc_TypeError',
  valueError: 'PyExc_ValueError',
  osError: 'PyExc_OSError',
  overflowError: 'PyExc_OverflowError',
  memoryError: 'PyExc_MemoryError',
  runtimeError: 'PyExc_RuntimeError',
  systemExit: 'PyExc_SystemExit',
} as const

export type ExceptionClass = keyof typeof exceptionClasses

const utf8Encoder = new TextEncoder()
const latin1Slice = (Buffer.prototype as unknown as { latin1Slice(this: Uint8Array, start: number, end: number): string })
  .latin1Slice
const utf8Slice = (Buffer.prototype as unknown as { utf8Slice(this: Uint8Array, start: number, end: number): string }).utf8Slice

export class PythonApi {
  readonly c: PythonExports
  bytes: Uint8Array
  words: Uint32Array
  /** These three are immortal: references to them are neither taken nor given back. */
  readonly none: Pointer
  readonly true: Pointer
  readonly false: Pointer
  readonly floatType: Pointer
  readonly bytesType: Pointer
  readonly strType: Pointer
  readonly coroutineType: Pointer
  /** The exception that ends code which overran (guest/harakiri.py); 0 before there is one. Borrowed; it lives as long as the interpreter. */
  harakiri: Pointer = 0
  /** Sixteen bytes for results that C returns through a pointer; free to use between any two calls. */
  readonly out: Pointer
  readonly #symbols: Record<string, WasmGlobal>
  readonly #names = new Map<string, Pointer>()

  constructor(exports: WasmExports) {
    this.c = exports as unknown as PythonExports
    this.#symbols = exports as unknown as Record<string, WasmGlobal>
    this.bytes = new Uint8Array(this.c.memory.buffer)
    this.words = new Uint32Array(this.c.memory.buffer)
    this.none = this.symbol(objects.none)
    this.true = this.symbol(objects.true)
    this.false = this.symbol(objects.false)
    this.floatType = this.symbol(objects.floatType)
    this.bytesType = this.symbol(objects.bytesType)
    this.strType = this.symbol(objects.strType)
    this.coroutineType = this.symbol(objects.coroutineType)
    this.out = this.c.malloc(16)
  }

  /** To be called whenever the memory has grown: its old buffer is detached. */
  renewViews(): void {
    this.bytes = new Uint8Array(this.c.memory.buffer)
    this.words = new Uint32Array(this.c.memory.buffer)
  }

  /** The address of a C variable. */
  symbol(name: string): Pointer {
    const global = this.#symbols[name]
    if (global === undefined) throw new Error(`the Python module does not export ${name}`)
    return global.value
  }

  /** The class of a built-in exception (borrowed; it lives as long as the interpreter). */
  exception(name: ExceptionClass): Pointer {
    return this.words[this.symbol(exceptionClasses[name]) >> 2]!
  }

  /** The class of an object (borrowed). */
  typeOf(object: Pointer): Pointer {
    return this.words[(object + typeOffset) >> 2]!
  }

  /** A NUL-terminated C string of our own; the caller frees it. */
  newCString(text: string): Pointer {
    const encoded = utf8Encoder.encode(text)
    const address = this.c.malloc(encoded.length + 1)
    if (address === 0) throw new RangeError('out of memory in the Python interpreter')
    this.bytes.set(encoded, address)
    this.bytes[address + encoded.length] = 0
    return address
  }

  /** A C string that stays: for names that are asked for again and again. */
  name(text: string): Pointer {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    const address = this.newCString(text)
    this.#names.set(text, address)
    return address
  }

  /** A Python `str`. 0, with MemoryError set, when it does not fit. */
  newStr(text: string): Pointer {
    const encoded = utf8Encoder.encode(text)
    const buffer = this.c.malloc(encoded.length + 1)
    if (buffer === 0) return this.raise('memoryError', '')
    this.bytes.set(encoded, buffer)
    const result = this.c.PyUnicode_FromStringAndSize(buffer, encoded.length)
    this.c.free(buffer)
    return result
  }

  /** Python `bytes`. 0, with MemoryError set, when they do not fit. */
  newBytes(bytes: Uint8Array): Pointer {
    const result = this.c.PyBytes_FromStringAndSize(0, bytes.length)
    if (result !== 0) this.bytes.set(bytes, result + bytesContentOffset)
    return result
  }

  /** The text of a Python `str`; undefined, with an exception set, when it is none or holds a lone surrogate. */
  strText(object: Pointer): string | undefined {
    const start = this.c.PyUnicode_AsUTF8AndSize(object, this.out)
    if (start === 0) return undefined
    const length = this.words[this.out >> 2]!
    // As many bytes as characters: ASCII, for which the Latin-1 decoder is the cheap one.
    const decode = length === this.c.PyUnicode_GetLength(object) ? latin1Slice : utf8Slice
    return decode.call(this.bytes, start, start + length)
  }

  /**
   * A view of the content of Python `bytes`: valid until the next call into the interpreter. Undefined, with TypeError
   * set, when it is something else.
   */
  bytesView(object: Pointer): Uint8Array | undefined {
    if (this.typeOf(object) === this.bytesType) {
      const content = object + bytesContentOffset
      return this.bytes.subarray(content, content + this.words[(object + bytesLengthOffset) >> 2]!)
    }
    const start = this.c.PyBytes_AsString(object)
    if (start === 0) return undefined
    return this.bytes.subarray(start, start + this.c.PyBytes_Size(object))
  }

  /** Python `bytes` as Latin-1; undefined, with TypeError set, when it is something else. */
  latin1Text(object: Pointer): string | undefined {
    const start = this.c.PyBytes_AsString(object)
    return start === 0 ? undefined : latin1Slice.call(this.bytes, start, start + this.c.PyBytes_Size(object))
  }

  /** Bytes that `contentOf` found. */
  contentLength = 0

  /**
   * Where the bytes of an object of the class `bytes` lie, or the UTF-8 form of one of the class `str`: `contentLength` of
   * them, valid until the next call into the interpreter. 0 for anything else, a lone surrogate among it.
   */
  contentOf(object: Pointer): Pointer {
    const type = this.typeOf(object)
    if (type === this.bytesType) {
      this.contentLength = this.words[(object + bytesLengthOffset) >> 2]!
      return object + bytesContentOffset
    }
    if (type !== this.strType) return 0
    const start = this.c.PyUnicode_AsUTF8AndSize(object, this.out)
    if (start === 0) this.c.PyErr_Clear()
    else this.contentLength = this.words[this.out >> 2]!
    return start
  }

  /** The content of an object of the very class `bytes`, copied. */
  bytesCopy(object: Pointer): Uint8Array {
    const content = object + bytesContentOffset
    return this.bytes.slice(content, content + this.words[(object + bytesLengthOffset) >> 2]!)
  }

  /** The UTF-8 form of a Python `str`, copied; undefined, with an exception set, when it holds a lone surrogate. */
  utf8Copy(text: Pointer): Uint8Array | undefined {
    const start = this.c.PyUnicode_AsUTF8AndSize(text, this.out)
    return start === 0 ? undefined : this.bytes.slice(start, start + this.words[this.out >> 2]!)
  }

  /** Sets a Python exception. Returns NULL, as a C function that fails does. */
  raise(name: ExceptionClass, message: string): 0 {
    return this.raiseClass(this.exception(name), message)
  }

  raiseClass(exceptionClass: Pointer, message: string): 0 {
    const text = message === '' ? 0 : this.newStr(message)
    if (text === 0) {
      if (this.c.PyErr_Occurred() === 0) this.c.PyErr_SetNone(exceptionClass)
    } else {
      this.c.PyErr_SetObject(exceptionClass, text)
      this.c.Py_DecRef(text)
    }
    return 0
  }
}
