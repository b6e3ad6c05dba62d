// Recorded from nginx with its standard uwsgi_params: an application behind nginx and one behind our own HTTP socket must see
// the same variables. The differences that we mean are listed below, and nothing else may differ.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encodeHttpRequest, findVar, iterateVars, ProtocolError, RequestReader, VarsWriter } from '../../../protocol/index.ts'

interface Recording {
  name: string
  request: string
  packet?: string
  refused?: number
}

const path = new URL('../../vectors/nginx-requests.json', import.meta.url)
const recordings = (JSON.parse(readFileSync(path, 'utf8')) as { requests: Recording[] }).requests

const splitRequest = (request: string) => {
  const [head = '', body = ''] = request.split(/\r\n\r\n(.*)/s)
  const [requestLine = '', ...lines] = head.split('\r\n')
  const [, method = '', url = '', httpVersion = ''] = /^(\S+) (\S+) HTTP\/(.*)$/.exec(requestLine) ?? []
  const rawHeaders = lines.flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()])
  return { method, url, httpVersion, rawHeaders, body }
}

const ours = (request: string, connection: { remotePort: number; localPort: number; contentLength: number | undefined }) => {
  const { body: _, ...head } = splitRequest(request)
  const common = { remoteAddress: '127.0.0.1', serverName: 'localhost', tls: false }
  return encodeHttpRequest({ ...head, ...common, ...connection }, new VarsWriter(65535)).subarray(4)
}

/** Last value of each name, as an application looks it up. */
const asRecord = (block: Uint8Array): Record<string, string> => Object.fromEntries(iterateVars(block))

// Per recording: what nginx has there and we have instead.
const meantDifferences: Record<string, Record<string, string>> = {
  // nginx merges slashes before it looks at the path; whether `//` means `/` is for the application to say.
  dbl: { PATH_INFO: '//a//b' },
  // nginx forgets the slash that a path always begins with.
  absnopath: { REQUEST_URI: '/?q=1' },
  // nginx leaves the client's Host beside an absolute target in HTTP_HOST (RFC 9112, 3.2.2 says to replace it).
  abs: { HTTP_HOST: 'other.example:99' },
  // Repeated headers: nginx sends each, an application sees only one of them.
  dups: { HTTP_X_A: '1, 2', HTTP_COOKIE: 'a=1; b=2', HTTP_ACCEPT: 'a, b', HTTP_X_FORWARDED_FOR: '1.1.1.1, 2.2.2.2' },
}
meantDifferences.absnopath = { ...meantDifferences.absnopath, HTTP_HOST: 'other.example' }

describe.each(recordings.filter(({ packet }) => packet !== undefined))(
  '$name, as nginx sends it',
  ({ name, request, packet = '' }) => {
    const read = new RequestReader({ bufferSize: 4096 }).push(Buffer.from(packet, 'hex'))

    it('is one packet with the body behind it', () => {
      const { rawHeaders, body } = splitRequest(request)
      // nginx had read the chunked body to its end and sends it on plain.
      expect(Buffer.from(read?.rest ?? []).toString()).toBe(rawHeaders.includes('chunked') ? 'hello' : body)
    })

    it('has the variables that we make of the same request', () => {
      const vars = read?.vars ?? new Uint8Array(0)
      const {
        // We have no document root, and the body's headers only once.
        DOCUMENT_ROOT,
        HTTP_CONTENT_TYPE,
        HTTP_CONTENT_LENGTH,
        // httpoxy: dropped.
        HTTP_PROXY,
        ...theirs
      } = asRecord(vars)
      const counted = splitRequest(request).rawHeaders.includes('chunked') ? read?.rest.length : undefined
      const block = ours(request, {
        remotePort: Number(findVar(vars, 'REMOTE_PORT')),
        localPort: Number(findVar(vars, 'SERVER_PORT')),
        contentLength: counted,
      })
      // uWSGI's http-socket has SCRIPT_NAME, nginx leaves it out.
      expect(asRecord(block)).toEqual({ ...theirs, SCRIPT_NAME: '', ...meantDifferences[name] })
      expect(DOCUMENT_ROOT).toBe('/srv/www')
      expect(HTTP_PROXY).toBe(name === 'proxy' ? 'http://evil' : undefined)
      expect([HTTP_CONTENT_TYPE, HTTP_CONTENT_LENGTH].some((value) => value !== undefined)).toBe(/Content-/.test(request))
    })
  },
)

// What nginx refuses and we do not, and why.
const taken: Record<string, string> = {
  badpct: 'a percent sign that encodes nothing stays as it is',
  badpct2: 'a percent sign that encodes nothing stays as it is',
  star: 'OPTIONS * is a request to the server (RFC 9110, 9.3.7)',
  dupua: 'of a header whose value is no list the first line counts',
  dupcl: 'two Content-Length headers that agree are one (RFC 9110, 8.6)',
}

describe.each(recordings.filter(({ refused }) => refused !== undefined))(
  '$name, which nginx refuses',
  ({ name, request, refused }) => {
    const encode = () => ours(request, { remotePort: 1, localPort: 1, contentLength: undefined })

    it(taken[name] === undefined ? 'is refused by us too' : `is taken by us: ${taken[name]}`, () => {
      if (taken[name] !== undefined) {
        expect(findVar(encode(), 'REQUEST_URI')).toBe(splitRequest(request).url)
        return
      }
      let status: number | undefined
      try {
        encode()
      } catch (error) {
        status = error instanceof ProtocolError ? error.httpStatus : undefined
      }
      expect(status).toBe(refused)
    })
  },
)
