// structuredClone (HTML, "structured data") for what programs without a document have: primitives, plain objects, arrays,
// dates, regular expressions, maps, sets, errors, buffers and views, with cycles. Transfers move ArrayBuffers.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { promiseState } = host
  const { MapGet, MapSet } = P
  const { Array, Boolean, Date, Error, Number, RegExp, String, Object, DataView } = globalThis
  const globals = globalThis
  const regExpSource = P.uncurry(P.ObjectGetOwnPropertyDescriptor(RegExp.prototype, 'source').get)
  const regExpFlags = P.uncurry(P.ObjectGetOwnPropertyDescriptor(RegExp.prototype, 'flags').get)
  const unwrap = [P.uncurry(Number.prototype.valueOf), P.uncurry(String.prototype.valueOf), P.uncurry(Boolean.prototype.valueOf)]
  const transferBuffer = P.uncurry(P.ArrayBuffer.prototype.transfer)

  const errorTypes = ['EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError']
  const viewTypes = { __proto__: null }
  for (const name of [
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'Float16Array',
    'Float32Array',
    'Float64Array',
    'BigInt64Array',
    'BigUint64Array',
  ]) {
    viewTypes[name] = globals[name]
  }

  const isPlatformObject = (object) => {
    for (let index = 0; index < lib.kinds.length; index += 1) if (lib.kinds[index].is(object)) return true
    return promiseState(object) >= 0
  }

  const refuse = (value) => {
    throw new lib.DOMException(`${lib.inspectNested(value)} could not be cloned.`, 'DataCloneError')
  }
  const attempt = (read) => {
    try {
      return read()
    } catch {
      return undefined
    }
  }

  const copyProperties = (from, to, seen) => {
    const keys = P.ObjectKeys(from)
    for (let index = 0; index < keys.length; index += 1) {
      P.ObjectDefineProperty(to, keys[index], {
        __proto__: null,
        value: clone(from[keys[index]], seen),
        writable: true,
        enumerable: true,
        configurable: true,
      })
    }
    return to
  }

  const cloneObject = (object, seen) => {
    const known = MapGet(seen, object)
    if (known !== undefined) return known
    const keep = (copy) => {
      MapSet(seen, object, copy)
      return copy
    }
    if (P.ArrayIsArray(object)) return copyProperties(object, keep(new Array(object.length)), seen)
    if (lib.bytes.isArrayBuffer(object)) return keep(P.ArrayBufferSlice(object, 0))
    if (P.ArrayBufferIsView(object)) {
      const name = P.TypedArrayName(object)
      if (name === undefined) {
        const buffer = clone(P.DataViewBuffer(object), seen)
        return keep(new DataView(buffer, P.DataViewByteOffset(object), P.DataViewByteLength(object)))
      }
      const buffer = clone(P.TypedArrayBuffer(object), seen)
      return keep(new viewTypes[name](buffer, P.TypedArrayByteOffset(object), P.TypedArrayLength(object)))
    }
    const time = attempt(() => P.DateGetTime(object))
    if (time !== undefined) return keep(new Date(time))
    const size = attempt(() => P.MapSize(object))
    if (size !== undefined) {
      const copy = keep(new P.Map())
      P.MapForEach(object, (value, key) => MapSet(copy, clone(key, seen), clone(value, seen)))
      return copy
    }
    const setSize = attempt(() => P.SetSize(object))
    if (setSize !== undefined) {
      const copy = keep(new P.Set())
      P.SetForEach(object, (value) => P.SetAdd(copy, clone(value, seen)))
      return copy
    }
    const source = object === RegExp.prototype ? undefined : attempt(() => regExpSource(object))
    if (source !== undefined) return keep(new RegExp(source, regExpFlags(object)))
    for (let index = 0; index < unwrap.length; index += 1) {
      const primitive = attempt(() => unwrap[index](object))
      if (primitive !== undefined) return keep(new Object(primitive))
    }
    if (object instanceof Error) {
      const name = `${object.name}`
      let type = Error
      for (let index = 0; index < errorTypes.length; index += 1) if (errorTypes[index] === name) type = globals[name]
      const copy = keep(new type(object.message))
      P.ObjectDefineProperty(copy, 'stack', { __proto__: null, value: object.stack, writable: true, configurable: true })
      if ('cause' in object) {
        const cause = clone(object.cause, seen)
        P.ObjectDefineProperty(copy, 'cause', { __proto__: null, value: cause, writable: true, configurable: true })
      }
      return copy
    }
    // Objects with state of their own that cannot be copied by properties.
    if (isPlatformObject(object)) refuse(object)
    return copyProperties(object, keep({}), seen)
  }

  const clone = (value, seen) => {
    if (typeof value === 'function' || typeof value === 'symbol') refuse(value)
    return typeof value === 'object' && value !== null ? cloneObject(value, seen) : value
  }

  const structuredClone = function structuredClone(value, options = undefined) {
    const seen = new P.Map()
    const transfer = options?.transfer ?? []
    for (let index = 0; index < transfer.length; index += 1) {
      if (!lib.bytes.isArrayBuffer(transfer[index])) refuse(transfer[index])
      MapSet(seen, transfer[index], transferBuffer(transfer[index]))
    }
    return clone(value, seen)
  }

  return { __proto__: null, structuredClone }
}
