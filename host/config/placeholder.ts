// What stands inside `%( )`: a name, or a small calculation of names and whole numbers, worked out from left to right as
// uWSGI does: `%(base + 1)`, `%(count * 2)`, `%(n++)`; words without an operator are joined.

export type PlaceholderResult =
  /** `text` undefined: nothing in it is known, and it stays as written. */
  { readonly text: string | undefined } | { readonly fault: string }

const operators = new Set(['+', '-', '*', '/'])

// Each factor adds to the length of the product; nobody counts further.
const mostDigits = 1000

/** @param lookUp gives the value of a name, undefined for an unknown one */
export const evaluatePlaceholder = (inner: string, lookUp: (name: string) => string | undefined): PlaceholderResult => {
  // An exact name first: `a-b` and `x++` may be names.
  const whole = lookUp(inner)
  if (whole !== undefined) return { text: whole }
  const words = splitWords(inner)
  if (words.length < 2) return { text: undefined }
  let result: string | undefined
  let operator: string | undefined
  let isKnown = false
  for (const word of words) {
    if (operators.has(word)) {
      if (result === undefined || operator !== undefined) return { fault: `there is no number before '${word}'` }
      operator = word
      isKnown = true
      continue
    }
    if (word === '++' || word === '--') {
      if (result === undefined || operator !== undefined) return { fault: `there is no number before '${word}'` }
      result = String(integerOf(result) + (word === '++' ? 1n : -1n))
      isKnown = true
      continue
    }
    const value = lookUp(word)
    if (value !== undefined) isKnown = true
    if (operator === undefined) {
      result = (result ?? '') + (value ?? word)
      continue
    }
    const calculated = calculate(integerOf(result!), operator, integerOf(value ?? word))
    if (calculated === undefined) return { fault: 'division by zero' }
    result = String(calculated)
    if (result.length > mostDigits) return { fault: `the result has more than ${mostDigits} digits` }
    operator = undefined
  }
  if (operator !== undefined) return { fault: `there is no number after '${operator}'` }
  return { text: isKnown ? result : undefined }
}

// Operators stand apart from names, which may hold a dash themselves; only ++ and -- may follow a name at once.
const splitWords = (inner: string): readonly string[] =>
  inner
    .split(/[ \t]+/)
    .filter((word) => word !== '')
    .flatMap((word) => {
      const match = /^(.+?)(\+\+|--)$/s.exec(word)
      return match === null ? [word] : [match[1]!, match[2]!]
    })

/** The whole number a text begins with, else 0: uWSGI reads operands so. */
const integerOf = (text: string): bigint =>
  BigInt(/^\s*([+-]?)(\d{1,1000})/.exec(text)?.slice(1, 3).join('').replace('+', '') || 0)

const calculate = (left: bigint, operator: string, right: bigint): bigint | undefined => {
  if (operator === '+') return left + right
  if (operator === '-') return left - right
  if (operator === '*') return left * right
  return right === 0n ? undefined : left / right
}
