// Values of the uwsgi API on the stack, by their declared types (README.md has the table):
// - a number is a cell, a truth value a flag, bytes and text an address and a length, `0 0` where nothing is defined;
// - a fraction travels as its decimal text; a function as its execution token;
// - where a number may stand for bytes, its "length" is -1: `5 as-int`;
// - a list is its values and, on top, how many there are, unless there are always so many; names with values are pairs;
// - what has more structure is JSON, bytes in it as text of one character per byte.
import type { ApiParameter, ApiResult, ApiScalar, ApiValue, FunctionOwner } from 'polywsgi/plugin'
import { GuestFunction } from 'polywsgi/plugin'
import type { Word } from './dictionary.ts'
import { Fault } from './errors.ts'
import type { Interpreter } from './interpreter.ts'

/** A word that the host holds. */
export class HeldWord {
  readonly forth: Interpreter
  readonly word: Word

  constructor(forth: Interpreter, word: Word) {
    this.forth = forth
    this.word = word
  }
}

/** Exact: a number where it is one, else a bigint. */
const asNumber = (cell: bigint): number | bigint => (Number.isSafeInteger(Number(cell)) ? Number(cell) : cell)

/** Of its own: the host may keep it. */
const popBytes = (forth: Interpreter): Uint8Array | undefined => {
  if (forth.peek(0) === 0n && forth.peek(1) === 0n) {
    forth.depth -= 2
    return undefined
  }
  const bytes = forth.popView().slice()
  forth.spend(bytes.length)
  return bytes
}

const popCount = (forth: Interpreter): number => {
  const count = forth.pop()
  if (count < 0n || count > forth.depth) throw Fault.of('invalidArgument', `a count of ${count}`)
  return Number(count)
}

/** Takes an argument of a declared type. */
export const popValue = (forth: Interpreter, type: ApiParameter['type'], owner: FunctionOwner): ApiValue => {
  switch (type) {
    case 'int':
    case 'int64':
      return asNumber(forth.pop())
    case 'bool':
      return forth.pop() !== 0n
    case 'float': {
      const text = popBytes(forth)
      if (text === undefined) return undefined
      const number = Number(Buffer.from(text).toString('latin1'))
      if (text.length === 0 || !Number.isFinite(number))
        throw Fault.of('invalidArgument', 'no decimal number where one is wanted')
      return number
    }
    case 'text':
    case 'bytes':
      return popBytes(forth)
    case 'int|bytes':
      if (forth.peek(0) !== -1n) return popBytes(forth)
      forth.pop()
      return asNumber(forth.pop())
    case 'function':
      return new GuestFunction(owner, new HeldWord(forth, forth.popWord()))
    case 'dict': {
      const pairs = Array.from({ length: popCount(forth) }, () => {
        const value = popBytes(forth) ?? new Uint8Array(0)
        return [forth.popText(), value] as const
      })
      return new Map(pairs.reverse())
    }
  }
}

/** Takes as many arguments as the count on top says. */
export const popList = (forth: Interpreter, type: ApiScalar, owner: FunctionOwner): ApiValue[] =>
  Array.from({ length: popCount(forth) }, () => popValue(forth, type, owner)).reverse()

/** Names and values, and how many pairs there are. */
export const pushPairs = (forth: Interpreter, pairs: ReadonlyMap<string, Uint8Array>): void => {
  for (const [name, value] of pairs) {
    forth.pushText(name)
    forth.pushBytes(value)
  }
  forth.pushNumber(pairs.size)
}

/**
 * Leaves a result of a declared type.
 * @param isAlways it is never undefined
 */
export const pushResult = (forth: Interpreter, type: ApiResult, value: ApiValue, isAlways: boolean): void => {
  if (type === 'none') return
  if (type === 'true') {
    // Always true says nothing.
    if (!isAlways) forth.pushFlag(value === true)
  } else if (type === 'dict') {
    if (value === undefined) forth.push(-1n)
    else pushPairs(forth, value as ReadonlyMap<string, Uint8Array>)
  } else if (typeof type === 'object' && 'list' in type && typeof type.list === 'string' && type.list in scalars) {
    const items = (value ?? []) as readonly ApiValue[]
    for (const item of items) pushScalar(forth, type.list as ApiScalar, item)
    if (value === undefined) forth.push(-1n)
    else if (type.count === undefined) forth.pushNumber(items.length)
  } else if (typeof type === 'string' && type in scalars) {
    pushScalar(forth, type as ApiScalar, value)
    if (!isAlways && scalars[type as ApiScalar] === 'cell') forth.pushFlag(value !== undefined)
  } else if (value === undefined) forth.pushBytes(undefined)
  else {
    const json = Buffer.from(JSON.stringify(value, plain))
    // What it was made of was as much work again.
    forth.count(json.length)
    forth.pushBytes(json)
  }
}

const scalars: Readonly<Record<ApiScalar, 'cell' | 'string'>> = {
  int: 'cell',
  int64: 'cell',
  bool: 'cell',
  float: 'string',
  text: 'string',
  bytes: 'string',
}

const pushScalar = (forth: Interpreter, type: ApiScalar, value: ApiValue): void => {
  if (type === 'bool') forth.pushFlag(value === true)
  else if (scalars[type] === 'cell') {
    const cell = BigInt((value ?? 0) as number | bigint)
    if (BigInt.asIntN(64, cell) !== cell) throw Fault.of('outOfRange', `${cell} does not fit a cell`)
    forth.push(cell)
  } else if (value === undefined || value instanceof Uint8Array) forth.pushBytes(value)
  else forth.pushBytes(Buffer.from(String(value)))
}

/** For JSON, which knows neither maps nor bytes nor numbers of 64 bits. */
const plain = (_: string, value: unknown): unknown => {
  if (value instanceof Map) return Object.fromEntries(value)
  if (typeof value === 'bigint') return String(value)
  return isBytes(value) ? Buffer.from(value).toString('latin1') : value
}

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array
