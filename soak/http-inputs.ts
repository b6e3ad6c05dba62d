// Inputs for an HTTP socket: requests of all forms, changed; heads that parsers disagree about, with a second request hidden
// in what one of them would take for a body.
import { mutate } from './mutate.ts'
import type { Random } from './random.ts'

export interface FuzzInput {
  readonly bytes: Buffer
  /** A request is hidden in it that no one may serve. */
  readonly hides: boolean
}

const paths = [
  '/',
  '/js/',
  '/py/',
  '/js/a/b?c=d',
  '/py/%C3%A9?%FF',
  '/%00',
  'http://localhost/py/x',
  '*',
  '/..%2f..%2fetc/passwd',
]
const hidden = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'

const valid: readonly ((path: string, random: Random) => string)[] = [
  (path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: soak\r\nAccept: */*\r\n\r\n`,
  (path) => `HEAD ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`,
  (path) => `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\nContent-Type: text/plain\r\n\r\nhello world`,
  (path) =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5;a=b;c="d"\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n`,
  (path) => `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok`,
  (path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  (path) => `CONNECT ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  (path) => `GET ${path} HTTP/1.1\r\nHost: a\r\nHost: b\r\nCookie: a=b\r\nCookie: c=d\r\nX_Y: 1\r\nX-Y: 2\r\n\r\n`,
  (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\nGET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`,
  (path, random) => `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(random.below(10_000))}\r\n\r\n`,
  (path, random) => `GET ${path}${'a'.repeat(random.below(9_000))} HTTP/1.1\r\nHost: x\r\n\r\n`,
  (path, random) => `GET ${path} HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(random.below(1_500))}\r\n`,
  (path, random) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;${'e'.repeat(random.below(30_000))}\r\nhello\r\n0\r\n\r\n`,
  (path, random) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${'T: x\r\n'.repeat(random.below(4_000))}\r\n`,
  (path) => `GET ${path} HTTP/0.9\r\n\r\n`,
  (path) => `GET ${path}\r\n`,
  (path) => `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${path}`,
]

/** How a length, or that there are chunks, can be said so that two parsers understand two things. */
const transferEncodings = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding\r\n: chunked',
  ' Transfer-Encoding: chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\0',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
]
const contentLengths = [
  (length: number) => `Content-Length: ${length}`,
  (length: number) => `Content-Length: +${length}`,
  (length: number) => `Content-Length: 0x${length.toString(16)}`,
  (length: number) => `Content-Length: ${length}, ${length}`,
  (length: number) => `Content-Length: ${length}, 0`,
  (length: number) => `Content-Length: ${length}\r\nContent-Length: 0`,
  (length: number) => `Content-Length: 0\r\nContent-Length: ${length}`,
  (length: number) => `Content-Length : ${length}`,
  (length: number) => `Content-Length:\r\n ${length}`,
  (length: number) => `Content-Length: ${length} 0`,
  (length: number) => `Content-Length: 0\nContent-Length: ${length}`,
  (length: number) => `Content-Length: ${length}\0`,
  (length: number) => `Content-Length: -${length}`,
  (length: number) => `Content_Length: 0\r\nContent-Length: ${length}`,
]

/** Both said: who goes by the length takes the hidden request for body, who goes by the chunks for a request; or the reverse. */
const hiding = (random: Random): string => {
  const path = random.of(paths)
  const isHiddenFromLength = random.oneIn(2)
  const chunks = `0\r\n\r\n${hidden}`
  const inChunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`
  const length = isHiddenFromLength ? chunks.length : `${hidden.length.toString(16)}\r\n`.length
  const lines = [random.of(transferEncodings), random.of(contentLengths)(length)]
  if (random.oneIn(2)) lines.reverse()
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join('\r\n')}\r\n\r\n${isHiddenFromLength ? chunks : inChunk}`
}

/** Chunk sizes that wrap, or are none: the hidden request begins where a smaller number would end the chunk. */
const chunkSizes = ['0x0', '-0', '+0', '10000000000000000', 'ffffffffffffffff', '0 0', '0\t1', '0;\n', 'g', '']
const hidingInChunk = (random: Random): string =>
  `POST ${random.of(paths)} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${random.of(chunkSizes)}\r\n\r\n${hidden}`

export const httpInput = (random: Random): FuzzInput => {
  const kind = random.below(10)
  if (kind < 3) return { bytes: Buffer.from(hiding(random), 'latin1'), hides: true }
  if (kind === 3) return { bytes: Buffer.from(hidingInChunk(random), 'latin1'), hides: true }
  const text = random.of(valid)(random.of(paths), random)
  return { bytes: mutate(Buffer.from(text, 'latin1'), random), hides: false }
}
