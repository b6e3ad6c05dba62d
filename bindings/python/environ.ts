// The WSGI environ of a request, made straight from the vars block: the block is copied into the interpreter's memory and
// cut there, so any byte but the lengths is data. Requests of one client, and of most clients, have the same names in the
// same order and many of the same values, so the last environ of each such shape is kept: a new one is its copy, with the
// values that differ set first.
// Invariant: what an application does to its environ is not seen by the next request; it gets a copy, and values are str.
import { PolywsgiError } from '../../host/errors.ts'
import type { Pointer, PythonApi } from './capi.ts'

/**
 * nginx sends these beside CONTENT_TYPE and CONTENT_LENGTH, and PEP 3333 has no room for them: `wsgiref.validate` refuses
 * an environ that holds them. Differs from uWSGI: it passes them on.
 */
const withheldVariables = new Set(['HTTP_CONTENT_TYPE', 'HTTP_CONTENT_LENGTH'])

/** How many shapes are remembered. All are forgotten when there are more, as when clients send made-up header names. */
const mostShapes = 32

interface Shape {
  /** Never that of another shape. */
  readonly number: number
  readonly count: number
  /** Names, as interned str. */
  readonly keys: readonly Pointer[]
  /** Where names and values lie in `block`: four numbers per variable. */
  places: Int32Array
  block: Uint8Array
  /** The environ of the last request of this shape; never handed out itself. */
  readonly environ: Pointer
  /**
   * For each variable, whether its value does not count: the same name comes again (a mounted app's SCRIPT_NAME and
   * PATH_INFO come twice, the app's own view of the path last), or it is withheld.
   */
  readonly isShadowed: readonly boolean[]
  /** For each variable, whether the scheme depends on it. */
  readonly decidesScheme: readonly boolean[]
  /** A header comes more than once. */
  readonly hasRepeated: boolean
  scheme: string
  coreId: number
}

export class EnvironBuilder {
  readonly #api: PythonApi
  readonly #template: Pointer
  readonly #shapes = new Map<number, Shape>()
  readonly #inputKey: Pointer
  readonly #schemeKey: Pointer
  readonly #coreKey: Pointer
  #places = new Int32Array(256)
  #buffer: Pointer = 0
  /** Of the environ that was built last: a number that others with the same names in the same order have too. */
  shape = 0
  /** Whether a header came more than once in it. */
  hasRepeated = false
  #lastShape = 0
  #bufferSize = 0

  /** @param template a dict of what every environ holds; the reference is given away */
  constructor(api: PythonApi, template: Pointer) {
    this.#api = api
    this.#template = template
    api.c.PyObject_GC_UnTrack(template)
    this.#inputKey = this.#interned('wsgi.input')
    this.#schemeKey = this.#interned('wsgi.url_scheme')
    this.#coreKey = this.#interned('uwsgi.core')
  }

