// A file as a response: what is added to the head that was set, and what happens where nobody takes responses over.
import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WholeBody } from '../../../host/request/body.ts'
import type { ResponseHead, ResponseSink } from '../../../host/request/response-sink.ts'
import type { SendfileOptions } from '../../../host/request/sendfile.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { encodeVars } from '../../../protocol/vars.ts'
import { FileTree } from '../../support/file-tree.ts'

const modified = /Last-Modified: [^|]*/

describe('a file', () => {
  let tree: FileTree
  let path: string
  let head: ResponseHead | undefined
  let sent: Buffer
  let onChunk: () => void
  beforeEach(() => {
    tree = new FileTree()
    path = tree.file('page.css', '0123456789')
    sent = Buffer.alloc(0)
    head = undefined
    onChunk = () => {}
  })
  afterEach(() => {
    expect(tree.openedBy(process.pid)).toEqual([])
    tree[Symbol.dispose]()
  })

  const requestWith = (vars: Record<string, string> = {}): WsgiRequest => {
    const sink: ResponseSink = {
      clientGone: false,
      send: (given, chunk) => {
        head ??= given
        sent = Buffer.concat([sent, chunk ?? Buffer.alloc(0)])
        onChunk()
      },
      sendAsync: async () => {},
      cut: () => {},
    }
    const block = encodeVars(Object.entries({ REQUEST_METHOD: 'GET', ...vars }))
    const body = new WholeBody(new Uint8Array(0))
    return new WsgiRequest({ coreId: 0, modifier1: 0, modifier2: 0, vars: block, body, sink, app: undefined })
  }
  const lines = (): string => {
    const fields = head?.headers === '' ? [] : (head?.headers.split('\0') ?? [])
    const pairs = fields.flatMap((field, index) => (index % 2 === 0 ? [`${field}: ${fields[index + 1]}`] : []))
    return [head?.status, ...pairs].join('|').replace(modified, 'Last-Modified: then')
  }

  it('is not looked for under a path that no system has, however long', () => {
    expect(() => requestWith().sendfile('a/'.repeat(2049))).toThrow('is no path of a file')
    expect(() => requestWith().sendfile('a/'.repeat(2048))).toThrow('there is no file')
  })

  it.each<[string, string, string, SendfileOptions, Record<string, string>, string, string]>([
    ['no head', '', '', {}, {}, '200 OK|Content-Type: text/css|Content-Length: 10|Last-Modified: then', '0123456789'],
    [
      'a reason of its own',
      '200 Fine',
      'X\0y',
      {},
      {},
      '200 Fine|X: y|Content-Type: text/css|Content-Length: 10|Last-Modified: then',
      '0123456789',
    ],
    [
      'a type',
      '200',
      'content-type\0a/b',
      {},
      {},
      '200 OK|content-type: a/b|Content-Length: 10|Last-Modified: then',
      '0123456789',
    ],
    [
      'a range',
      '',
      '',
      {},
      { HTTP_RANGE: 'bytes=8-' },
      '206 Partial Content|Content-Type: text/css|Content-Length: 2|Content-Range: bytes 8-9/10|Last-Modified: then',
      '89',
    ],
    [
      'a range past the end',
      '200',
      'X\0y',
      {},
      { HTTP_RANGE: 'bytes=10-' },
      '416 Requested Range Not Satisfiable|X: y|Content-Range: bytes */10',
      '',
    ],
    [
      'a length of the app',
      '200',
      'Content-Length\x003',
      {},
      { HTTP_RANGE: 'bytes=8-' },
      '200 OK|Content-Length: 3|Content-Type: text/css|Last-Modified: then',
      '012',
    ],
    [
      'a date of the app',
      '200',
      'Last-Modified\0now',
      {},
      { HTTP_IF_MODIFIED_SINCE: 'Fri, 27 Nov 2037 00:00:00 GMT' },
      '200 OK|Last-Modified: then|Content-Type: text/css|Content-Length: 10',
      '0123456789',
    ],
    ['nothing new', '', '', {}, { HTTP_IF_MODIFIED_SINCE: 'Fri, 27 Nov 2037 00:00:00 GMT' }, '304 Not Modified', ''],
    [
      'another status',
      '404',
      '',
      {},
      { HTTP_RANGE: 'bytes=8-' },
      '404 Not Found|Content-Type: text/css|Content-Length: 10',
      '0123456789',
    ],
    [
      'another method',
      '',
      '',
      {},
      { REQUEST_METHOD: 'POST', HTTP_RANGE: 'bytes=8-' },
      '200 OK|Content-Type: text/css|Content-Length: 10',
      '0123456789',
    ],
    [
      'HEAD',
      '',
      '',
      {},
      { REQUEST_METHOD: 'HEAD', HTTP_RANGE: 'bytes=8-' },
      '200 OK|Content-Type: text/css|Content-Length: 10|Last-Modified: then',
      '',
    ],
    [
      'a part',
      '',
      '',
      { offset: 2, length: 3 },
      { HTTP_RANGE: 'bytes=8-' },
      '200 OK|Content-Type: text/css|Content-Length: 3',
      '234',
    ],
    ['a part past the end', '', '', { offset: 8, length: 30 }, {}, '200 OK|Content-Type: text/css|Content-Length: 2', '89'],
    ['a part of nothing', '', '', { offset: 10 }, {}, '200 OK|Content-Type: text/css|Content-Length: 0', ''],
    [
      'an app that has said all',
      '200',
      'X\0y',
      { isPlain: true },
      { HTTP_RANGE: 'bytes=8-' },
      '200 OK|X: y|Content-Length: 10',
      '0123456789',
    ],
  ])('with %s', (_, status, headers, options, vars, expected, body) => {
    const request = requestWith(vars)
    if (status !== '') request.setHead(status, headers)
    request.sendfile(path, options)
    expect([lines(), sent.toString(), request.finished, request.isOffloaded]).toEqual([expected, body, true, false])
    expect(request.responseSize).toBe(body.length)
  })

  it('that waits takes the head that is set in the end, and the place of what is written', () => {
    const request = requestWith()
    request.setFile(path)
    request.writeBody(Buffer.from('dropped'))
    request.setHead('200 OK', 'X\0y')
    request.finish(Buffer.from('dropped'))
    expect([lines().startsWith('200 OK|X: y|'), sent.toString()]).toEqual([true, '0123456789'])
  })

  it('that waits is forgotten when the app fails', () => {
    const request = requestWith()
    request.setFile(path)
    request.dropFile()
    request.setHead('500 Internal Server Error', '')
    request.finish(Buffer.from('failed'))
    expect([lines(), sent.toString()]).toEqual(['500 Internal Server Error', 'failed'])
  })

  it.each<[SendfileOptions]>([[{ offset: -1 }], [{ offset: 11 }], [{ length: -1 }], [{ offset: 0.5 }], [{ offset: Number.NaN }]])(
    'has no part %o',
    (options) => {
      expect(() => requestWith().sendfile(path, options)).toThrow(expect.objectContaining({ code: 'API_REFUSED' }))
    },
  )

  it('that is cut while it is sent ends in an error', () => {
    const long = tree.file('long.bin', Buffer.alloc(200_000))
    const request = requestWith()
    onChunk = () => writeFileSync(long, '')
    expect(() => request.sendfile(long)).toThrow(`${long} was cut to 65536 bytes while it was sent`)
  })

  it('that is in memory goes as a body', () => {
    const request = requestWith()
    request.setHead('200 OK', '')
    request.offloadMemory(Buffer.from('memory'))
    expect([sent.toString(), request.finished]).toEqual(['memory', true])
  })
})
