// Numbers as text: in the current base, or with a prefix that says theirs; `'x'` is a character's code.
import { Fault } from './errors.ts'

const prefixes: Readonly<Record<string, number>> = { $: 16, '#': 10, '%': 2 }
/** 64 binary digits; what is longer and no number need not be looked at. */
const mostDigits = 64
const smallest = -(2n ** 63n)
const beyond = 2n ** 64n

/**
 * @returns undefined for what is no number
 * @throws Fault outOfRange for one that no cell of 64 bits holds, with sign or without
 */
export const parseNumber = (text: string, base: number): bigint | undefined => {
  if (text.length === 3 && text.startsWith("'") && text.endsWith("'")) return BigInt(text.charCodeAt(1))
  const prefix = prefixes[text.charAt(0)]
  const isNegative = text.charAt(prefix === undefined ? 0 : 1) === '-'
  const digits = text.slice((prefix === undefined ? 0 : 1) + (isNegative ? 1 : 0)).replace(/^0+(?=.)/, '')
  if (digits === '' || digits.length > mostDigits) return undefined
  const radix = BigInt(prefix ?? base)
  let value = 0n
  for (const digit of digits) {
    const place = digitValue(digit)
    if (place >= radix) return undefined
    value = value * radix + place
  }
  if (isNegative) value = -value
  if (value < smallest || value >= beyond) throw Fault.of('outOfRange', `${text} does not fit a cell of 64 bits`)
  return value
}

/** Above every base for what is no digit. */
const digitValue = (digit: string): bigint => {
  const code = digit.charCodeAt(0)
  if (code >= 0x30 && code <= 0x39) return BigInt(code - 0x30)
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x7a ? BigInt(letter - 0x61 + 10) : 99n
}

export const numberText = (value: bigint, base: number): string => value.toString(base).toUpperCase()

export const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value)