  /**
   * A new dict, or 0 with MemoryError set.
   * @param input the object for `wsgi.input` (borrowed), or 0 for a request without a body
   * @throws PolywsgiError PACKET_MALFORMED for a block that is none
   */
  build(block: Uint8Array, coreId: number, input: Pointer): Pointer {
    const { c } = this.#api
    let places = this.#places
    let count = 0
    // Names alone decide the shape; their lengths in order are a good enough hash of them.
    let hash = 0
    const size = block.length
    for (let at = 0; at < size; count += 1) {
      if (at + 2 > size) throw malformed()
      const keyLength = block[at]! | (block[at + 1]! << 8)
      const valueAt = at + 4 + keyLength
      if (valueAt > size) throw malformed()
      const valueLength = block[valueAt - 2]! | (block[valueAt - 1]! << 8)
      if (count * 4 >= places.length) {
        const larger = new Int32Array(places.length * 2)
        larger.set(places)
        places = larger
        this.#places = larger
      }
      const index = count * 4
      places[index] = at + 2
      places[index + 1] = keyLength
      places[index + 2] = valueAt
      places[index + 3] = valueLength
      hash = (Math.imul(hash, 31) + keyLength) | 0
      at = valueAt + valueLength
      if (at > size) throw malformed()
    }

    let shape = this.#shapes.get(hash)
    if (shape === undefined || shape.count !== count || !this.#update(shape, block)) {
      shape = this.#makeShape(hash, block, count)
      if (shape === undefined) return 0
    }
    this.shape = shape.number
    this.hasRepeated = shape.hasRepeated
    if (shape.coreId !== coreId && !this.#setCore(shape, coreId)) return 0
    const environ = c.PyDict_Copy(shape.environ)
    if (environ !== 0 && input !== 0 && c.PyDict_SetItem(environ, this.#inputKey, input) !== 0) {
      c.Py_DecRef(environ)
      return 0
    }
    return environ
  }

  /** Sets the values that differ. False: the names differ, or memory ran out. */
  #update(shape: Shape, block: Uint8Array): boolean {
    const places = this.#places
    const known = shape.block
    const knownPlaces = shape.places
    const end = shape.count * 4
    let isCopied = false
    let isSchemeStale = false
    for (let index = 0; index < end; index += 4) {
      const keyLength = places[index + 1]!
      if (keyLength !== knownPlaces[index + 1]) return false
      // Backwards: most names of equal length begin with the same `HTTP_`.
      for (let key = places[index]!, old = knownPlaces[index]!, at = keyLength - 1; at >= 0; at -= 1) {
        if (block[key + at] !== known[old + at]) return false
      }
    }
    for (let index = 0; index < end; index += 4) {
      if (shape.isShadowed[index >> 2]) continue
      const start = places[index + 2]!
      const length = places[index + 3]!
      if (length === knownPlaces[index + 3]) {
        let at = 0
        for (const old = knownPlaces[index + 2]!; at < length && block[start + at] === known[old + at]; at += 1);
        if (at === length) continue
      }
      if (!isCopied) {
        if (!this.#copyIn(block)) return this.#drop(shape)
        isCopied = true
      }
      if (!this.#setVariable(shape.environ, shape.keys[index >> 2]!, start, length)) return this.#drop(shape)
      isSchemeStale ||= shape.decidesScheme[index >> 2]!
    }
    if (!isCopied) return true
    if (shape.block.length === block.length) {
      shape.block.set(block)
      shape.places.set(places.length > end ? places.subarray(0, end) : places)
    } else {
      shape.block = new Uint8Array(block)
      shape.places = places.slice(0, end)
    }
    return isSchemeStale ? this.#setScheme(shape) : true
  }

  /** From nothing: the template, and every variable in order, so that of a name that comes twice the last one counts. */
  #makeShape(hash: number, block: Uint8Array, count: number): Shape | undefined {
    const api = this.#api
    const { c } = api
    const old = this.#shapes.get(hash)
    if (old !== undefined) this.#forget(hash, old)
    else if (this.#shapes.size >= mostShapes) for (const [key, shape] of this.#shapes) this.#forget(key, shape)
    const environ = c.PyDict_Copy(this.#template)
    if (environ === 0) return undefined
    const keys: Pointer[] = []
    const decidesScheme: boolean[] = []
    const isWithheld: boolean[] = []
    const headerFlags: boolean[] = []
    let isComplete = this.#copyIn(block)
    for (let index = 0; isComplete && index < count * 4; index += 4) {
      const [keyAt, keyLength, valueAt, valueLength] = this.#places.subarray(index, index + 4) as unknown as [
        number,
        number,
        number,
        number,
      ]
      api.words[api.out >> 2] = c.PyUnicode_DecodeLatin1(this.#buffer + keyAt, keyLength, 0)
      isComplete = api.words[api.out >> 2] !== 0
      if (!isComplete) break
      c.PyUnicode_InternInPlace(api.out)
      keys.push(api.words[api.out >> 2]!)
      const name = Buffer.from(block.subarray(keyAt, keyAt + keyLength)).toString('latin1')
      decidesScheme.push(schemeVariables.has(name))
      headerFlags.push(name.startsWith('HTTP_'))
      isWithheld.push(withheldVariables.has(name))
      if (!isWithheld.at(-1)) isComplete = this.#setVariable(environ, keys.at(-1)!, valueAt, valueLength)
    }
    const places = this.#places.slice(0, count * 4)
    // Interned: the same name is the same object.
    const isShadowed = keys.map((key, index) => isWithheld[index] === true || keys.lastIndexOf(key) !== index)
    const hasRepeated = keys.some((key, index) => keys.lastIndexOf(key) !== index && headerFlags[index] === true)
    // A copy in any case: slice() of a Buffer, which the block may be, would be a view.
    this.#lastShape += 1
    const shape: Shape = {
      number: this.#lastShape,
      count,
      keys,
      places,
      block: new Uint8Array(block),
      environ,
      isShadowed,
      decidesScheme,
      hasRepeated,
      scheme: 'http',
      coreId: 0,
    }
    // Untracked, as the template is: a guest that walks the collector's objects shall not find the environ of another request.
    c.PyObject_GC_UnTrack(environ)
    this.#shapes.set(hash, shape)
    if (!isComplete || !this.#setScheme(shape)) {
      this.#forget(hash, shape)
      return undefined
    }
    return shape
  }

  #setVariable(environ: Pointer, key: Pointer, start: number, length: number): boolean {
    const { c } = this.#api
    const value = c.PyUnicode_DecodeLatin1(this.#buffer + start, length, 0)
    if (value === 0) return false
    const status = c.PyDict_SetItem(environ, key, value)
    c.Py_DecRef(value)
    return status === 0
  }

  #setScheme(shape: Shape): boolean {
    const scheme = schemeOf(shape)
    if (scheme === shape.scheme) return true
    const value = this.#api.newStr(scheme)
    if (value === 0) return false
    const status = this.#api.c.PyDict_SetItem(shape.environ, this.#schemeKey, value)
    this.#api.c.Py_DecRef(value)
    shape.scheme = scheme
    return status === 0
  }

  #setCore(shape: Shape, coreId: number): boolean {
    const value = this.#api.c.PyLong_FromLong(coreId)
    const status = value === 0 ? -1 : this.#api.c.PyDict_SetItem(shape.environ, this.#coreKey, value)
    if (value !== 0) this.#api.c.Py_DecRef(value)
    if (status === 0) shape.coreId = coreId
    return status === 0
  }

  #copyIn(block: Uint8Array): boolean {
    const api = this.#api
    if (block.length > this.#bufferSize) {
      if (this.#buffer !== 0) api.c.free(this.#buffer)
      this.#bufferSize = Math.max(4096, block.length * 2)
      this.#buffer = api.c.malloc(this.#bufferSize)
      if (this.#buffer === 0) {
        this.#bufferSize = 0
        api.raise('memoryError', '')
        return false
      }
    }
    api.bytes.set(block, this.#buffer)
    return true
  }

  /** A shape that could not be brought up to date is half old, half new. The next attempt starts from nothing. */
  #drop(shape: Shape): false {
    this.#api.c.PyErr_Clear()
    for (const [hash, known] of this.#shapes) if (known === shape) this.#forget(hash, shape)
    return false
  }

  #forget(hash: number, shape: Shape): void {
    this.#shapes.delete(hash)
    for (const key of shape.keys) this.#api.c.Py_DecRef(key)
    this.#api.c.Py_DecRef(shape.environ)
  }

  #interned(text: string): Pointer {
    const { api, slot } = { api: this.#api, slot: this.#api.out }
    api.words[slot >> 2] = api.newStr(text)
    api.c.PyUnicode_InternInPlace(slot)
    return api.words[slot >> 2]!
  }
}

const malformed = (): PolywsgiError => new PolywsgiError('PACKET_MALFORMED', 'the vars block of the request is cut off')

/** uWSGI reads the scheme from these; the earlier one decides. REQUEST_SCHEME is what nginx and our gateway send. */
const schemeVariables = new Set(['UWSGI_SCHEME', 'HTTP_X_FORWARDED_PROTO', 'HTTP_X_FORWARDED_SSL', 'HTTPS', 'REQUEST_SCHEME'])

const schemeOf = (shape: Shape): string => {
  const values = new Map<string, string>()
  const { places, block } = shape
  for (let index = 0; index < shape.count * 4; index += 4) {
    if (!shape.decidesScheme[index >> 2]) continue
    const text = (start: number, length: number) => Buffer.from(block.subarray(start, start + length)).toString('latin1')
    values.set(text(places[index]!, places[index + 1]!), text(places[index + 2]!, places[index + 3]!).toLowerCase())
  }
  // PEP 3333 knows these two schemes and no other, whatever a client claims.
  const named = (name: string) => ['http', 'https'].find((scheme) => values.get(name) === scheme)
  const isOn = (name: string) => ['on', '1'].includes(values.get(name) ?? '')
  const forwarded = named('HTTP_X_FORWARDED_PROTO') ?? (isOn('HTTP_X_FORWARDED_SSL') ? 'https' : undefined)
  return named('UWSGI_SCHEME') ?? forwarded ?? (isOn('HTTPS') ? 'https' : undefined) ?? named('REQUEST_SCHEME') ?? 'http'
}
