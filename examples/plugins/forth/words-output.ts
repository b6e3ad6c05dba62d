// Words that write: to the response while a request is served, else to the log.
import type { WordTable } from './dictionary.ts'
import { Fault } from './errors.ts'
import type { Interpreter } from './interpreter.ts'
import { numberText, unsigned } from './numbers.ts'

const write = (forth: Interpreter, text: string): void => forth.write(Buffer.from(text, 'latin1'))

export const outputWords: WordTable = {
  // Numbers are followed by a space, as everywhere in Forth.
  '.': (forth) => write(forth, `${numberText(forth.pop(), forth.base)} `),
  'u.': (forth) => write(forth, `${numberText(unsigned(forth.pop()), forth.base)} `),
  // ( n -- addr u ) A number's text, without one.
  'n>s': (forth) => forth.pushText(numberText(forth.pop(), forth.base)),
  '.s': (forth) => {
    const { depth, base } = forth
    const cells = Array.from({ length: depth }, (_, place) => `${numberText(forth.peek(depth - 1 - place), base)} `)
    write(forth, `<${depth}> ${cells.join('')}`)
  },
  emit: (forth) => forth.write(Uint8Array.of(Number(forth.pop() & 0xffn))),
  type: (forth) => forth.write(forth.popView()),
  cr: (forth) => write(forth, '\n'),
  space: (forth) => write(forth, ' '),
  bl: (forth) => forth.push(0x20n),
  spaces: (forth) => {
    const count = forth.pop()
    if (count > 1_000_000n) throw Fault.of('invalidArgument', `${count} spaces at once`)
    if (count > 0n) write(forth, ' '.repeat(Number(count)))
  },
}
