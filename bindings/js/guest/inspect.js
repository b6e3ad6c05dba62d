// Values as text for people: what console prints, and how errors reach the server's log. Invariant: it never throws and
// never calls a getter, whatever the value is; depth, items and length are bounded.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayJoin, ArrayPush, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, StringSlice } = P

  const maxDepth = 2
  const maxItems = 100
  const maxText = 10_000
  const lineWidth = 72

  const cut = (text) =>
    text.length > maxText ? `${StringSlice(text, 0, maxText)}... ${text.length - maxText} more characters` : text

  const plainName = /^[A-Za-z_$][\w$]*$/
  const quoted = (text) => {
    const json = P.JSONStringify(cut(text))
    if (P.StringIncludes(json, "'")) return json
    return `'${P.StringReplaceAll(StringSlice(json, 1, -1), '\\"', '"')}'`
  }
  const keyText = (key) => {
    if (typeof key === 'symbol') return `[${P.SymbolToString(key)}]`
    return P.RegExpExec(plainName, key) !== null ? key : quoted(key)
  }

  const tryOr = (read, fallback) => {
    try {
      return read()
    } catch {
      return fallback
    }
  }

  // Own or inherited data property, read without running a getter of the guest's.
  const dataOf = (object, name) => {
    for (let at = object, steps = 0; at !== null && steps < 100; at = ObjectGetPrototypeOf(at), steps += 1) {
      const descriptor = ObjectGetOwnPropertyDescriptor(at, name)
      if (descriptor !== undefined) return descriptor.value
    }
    return undefined
  }

  const constructorName = (object) => {
    const prototype = ObjectGetPrototypeOf(object)
    if (prototype === null) return '[Object: null prototype]'
    const constructor = dataOf(prototype, 'constructor')
    const name = typeof constructor === 'function' ? dataOf(constructor, 'name') : undefined
    return typeof name === 'string' && name !== '' ? name : 'Object'
  }

  const functionText = (fn) => {
    const isClass = P.StringStartsWith(
      tryOr(() => P.FunctionToString(fn), ''),
      'class',
    )
    const name = dataOf(fn, 'name')
    const shown = typeof name === 'string' && name !== '' ? name : '(anonymous)'
    return isClass ? `[class ${shown}]` : `[Function: ${shown}]`
  }

  const isError = (value) => typeof value === 'object' && value !== null && tryOr(() => value instanceof Error, false)

  // The lines of a stack without those of the glue, with which a program's author can do nothing.
  const guestLines = (stack) => {
    let text = ''
    const lines = P.StringSplit(stack, '\n')
    for (let index = 0; index < lines.length; index += 1) {
      if (lines[index] !== '' && !P.StringIncludes(lines[index], '(polywsgi:')) text += `\n${lines[index]}`
    }
    return text
  }
  lib.guestLines = guestLines

  /** `TypeError: message`, then the guest's stack, then what caused it. */
  const errorText = (error, depth = 0) => {
    let name = tryOr(() => `${error.name}`, 'Error')
    const message = tryOr(() => `${error.message}`, '')
    const code = tryOr(() => (error instanceof lib.UwsgiError ? error.code : ''), '')
    if (code !== '') name = `${name} [${code}]`
    let text = message === '' ? name : `${name}: ${cut(message)}`
    const stack = tryOr(() => error.stack, '')
    if (typeof stack === 'string') text += guestLines(stack)
    const cause = dataOf(error, 'cause')
    if (cause !== undefined && depth < 3)
      text += `\n  caused by: ${isError(cause) ? errorText(cause, depth + 1) : show(cause, 1, [])}`
    const errors = dataOf(error, 'errors')
    if (P.ArrayIsArray(errors) && depth < 3) {
      for (let index = 0; index < errors.length && index < 10; index += 1) {
        text += `\n  [${index}]: ${isError(errors[index]) ? errorText(errors[index], depth + 1) : show(errors[index], 1, [])}`
      }
    }
    return text
  }

  const block = (prefix, open, items, close) => {
    const head = prefix === '' ? '' : `${prefix} `
    if (items.length === 0) return `${head}${open}${close}`
    const oneLine = ArrayJoin(items, ', ')
    if (oneLine.length <= lineWidth && !P.StringIncludes(oneLine, '\n')) return `${head}${open} ${oneLine} ${close}`
    return `${head}${open}\n  ${P.StringReplaceAll(ArrayJoin(items, ',\n'), '\n', '\n  ')}\n${close}`
  }

  const properties = (object, items, depth, parents, skipIndices) => {
    const keys = P.ownKeys(object)
    let shown = 0
    for (let index = 0; index < keys.length; index += 1) {
      const key = keys[index]
      if (skipIndices && typeof key === 'string' && (key === 'length' || P.NumberIsInteger(+key))) continue
      const descriptor = ObjectGetOwnPropertyDescriptor(object, key)
      if (descriptor === undefined || !descriptor.enumerable) continue
      if (shown === maxItems) {
        ArrayPush(items, '... more')
        break
      }
      shown += 1
      const value =
        descriptor.get !== undefined
          ? descriptor.set !== undefined
            ? '[Getter/Setter]'
            : '[Getter]'
          : descriptor.set !== undefined
            ? '[Setter]'
            : show(descriptor.value, depth + 1, parents)
      ArrayPush(items, `${keyText(key)}: ${value}`)
    }
    return items
  }

  const listItems = (length, at, depth, parents) => {
    const items = []
    for (let index = 0; index < length && index < maxItems; index += 1) ArrayPush(items, show(at(index), depth + 1, parents))
    if (length > maxItems) ArrayPush(items, `... ${length - maxItems} more items`)
    return items
  }

  const arrayText = (array, depth, parents) => {
    const items = listItems(array.length, (index) => ObjectGetOwnPropertyDescriptor(array, `${index}`)?.value, depth, parents)
    return block('', '[', properties(array, items, depth, parents, true), ']')
  }

  // Kinds of objects, each told by what only it has: a method of its own that throws on others.
  const special = (object, depth, parents) => {
    const typed = P.TypedArrayName(object)
    if (typed !== undefined) {
      const length = P.TypedArrayLength(object)
      return block(
        `${constructorName(object)}(${length})`,
        '[',
        listItems(length, (index) => object[index], depth, parents),
        ']',
      )
    }
    const size = tryOr(() => P.MapSize(object), undefined)
    if (size !== undefined) {
      const items = []
      P.MapForEach(object, (value, key) => {
        if (items.length < maxItems) ArrayPush(items, `${show(key, depth + 1, parents)} => ${show(value, depth + 1, parents)}`)
      })
      if (size > maxItems) ArrayPush(items, `... ${size - maxItems} more items`)
      return block(`${constructorName(object)}(${size})`, '{', items, '}')
    }
    const setSize = tryOr(() => P.SetSize(object), undefined)
    if (setSize !== undefined) {
      const items = []
      P.SetForEach(object, (value) => {
        if (items.length < maxItems) ArrayPush(items, show(value, depth + 1, parents))
      })
      if (setSize > maxItems) ArrayPush(items, `... ${setSize - maxItems} more items`)
      return block(`${constructorName(object)}(${setSize})`, '{', items, '}')
    }
    const time = tryOr(() => P.DateGetTime(object), undefined)
    if (time !== undefined) return isNaN(time) ? 'Invalid Date' : P.DateToISOString(object)
    const length = tryOr(() => P.ArrayBufferByteLength(object), undefined)
    if (length !== undefined) return `ArrayBuffer { byteLength: ${length} }`
    const state = host.promiseState(object)
    if (state === 0) return 'Promise { <pending> }'
    if (state > 0) {
      const result = show(host.promiseResult(object), depth + 1, parents)
      return state === 1 ? `Promise { ${result} }` : `Promise { <rejected> ${result} }`
    }
    for (let index = 0; index < lib.kinds.length; index += 1) {
      if (lib.kinds[index].is(object)) return lib.kinds[index].show(object, (value) => show(value, depth + 1, parents))
    }
    return undefined
  }

  const objectText = (object, depth, parents) => {
    for (let index = 0; index < parents.length; index += 1) if (parents[index] === object) return '[Circular]'
    if (isError(object)) return errorText(object)
    const isArray = P.ArrayIsArray(object)
    const name = constructorName(object)
    if (depth > maxDepth) return isArray ? '[Array]' : `[${name}]`
    const inside = P.ArraySlice(parents)
    ArrayPush(inside, object)
    if (isArray) return arrayText(object, depth, inside)
    const text = special(object, depth, inside)
    if (text !== undefined) return text
    return block(name === 'Object' ? '' : name, '{', properties(object, [], depth, inside, false), '}')
  }

  const show = (value, depth, parents) => {
    switch (typeof value) {
      case 'string':
        return depth === 0 ? value : quoted(value)
      case 'bigint':
        return `${value}n`
      case 'symbol':
        return P.SymbolToString(value)
      case 'function':
        return tryOr(() => functionText(value), '[Function]')
      case 'object':
        if (value === null) return 'null'
        // A proxy's traps are guest code that may throw; so may running out of stack.
        return tryOr(() => (isRegExp(value) ? P.RegExpToString(value) : objectText(value, depth, parents)), '[unprintable]')
      default:
        return isSame(value, -0) ? '-0' : `${value}`
    }
  }
  const isSame = Object.is
  const { isNaN } = Number
  const regExpSource = P.uncurry(Object.getOwnPropertyDescriptor(RegExp.prototype, 'source').get)
  const isRegExp = (value) => value !== RegExp.prototype && tryOr(() => typeof regExpSource(value) === 'string', false)

  /** Text of a value as console prints it; strings at the top are not quoted. */
  lib.inspect = (value) => show(value, 0, [])
  lib.inspectNested = (value) => show(value, 1, [])

  /** What the log says about anything thrown. */
  lib.describe = (thrown) =>
    tryOr(() => (isError(thrown) ? errorText(thrown) : `thrown: ${show(thrown, 1, [])}`), 'an unprintable error')

  lib.reportError = (what, error) => {
    host.log(`${what}: ${lib.describe(error)}`)
  }
}
