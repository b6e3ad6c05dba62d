// The built-in functions as they were before any guest code ran: what the rest of the glue uses, so that a guest that
// changes a prototype changes its own programs only. Invariant: nothing here is reachable from guest code.
;(_host, lib) => {
  'use strict'
  const { bind, call } = Function.prototype
  /** A method as a function that takes its `this` as the first argument. */
  const uncurry = bind.bind(call)

  const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype)
  const getterOf = (object, name) => uncurry(Object.getOwnPropertyDescriptor(object, name).get)

  /** Guest functions the host calls: each file of the glue adds its own. */
  lib.entries = { __proto__: null }

  lib.primordials = {
    __proto__: null,
    uncurry,
    apply: Reflect.apply,
    ownKeys: Reflect.ownKeys,
    Promise,
    PromiseThen: uncurry(Promise.prototype.then),
    PromiseResolve: bind.call(Promise.resolve, Promise),
    PromiseReject: bind.call(Promise.reject, Promise),
    PromiseWithResolvers: bind.call(Promise.withResolvers, Promise),
    ArrayIsArray: Array.isArray,
    ArrayJoin: uncurry(Array.prototype.join),
    ArrayPush: uncurry(Array.prototype.push),
    ArrayShift: uncurry(Array.prototype.shift),
    ArraySlice: uncurry(Array.prototype.slice),
    ArraySort: uncurry(Array.prototype.sort),
    ArraySplice: uncurry(Array.prototype.splice),
    ArrayBuffer,
    ArrayBufferIsView: ArrayBuffer.isView,
    ArrayBufferSlice: uncurry(ArrayBuffer.prototype.slice),
    ArrayBufferByteLength: getterOf(ArrayBuffer.prototype, 'byteLength'),
    DataViewBuffer: getterOf(DataView.prototype, 'buffer'),
    DataViewByteLength: getterOf(DataView.prototype, 'byteLength'),
    DataViewByteOffset: getterOf(DataView.prototype, 'byteOffset'),
    DateGetTime: uncurry(Date.prototype.getTime),
    DateToISOString: uncurry(Date.prototype.toISOString),
    FunctionToString: uncurry(Function.prototype.toString),
    JSONParse: JSON.parse,
    JSONStringify: JSON.stringify,
    Map,
    MapDelete: uncurry(Map.prototype.delete),
    MapForEach: uncurry(Map.prototype.forEach),
    MapGet: uncurry(Map.prototype.get),
    MapHas: uncurry(Map.prototype.has),
    MapSet: uncurry(Map.prototype.set),
    MapSize: getterOf(Map.prototype, 'size'),
    NumberIsInteger: Number.isInteger,
    ObjectAssign: Object.assign,
    ObjectCreate: Object.create,
    ObjectDefineProperty: Object.defineProperty,
    ObjectFreeze: Object.freeze,
    ObjectGetOwnPropertyDescriptor: Object.getOwnPropertyDescriptor,
    ObjectGetPrototypeOf: Object.getPrototypeOf,
    ObjectKeys: Object.keys,
    ObjectSetPrototypeOf: Object.setPrototypeOf,
    RegExpExec: uncurry(RegExp.prototype.exec),
    RegExpToString: uncurry(RegExp.prototype.toString),
    Set,
    SetAdd: uncurry(Set.prototype.add),
    SetDelete: uncurry(Set.prototype.delete),
    SetForEach: uncurry(Set.prototype.forEach),
    SetHas: uncurry(Set.prototype.has),
    SetSize: getterOf(Set.prototype, 'size'),
    String,
    StringCharCodeAt: uncurry(String.prototype.charCodeAt),
    StringEndsWith: uncurry(String.prototype.endsWith),
    StringFromCharCode: String.fromCharCode,
    StringIncludes: uncurry(String.prototype.includes),
    StringIndexOf: uncurry(String.prototype.indexOf),
    StringLastIndexOf: uncurry(String.prototype.lastIndexOf),
    StringRepeat: uncurry(String.prototype.repeat),
    StringReplaceAll: uncurry(String.prototype.replaceAll),
    StringSlice: uncurry(String.prototype.slice),
    StringSplit: uncurry(String.prototype.split),
    StringStartsWith: uncurry(String.prototype.startsWith),
    StringToLowerCase: uncurry(String.prototype.toLowerCase),
    StringToUpperCase: uncurry(String.prototype.toUpperCase),
    StringToWellFormed: uncurry(String.prototype.toWellFormed),
    StringTrim: uncurry(String.prototype.trim),
    SymbolToString: uncurry(Symbol.prototype.toString),
    TypedArrayBuffer: getterOf(typedArrayPrototype, 'buffer'),
    TypedArrayByteLength: getterOf(typedArrayPrototype, 'byteLength'),
    TypedArrayByteOffset: getterOf(typedArrayPrototype, 'byteOffset'),
    TypedArrayLength: getterOf(typedArrayPrototype, 'length'),
    TypedArrayName: getterOf(typedArrayPrototype, Symbol.toStringTag),
    TypedArraySet: uncurry(typedArrayPrototype.set),
    TypedArraySlice: uncurry(typedArrayPrototype.slice),
    TypedArraySubarray: uncurry(typedArrayPrototype.subarray),
    Uint8Array,
    WeakMap,
    WeakMapGet: uncurry(WeakMap.prototype.get),
    WeakMapSet: uncurry(WeakMap.prototype.set),
  }

  // String.prototype.split and replaceAll ask their argument for Symbol.split and Symbol.replace. With primitive
  // arguments, the only ones the glue uses, they look no further than String.prototype.

  /** A global as the platform defines them: writable, configurable, not enumerable. */
  lib.global = (name, value) => {
    lib.primordials.ObjectDefineProperty(globalThis, name, {
      __proto__: null,
      value,
      writable: true,
      enumerable: false,
      configurable: true,
    })
  }

  /** Gives the class the name that `Object.prototype.toString` shows. */
  lib.tag = (constructor, name) => {
    lib.primordials.ObjectDefineProperty(constructor.prototype, Symbol.toStringTag, {
      __proto__: null,
      value: name,
      configurable: true,
    })
  }

  /** Makes accessors and methods of a class enumerable, as Web IDL has them. */
  lib.enumerable = (constructor, names) => {
    for (let index = 0; index < names.length; index += 1) {
      lib.primordials.ObjectDefineProperty(constructor.prototype, names[index], { __proto__: null, enumerable: true })
    }
  }
}
