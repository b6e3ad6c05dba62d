// Words for the request that is served and its response. What is typed is the body.
import type { WordTable } from './dictionary.ts'
import { Fault } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { callHost } from './host-call.ts'
import type { Interpreter } from './interpreter.ts'

const exchangeOf = ({ exchange }: Interpreter): Exchange => {
  if (exchange === undefined) throw Fault.of('noRequest')
  return exchange
}

const variable =
  (name: string) =>
  (forth: Interpreter): void =>
    forth.pushText(exchangeOf(forth).request.getVar(name))

/** At most `max` bytes; none at the end. */
const read = (forth: Interpreter, max: number): Uint8Array => callHost(() => exchangeOf(forth).request.body.read(max))

export const requestWords: WordTable = {
  // ( -- addr u )
  'request-method': variable('REQUEST_METHOD'),
  'script-name': variable('SCRIPT_NAME'),
  'path-info': variable('PATH_INFO'),
  'query-string': variable('QUERY_STRING'),
  // ( addr u -- addr u ) Any variable by its name; 0 0 when the request has none of that name.
  var: (forth) => forth.pushText(exchangeOf(forth).request.getVar(forth.popText())),

  // ( n -- ) 200 unless given. Its reason is the standard one.
  status: (forth) => {
    const code = String(forth.pop())
    callHost(() => exchangeOf(forth).setStatus(code))
  },
  // ( name-addr name-u value-addr value-u -- )
  header: (forth) => {
    const value = forth.popText()
    const name = forth.popText()
    callHost(() => exchangeOf(forth).addHeader(name, value))
  },
  // ( addr u -- ) Types, and sends at once what was typed.
  write: (forth) => {
    const exchange = exchangeOf(forth)
    forth.write(forth.popView())
    exchange.flush()
  },

  // ( u -- addr u2 ) At most u bytes of the request's body, at least one; none at its end.
  'body-read': (forth) => {
    const wanted = forth.pop()
    if (wanted < 0n) throw Fault.of('invalidArgument', `${wanted} bytes`)
    const most = wanted < forth.memory.free ? Number(wanted) : forth.memory.free
    forth.pushBytes(most === 0 ? new Uint8Array(0) : read(forth, most))
  },
  // ( -- addr u ) What is left of the body, whole.
  body: (forth) => {
    const pieces: Uint8Array[] = []
    let { free } = forth.memory
    for (let piece = read(forth, pieceSize); piece.length > 0; piece = read(forth, pieceSize)) {
      free -= piece.length
      if (free < 0) throw Fault.of('memoryExhausted', 'the body does not fit')
      pieces.push(piece.slice())
    }
    forth.pushBytes(Buffer.concat(pieces))
  },
}

const pieceSize = 64 * 1024

/** Immediate. */
export const requestReadingWords: WordTable = {
  // var" HTTP_HOST" ( -- addr u )
  'var"': (forth) => {
    const { compiler, dictionary } = forth
    const word = dictionary.find('var')
    compiler.string(compiler.source.upTo('"'))
    if (word === undefined) return
    if (compiler.isCompiling) compiler.emit(word)
    else forth.run(word)
  },
}
