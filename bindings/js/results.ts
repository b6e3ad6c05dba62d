// What the API answers, as a guest gets it. Plain values are made directly; lists, records and dicts cross as one bjson value
// that says nothing of their meaning, and the glue gives them their form by a shape it got when the function was installed.
// Invariant: what is written for a type is what `writeShape` says of it.
import type { ApiResult, ApiValue, BytesMap, OptionMap, RecordValue } from '../../host/api/kinds.ts'
import type { BjsonWriter } from './bjson.ts'
import type { Converter } from './convert.ts'
import type { Pointer } from './engine.ts'
import { nameToText } from './names.ts'

/** Shapes, by number; guest/uwsgi.js has the same list. */
const plain = 0
const bytes = 1
const dict = 2
const options = 3
/** Followed by the shape of the items. */
const list = 4
/** Followed by the names and by the shapes of their values. */
const record = 5

/** True for what needs nothing done by the glue. */
export const isPlain = (type: ApiResult): boolean => {
  if (typeof type === 'object') return 'list' in type && isPlain(type.list)
  return type !== 'bytes' && type !== 'dict' && type !== 'options'
}

const writeShape = (writer: BjsonWriter, type: ApiResult): void => {
  if (isPlain(type)) writer.number(plain)
  else if (type === 'bytes') writer.number(bytes)
  else if (type === 'dict') writer.number(dict)
  else if (type === 'options') writer.number(options)
  else if (typeof type === 'object' && 'list' in type) {
    writer.array(2)
    writer.number(list)
    writeShape(writer, type.list)
  } else if (typeof type === 'object') {
    const fields = Object.entries(type.record)
    writer.array(3)
    writer.number(record)
    writer.array(fields.length)
    for (const [name] of fields) writer.text(name)
    writer.array(fields.length)
    for (const [, field] of fields) writeShape(writer, field)
  }
}

export const newShape = (converter: Converter, type: ApiResult): Pointer => {
  const writer = converter.beginBjson()
  writeShape(writer, type)
  return converter.fromBjson(writer.bytes)
}

/** The value of a guest; 0 for undefined. Bytes are an ArrayBuffer, until the glue has given them their class. */
export const guestValue = (converter: Converter, type: ApiResult, value: ApiValue): Pointer => {
  if (value === undefined) return 0
  if (typeof value === 'string') return converter.newText(value)
  if (typeof value === 'boolean') return converter.boolean(value)
  if (typeof value === 'number') {
    const isInt32 = type !== 'float' && value === (value | 0) && !Object.is(value, -0)
    return isInt32 ? converter.int32(value) : converter.float(value)
  }
  if (value instanceof Uint8Array) return converter.newBuffer(value)
  const writer = converter.beginBjson()
  converter.bytesGiven += writeValue(writer, type, value)
  return converter.fromBjson(writer.bytes)
}

const wrong = (type: ApiResult): Error =>
  new Error(`an API function returned something else than its type ${typeof type === 'string' ? type : Object.keys(type)[0]}`)

/** @returns how many bytes are in buffers */
const writeValue = (writer: BjsonWriter, type: ApiResult, value: ApiValue): number => {
  if (value === undefined) {
    writer.undefined()
    return 0
  }
  if (typeof type === 'object') {
    return 'list' in type ? writeList(writer, type.list, value) : writeRecord(writer, type.record, value)
  }
  switch (typeof value) {
    case 'string':
      writer.text(value)
      return 0
    case 'boolean':
      writer.boolean(value)
      return 0
    case 'number':
      writer.number(value)
      return 0
    case 'bigint':
      writeInteger(writer, value)
      return 0
  }
  if (value instanceof Uint8Array) {
    writer.buffer(value)
    return value.length
  }
  if (!(value instanceof Map)) throw wrong(type)
  if (type === 'dict') return writeDict(writer, value as BytesMap)
  if (type !== 'options') throw wrong(type)
  writeOptions(writer, value as OptionMap)
  return 0
}

// A number where it is exact, else a BigInt: beyond 2^53 a number would be rounded.
const writeInteger = (writer: BjsonWriter, value: bigint): void => {
  const asNumber = Number(value)
  if (Number.isSafeInteger(asNumber)) writer.number(asNumber)
  else writer.bigint(value)
}

const writeList = (writer: BjsonWriter, type: ApiResult, value: ApiValue): number => {
  if (!Array.isArray(value)) throw wrong({ list: type, python: 'list' })
  const items = value as readonly ApiValue[]
  writer.array(items.length)
  return items.reduce<number>((sum, item) => sum + writeValue(writer, type, item), 0)
}

const writeRecord = (writer: BjsonWriter, fields: Readonly<Record<string, ApiResult>>, value: ApiValue): number => {
  if (typeof value !== 'object' || value instanceof Uint8Array || value instanceof Map) throw wrong({ record: fields })
  const names = Object.keys(fields)
  writer.array(names.length)
  return names.reduce((sum, name) => sum + writeValue(writer, fields[name]!, (value as RecordValue)[name]), 0)
}

/** The list of which the glue makes an object. */
export const newDict = (converter: Converter, value: BytesMap): Pointer => {
  const writer = converter.beginBjson()
  converter.bytesGiven += writeDict(writer, value)
  return converter.fromBjson(writer.bytes)
}

/** Name and value in turn. */
const writeDict = (writer: BjsonWriter, value: BytesMap): number => {
  let size = 0
  writer.array(value.size * 2)
  for (const [name, item] of value) {
    writer.text(nameToText(name))
    writer.buffer(item)
    size += item.length
  }
  return size
}

/** Name, number of values and values of each option in turn. */
const writeOptions = (writer: BjsonWriter, value: OptionMap): void => {
  let count = 0
  for (const values of value.values()) count += 2 + values.length
  writer.array(count)
  for (const [name, values] of value) {
    writer.text(name)
    writer.number(values.length)
    for (const item of values) {
      if (item === true) writer.boolean(true)
      else writer.text(item)
    }
  }
}
