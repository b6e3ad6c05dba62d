// Words for memory: cells and bytes, taking room, and strings, which are an address and a length.
import type { WordTable } from './dictionary.ts'
import type { Interpreter } from './interpreter.ts'
import { baseAddress, cellSize } from './memory.ts'
import { parseNumber } from './numbers.ts'

const setBase =
  (base: bigint) =>
  (forth: Interpreter): void =>
    forth.memory.storeCell(BigInt(baseAddress), base)

/** Two strings at once, for as long as no memory is taken. */
const popTwo = (forth: Interpreter): readonly [Buffer, Buffer] => {
  const second = asBuffer(forth.popView())
  const first = asBuffer(forth.popView())
  forth.spend(first.length + second.length)
  return [first, second]
}

const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer as ArrayBuffer, byteOffset, length)

export const memoryWords: WordTable = {
  '@': (forth) => forth.push(forth.memory.fetchCell(forth.pop())),
  '!': (forth) => {
    const address = forth.pop()
    forth.memory.storeCell(address, forth.pop())
  },
  '+!': (forth) => {
    const address = forth.pop()
    forth.memory.storeCell(address, forth.memory.fetchCell(address) + forth.pop())
  },
  'c@': (forth) => forth.pushNumber(forth.memory.fetchByte(forth.pop())),
  'c!': (forth) => {
    const address = forth.pop()
    forth.memory.storeByte(address, Number(forth.pop() & 0xffn))
  },
  here: (forth) => forth.pushNumber(forth.memory.here),
  allot: (forth) => {
    const size = Number(forth.pop())
    forth.memory.allot(size)
    forth.spend(Math.abs(size))
  },
  ',': (forth) => {
    const address = BigInt(forth.memory.here)
    const value = forth.pop()
    forth.memory.allot(cellSize)
    forth.memory.storeCell(address, value)
  },
  'c,': (forth) => void forth.memory.keep(Uint8Array.of(Number(forth.pop() & 0xffn))),
  // Keeps a string for good.
  's,': (forth) => void forth.memory.keep(forth.popView().slice()),
  cells: (forth) => forth.push(forth.pop() * BigInt(cellSize)),
  'cell+': (forth) => forth.push(forth.pop() + BigInt(cellSize)),
  chars: () => {},
  'char+': (forth) => forth.push(forth.pop() + 1n),
  unused: (forth) => forth.pushNumber(forth.memory.free),
  base: (forth) => forth.pushNumber(baseAddress),
  hex: setBase(16n),
  decimal: setBase(10n),

  fill: (forth) => {
    const byte = Number(forth.pop() & 0xffn)
    const room = forth.popView()
    forth.spend(room.length)
    room.fill(byte)
  },
  // ( from to u -- ) also where the two overlap.
  move: (forth) => {
    const length = forth.pop()
    const to = forth.memory.view(forth.pop(), length)
    const from = forth.memory.view(forth.pop(), length)
    forth.spend(to.length)
    if (to.buffer === from.buffer)
      new Uint8Array(to.buffer).copyWithin(to.byteOffset, from.byteOffset, from.byteOffset + from.length)
    else to.set(from)
  },

  // ( c-addr -- addr u ) A counted string has its length in its first byte.
  count: (forth) => {
    const address = forth.pop()
    const length = forth.memory.fetchByte(address)
    forth.push(address + 1n)
    forth.pushNumber(length)
  },
  // ( addr u c-addr -- ) At most 255 bytes.
  place: (forth) => {
    const to = forth.pop()
    const text = forth.popView().slice(0, 255)
    forth.memory.view(to + 1n, BigInt(text.length)).set(text)
    forth.memory.storeByte(to, text.length)
  },
  // ( a1 u1 a2 u2 -- n ) Below 0, 0, above 0: as the bytes are ordered.
  compare: (forth) => forth.pushNumber(Buffer.compare(...popTwo(forth))),
  's=': (forth) => {
    const [a, b] = popTwo(forth)
    forth.pushFlag(a.equals(b))
  },
  's+': (forth) => forth.pushBytes(Buffer.concat(popTwo(forth))),
  // ( addr u n -- addr+n u-n ) Never more than there is.
  '/string': (forth) => {
    const wanted = forth.pop()
    const length = forth.pop()
    const rest = wanted > length ? 0n : length - wanted
    forth.push(forth.pop() + length - rest)
    forth.push(rest)
  },
  // ( a1 u1 a2 u2 -- a3 u3 flag ) The rest of the first string from where the second stands in it; all of it when it does not.
  search: (forth) => {
    const address = forth.peek(3)
    const length = forth.peek(2)
    const [text, wanted] = popTwo(forth)
    const at = text.indexOf(wanted)
    forth.push(address + BigInt(Math.max(at, 0)))
    forth.push(length - BigInt(Math.max(at, 0)))
    forth.pushFlag(at >= 0)
  },
  // ( addr u -- n true | 0 false ) A number in the current base.
  's>n': (forth) => {
    const text = forth.popView()
    const number = text.length > 100 ? undefined : parseNumber(Buffer.from(text).toString('latin1'), forth.base)
    forth.push(number ?? 0n)
    forth.pushFlag(number !== undefined)
  },
}
