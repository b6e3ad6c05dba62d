// An HTTP request as the vars of a uwsgi packet: the names of nginx's uwsgi_params and of uWSGI's own http-socket, so an
// application cannot tell through which door the request came. Runs once per HTTP request on the gateway's one thread.
import { parseContentLength } from './content-length.ts'
import { ProtocolError } from './errors.ts'
import { findHeaderVars, foldHeaders, type HeaderVar } from './http-headers.ts'
import { parseRequestTarget } from './http-target.ts'
import type { VarsWriter } from './vars-writer.ts'

export interface HttpRequestHead {
  /** `GET` */
  readonly method: string
  /** The request target as sent: path, absolute address, or `*`. Latin-1 text. */
  readonly url: string
  /** `1.1` */
  readonly httpVersion: string
  /** Names and values in turn, as sent (`message.rawHeaders` of node:http). Latin-1 text. */
  readonly rawHeaders: readonly string[]
  /** undefined on a unix socket. */
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly localPort: number | undefined
  readonly serverName: string
  /** True when the connection came over TLS. */
  readonly tls: boolean
  /**
   * Bytes of the body when the receiver knows them, from counting a chunked one for instance. Without it the
   * Content-Length header speaks, unless there is a Transfer-Encoding, which overrides it (RFC 9112, 6.3).
   */
  readonly contentLength: number | undefined
}

// One array for all requests: encoding one is never interrupted by another.
const found: HeaderVar[] = []

/**
 * Appends the request's variables to an empty writer.
 * @throws ProtocolError REQUEST_TARGET, DUPLICATE_HEADER, CONTENT_LENGTH (400); VARS_TOO_LARGE (431, or 414 when the target
 *   alone is too long)
 */
export const writeHttpVars = (request: HttpRequestHead, writer: VarsWriter): void => {
  const { method, url, rawHeaders } = request
  if (url.length > writer.capacity) {
    throw new ProtocolError('VARS_TOO_LARGE', `a request target of ${url.length} bytes (max ${writer.capacity})`, 414)
  }
  const target = parseRequestTarget(method, url)
  writer.append('QUERY_STRING', target.queryString)
  writer.append('REQUEST_METHOD', method)
  writer.append('REQUEST_URI', target.requestUri)
  writer.append('SCRIPT_NAME', '')
  writer.append('PATH_INFO', target.pathInfo)
  writer.append('SERVER_PROTOCOL', `HTTP/${request.httpVersion}`)
  writer.append('REQUEST_SCHEME', request.tls ? 'https' : 'http')
  if (request.tls) writer.append('HTTPS', 'on')
  writer.append('REMOTE_ADDR', plainAddress(request.remoteAddress))
  writer.append('REMOTE_PORT', portText(request.remotePort))
  writer.append('SERVER_PORT', portText(request.localPort))
  writer.append('SERVER_NAME', request.serverName)
  writeHeaders(request, rawHeaders, target.authority, writer)
}

/** The whole packet of an HTTP request. The writer is emptied first. @throws ProtocolError as `writeHttpVars` */
export const encodeHttpRequest = (request: HttpRequestHead, writer: VarsWriter, modifier1 = 0, modifier2 = 0): Uint8Array => {
  writer.reset()
  writeHttpVars(request, writer)
  return writer.finish(modifier1, modifier2)
}

const writeHeaders = (
  request: HttpRequestHead,
  rawHeaders: readonly string[],
  authority: string | undefined,
  writer: VarsWriter,
): void => {
  const folded = findHeaderVars(rawHeaders, found) ? undefined : foldHeaders(rawHeaders, found)
  let contentType = ''
  let contentLength = ''
  let hasTransferEncoding = false
  for (let index = 0; index < found.length; index += 1) {
    const header = found[index] as HeaderVar
    const value = (folded === undefined ? rawHeaders[index * 2 + 1] : folded[index]) as string
    switch (header.rule) {
      case 'drop':
        break
      case 'content-type':
        contentType = value
        break
      case 'content-length':
        parseContentLength(value)
        contentLength = value
        break
      case 'host':
        if (authority === undefined) writer.append('HTTP_HOST', value)
        break
      case 'transfer-encoding':
        hasTransferEncoding = true
        writer.append('HTTP_TRANSFER_ENCODING', value)
        break
      default:
        writer.append(header.varName, value)
    }
  }
  if (authority !== undefined) writer.append('HTTP_HOST', authority)
  if (request.contentLength !== undefined) {
    contentLength = String(request.contentLength)
    parseContentLength(contentLength)
  } else if (hasTransferEncoding) {
    contentLength = ''
  }
  // Always there, if empty, as nginx sends them. Differs from nginx: not a second time as HTTP_CONTENT_TYPE and
  // HTTP_CONTENT_LENGTH, which PEP 3333's checker (wsgiref.validate) objects to.
  writer.append('CONTENT_TYPE', contentType)
  writer.append('CONTENT_LENGTH', contentLength)
}

// A socket that serves both families shows IPv4 clients as ::ffff:192.0.2.1; lists of allowed addresses have 192.0.2.1.
const plainAddress = (address: string | undefined): string => {
  if (address === undefined) return ''
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

const portText = (port: number | undefined): string => (port === undefined ? '' : String(port))
