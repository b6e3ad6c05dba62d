// FormData: made by programs, and read from `application/x-www-form-urlencoded` and `multipart/form-data` bodies
// (RFC 7578; the names are escaped as HTML has it). Runs only in programs that use it.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { ArrayPush, ArraySplice, StringIndexOf, StringReplaceAll, StringSlice, StringToWellFormed } = P

  const { max } = Math
  const text = (value) => StringToWellFormed(`${value}`)

  class FormData {
    // Names and values in turn.
    #list = []

    static is(value) {
      return typeof value === 'object' && value !== null && #list in value
    }
    static list(form) {
      return form.#list
    }
    #value(value, name) {
      if (!lib.isBlob(value)) return text(value)
      if (value instanceof lib.File && name === undefined) return value
      return new lib.File([value], name === undefined ? 'blob' : text(name), { type: value.type })
    }
    append(name, value, fileName = undefined) {
      ArrayPush(this.#list, text(name), this.#value(value, fileName))
    }
    delete(name) {
      const wanted = text(name)
      for (let index = this.#list.length - 2; index >= 0; index -= 2) {
        if (this.#list[index] === wanted) ArraySplice(this.#list, index, 2)
      }
    }
    get(name) {
      const wanted = text(name)
      for (let index = 0; index < this.#list.length; index += 2) {
        if (this.#list[index] === wanted) return this.#list[index + 1]
      }
      return null
    }
    getAll(name) {
      const wanted = text(name)
      const values = []
      for (let index = 0; index < this.#list.length; index += 2) {
        if (this.#list[index] === wanted) ArrayPush(values, this.#list[index + 1])
      }
      return values
    }
    has(name) {
      return this.get(name) !== null
    }
    set(name, value, fileName = undefined) {
      const wanted = text(name)
      const converted = this.#value(value, fileName)
      let found = false
      for (let index = 0; index < this.#list.length; ) {
        if (this.#list[index] !== wanted) index += 2
        else if (found) ArraySplice(this.#list, index, 2)
        else {
          found = true
          this.#list[index + 1] = converted
          index += 2
        }
      }
      if (!found) ArrayPush(this.#list, wanted, converted)
    }
    forEach(callback, self = undefined) {
      for (let index = 0; index < this.#list.length; index += 2) {
        P.apply(callback, self, [this.#list[index + 1], this.#list[index], this])
      }
    }
    *entries() {
      for (let index = 0; index < this.#list.length; index += 2) yield [this.#list[index], this.#list[index + 1]]
    }
    *keys() {
      for (let index = 0; index < this.#list.length; index += 2) yield this.#list[index]
    }
    *values() {
      for (let index = 0; index < this.#list.length; index += 2) yield this.#list[index + 1]
    }
  }
  const { is: isForm, list: listOf } = FormData
  delete FormData.is
  delete FormData.list
  FormData.prototype[Symbol.iterator] = FormData.prototype.entries
  lib.tag(FormData, 'FormData')

  // ---- writing multipart

  const escapeName = (name) => StringReplaceAll(StringReplaceAll(StringReplaceAll(name, '\n', '%0A'), '\r', '%0D'), '"', '%22')
  const lineBreaks = (value) =>
    StringReplaceAll(StringReplaceAll(StringReplaceAll(value, '\r\n', '\n'), '\r', '\n'), '\n', '\r\n')

  const writeForm = (form) => {
    const boundary = `----polywsgi-${host.uuid()}`
    const parts = []
    let length = 0
    const push = (view) => {
      ArrayPush(parts, view)
      length += P.TypedArrayLength(view)
    }
    const list = listOf(form)
    for (let index = 0; index < list.length; index += 2) {
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(list[index])}"`
      const value = list[index + 1]
      if (typeof value === 'string') push(lib.utf8(`${head}\r\n\r\n${lineBreaks(value)}\r\n`))
      else {
        const type = value.type === '' ? 'application/octet-stream' : value.type
        push(lib.utf8(`${head}; filename="${escapeName(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`))
        push(lib.blobBytes(value))
        push(lib.utf8('\r\n'))
      }
    }
    push(lib.utf8(`--${boundary}--\r\n`))
    return { source: lib.bytes.join(parts, length), type: `multipart/form-data; boundary=${boundary}` }
  }

  ArrayPush(lib.bodyKinds, (init) => (isForm(init) ? writeForm(init) : undefined))

  // ---- reading

  // A parameter of a header value: `name="f\"oo"` or `boundary=x`.
  const parameter = (value, name) => {
    let at = StringIndexOf(value, ';')
    while (at !== -1) {
      const equals = StringIndexOf(value, '=', at)
      if (equals === -1) return undefined
      const key = P.StringToLowerCase(P.StringTrim(StringSlice(value, at + 1, equals)))
      let end = equals + 1
      let content = ''
      if (value[end] === '"') {
        end += 1
        while (end < value.length && value[end] !== '"') {
          if (value[end] === '\\' && (value[end + 1] === '"' || value[end + 1] === '\\')) end += 1
          content += value[end]
          end += 1
        }
        end += 1
      } else {
        const semicolon = StringIndexOf(value, ';', end)
        const stop = semicolon === -1 ? value.length : semicolon
        content = P.StringTrim(StringSlice(value, end, stop))
        end = stop
      }
      if (key === name) return content
      at = StringIndexOf(value, ';', end)
    }
    return undefined
  }

  const unescapeName = (name) => StringReplaceAll(StringReplaceAll(StringReplaceAll(name, '%22', '"'), '%0D', '\r'), '%0A', '\n')

  const broken = () => new TypeError('the body is not well-formed multipart/form-data')

  // The body as text of one character per byte: offsets in it are offsets in the bytes.
  const parseMultipart = (bytes, boundary, form) => {
    const body = host.latin1(bytes)
    const marker = `--${boundary}`
    let at = StringIndexOf(body, marker)
    if (at === -1) throw broken()
    for (;;) {
      at += marker.length
      if (StringSlice(body, at, at + 2) === '--') return
      if (StringSlice(body, at, at + 2) !== '\r\n') throw broken()
      const headEnd = StringIndexOf(body, '\r\n\r\n', at)
      const next = StringIndexOf(body, `\r\n${marker}`, headEnd === -1 ? at : headEnd + 2)
      if (headEnd === -1 || next === -1) throw broken()
      let name
      let fileName
      let type = 'text/plain'
      const lines = P.StringSplit(lib.fromUtf8(P.TypedArraySubarray(bytes, at + 2, headEnd)), '\r\n')
      for (let index = 0; index < lines.length; index += 1) {
        const colon = StringIndexOf(lines[index], ':')
        const header = P.StringToLowerCase(StringSlice(lines[index], 0, colon))
        const value = StringSlice(lines[index], colon + 1)
        if (header === 'content-disposition') {
          name = parameter(value, 'name')
          fileName = parameter(value, 'filename')
        } else if (header === 'content-type') type = P.StringTrim(value)
      }
      if (name === undefined) throw broken()
      const content = P.TypedArraySubarray(bytes, headEnd + 4, max(next, headEnd + 4))
      if (fileName === undefined) form.append(unescapeName(name), lib.fromUtf8(content))
      else form.append(unescapeName(name), new lib.File([content], unescapeName(fileName), { type }))
      at = next + 2
    }
  }

  lib.parseForm = (bytes, contentType) => {
    const form = new FormData()
    const semicolon = StringIndexOf(contentType, ';')
    const type = P.StringToLowerCase(P.StringTrim(semicolon === -1 ? contentType : StringSlice(contentType, 0, semicolon)))
    if (type === 'multipart/form-data') {
      const boundary = parameter(contentType, 'boundary')
      if (boundary === undefined || boundary === '') throw new TypeError('the content type names no boundary')
      parseMultipart(bytes, boundary, form)
    } else if (type === 'application/x-www-form-urlencoded') {
      const list = host.parseQuery(lib.fromUtf8(bytes))
      for (let index = 0; index < list.length; index += 2) form.append(list[index], list[index + 1])
    } else throw new TypeError(`formData() cannot read a body of type ${lib.quote(contentType)}`)
    return form
  }

  return { __proto__: null, FormData }
}
