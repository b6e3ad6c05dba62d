// Words of a line, as uWSGI splits the arguments of its `rpc` action: blanks between, quotes around what holds blanks.
// Differs from uWSGI: a quote that is not closed is refused, where it ends with the line.
import { BadArgument } from './action.ts'

/** @throws BadArgument for a quote that is not closed */
export const splitQuoted = (text: string): string[] => {
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index] as string
    if (letter === '\\' && index + 1 < text.length) {
      index += 1
      word = (word ?? '') + text[index]
    } else if (quote !== undefined) {
      if (letter === quote) quote = undefined
      else word += letter
    } else if (letter === '"' || letter === "'") {
      quote = letter
      word ??= ''
    } else if (letter === ' ' || letter === '\t') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + letter
  }
  if (quote !== undefined) throw new BadArgument(`a ${quote} is not closed`)
  if (word !== undefined) words.push(word)
  return words
}
