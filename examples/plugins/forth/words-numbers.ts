// Words that only look at the stacks: arranging cells, arithmetic, comparing. Cells are 64 bits, arithmetic wraps; a flag is
// -1 or 0, and anything but 0 counts as true. Division rounds down, so that a remainder has its divisor's sign.
import type { WordTable } from './dictionary.ts'
import { Fault } from './errors.ts'
import type { Interpreter } from './interpreter.ts'
import { unsigned } from './numbers.ts'

const unary =
  (compute: (a: bigint) => bigint) =>
  (forth: Interpreter): void =>
    forth.push(compute(forth.pop()))

const binary =
  (compute: (a: bigint, b: bigint) => bigint) =>
  (forth: Interpreter): void => {
    const b = forth.pop()
    forth.push(compute(forth.pop(), b))
  }

const test =
  (holds: (a: bigint) => boolean) =>
  (forth: Interpreter): void =>
    forth.pushFlag(holds(forth.pop()))

const compare =
  (holds: (a: bigint, b: bigint) => boolean) =>
  (forth: Interpreter): void => {
    const b = forth.pop()
    forth.pushFlag(holds(forth.pop(), b))
  }

/** Takes so many cells and puts some of them back: `abc` are they, the top last. */
const arrange =
  (count: number, order: readonly number[]) =>
  (forth: Interpreter): void => {
    forth.peek(count - 1)
    const cells = order.map((place) => forth.peek(count - 1 - place))
    forth.depth -= count
    for (const cell of cells) forth.push(cell)
  }

const divide = (a: bigint, b: bigint): readonly [quotient: bigint, remainder: bigint] => {
  if (b === 0n) throw Fault.of('divisionByZero')
  const remainder = a % b
  return remainder !== 0n && remainder < 0n !== b < 0n ? [a / b - 1n, remainder + b] : [a / b, remainder]
}

const shift = (bits: bigint, move: (by: bigint) => bigint): bigint => (unsigned(bits) < 64n ? move(bits) : 0n)

export const numberWords: WordTable = {
  dup: (forth) => forth.push(forth.peek(0)),
  '?dup': (forth) => {
    if (forth.peek(0) !== 0n) forth.push(forth.peek(0))
  },
  drop: (forth) => void forth.pop(),
  swap: arrange(2, [1, 0]),
  over: (forth) => forth.push(forth.peek(1)),
  rot: arrange(3, [1, 2, 0]),
  '-rot': arrange(3, [2, 0, 1]),
  nip: arrange(2, [1]),
  tuck: arrange(2, [1, 0, 1]),
  '2dup': arrange(2, [0, 1, 0, 1]),
  '2drop': arrange(2, []),
  '2swap': arrange(4, [2, 3, 0, 1]),
  '2over': arrange(4, [0, 1, 2, 3, 0, 1]),
  pick: (forth) => forth.push(forth.peek(Number(forth.pop()))),
  depth: (forth) => forth.pushNumber(forth.depth),

  '+': binary((a, b) => a + b),
  '-': binary((a, b) => a - b),
  '*': binary((a, b) => a * b),
  '/': binary((a, b) => divide(a, b)[0]),
  mod: binary((a, b) => divide(a, b)[1]),
  '/mod': (forth) => {
    const b = forth.pop()
    const [quotient, remainder] = divide(forth.pop(), b)
    forth.push(remainder)
    forth.push(quotient)
  },
  // The product in between has all its bits.
  '*/': (forth) => {
    const c = forth.pop()
    const b = forth.pop()
    forth.push(divide(forth.pop() * b, c)[0])
  },
  '1+': unary((a) => a + 1n),
  '1-': unary((a) => a - 1n),
  '2*': unary((a) => a << 1n),
  '2/': unary((a) => a >> 1n),
  negate: unary((a) => -a),
  abs: unary((a) => (a < 0n ? -a : a)),
  // biome-ignore lint/complexity/useMathMinMax: Math knows no numbers of 64 bits
  min: binary((a, b) => (a < b ? a : b)),
  // biome-ignore lint/complexity/useMathMinMax: Math knows no numbers of 64 bits
  max: binary((a, b) => (a > b ? a : b)),
  and: binary((a, b) => a & b),
  or: binary((a, b) => a | b),
  xor: binary((a, b) => a ^ b),
  invert: unary((a) => ~a),
  lshift: binary((a, bits) => shift(bits, (by) => a << by)),
  rshift: binary((a, bits) => shift(bits, (by) => unsigned(a) >> by)),

  '=': compare((a, b) => a === b),
  '<>': compare((a, b) => a !== b),
  '<': compare((a, b) => a < b),
  '>': compare((a, b) => a > b),
  '<=': compare((a, b) => a <= b),
  '>=': compare((a, b) => a >= b),
  'u<': compare((a, b) => unsigned(a) < unsigned(b)),
  'u>': compare((a, b) => unsigned(a) > unsigned(b)),
  '0=': test((a) => a === 0n),
  '0<>': test((a) => a !== 0n),
  '0<': test((a) => a < 0n),
  '0>': test((a) => a > 0n),
  true: (forth) => forth.pushFlag(true),
  false: (forth) => forth.pushFlag(false),
}
