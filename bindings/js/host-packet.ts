// Host functions of the guest glue that read a request's packet: the vars block, which a guest holds as a Latin-1 string
// and decodes as far as it asks. Invariant: the packet is read as WsgiRequest reads it (where a name occurs twice the last
// one counts), and nothing in it can make a reader leave it.
import { findVar, iterateVars } from '../../protocol/vars.ts'
import type { Converter } from './convert.ts'
import type { Pointer, RawFunction } from './engine.ts'
import { GuestThrow } from './errors.ts'
import { wantText } from './host-text.ts'

/** The header a variable stands for, undefined for other variables: CGI's meta-variables (RFC 3875, 4.1.18). */
const headerOf = (name: string): string | undefined => {
  if (name.startsWith('HTTP_')) return name.slice(5).toLowerCase().replaceAll('_', '-')
  if (name === 'CONTENT_TYPE') return 'content-type'
  return name === 'CONTENT_LENGTH' ? 'content-length' : undefined
}

const variableOf = (header: string): string => {
  if (header === 'content-type') return 'CONTENT_TYPE'
  if (header === 'content-length') return 'CONTENT_LENGTH'
  return `HTTP_${header.toUpperCase().replaceAll('-', '_')}`
}

const isTrue = (value: string | undefined): boolean => value !== undefined && /^(?:on|1|true|yes)$/i.test(value)

const schemeOf = (vars: Uint8Array): string => {
  const scheme = findVar(vars, 'REQUEST_SCHEME') || findVar(vars, 'UWSGI_SCHEME')
  if (scheme === 'http' || scheme === 'https') return scheme
  return isTrue(findVar(vars, 'HTTPS')) ? 'https' : 'http'
}

// What a Host header may hold: no path, user or blanks, which would change the meaning of the URL it becomes part of.
const hostForm = /^[^\s/?#@\\]+$/

const serverOf = (vars: Uint8Array, scheme: string): string => {
  const name = findVar(vars, 'SERVER_NAME') || 'localhost'
  const port = findVar(vars, 'SERVER_PORT') ?? ''
  return port === '' || port === (scheme === 'https' ? '443' : '80') ? name : `${name}:${port}`
}

// Bytes that a URL parser would drop, or take for something else than a part of the path.
const unsafeInPath = /[\x00-\x20\x7f-\xff#\\]/g
const percent = (text: string): string => `%${text.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
// In PATH_INFO, which came decoded, these are characters of the path too.
const unsafeInDecodedPath = /[\x00-\x20\x7f-\xff#\\?%]/g

const targetOf = (vars: Uint8Array, target: string | undefined): string => {
  if (target?.startsWith('/')) return target.replace(unsafeInPath, percent)
  // The form that proxies get, `GET http://host/path`: the host is what the Host header says (RFC 9112, 3.2.2).
  const absolute = target === undefined ? undefined : /^https?:\/\/[^/?#]*(.*)$/is.exec(target)?.[1]
  if (absolute !== undefined) return `${absolute.startsWith('/') ? '' : '/'}${absolute.replace(unsafeInPath, percent)}`
  const path = `${findVar(vars, 'SCRIPT_NAME') ?? ''}${findVar(vars, 'PATH_INFO') ?? ''}`.replace(unsafeInDecodedPath, percent)
  const query = findVar(vars, 'QUERY_STRING') ?? ''
  return `${path.startsWith('/') ? '' : '/'}${path}${query === '' ? '' : `?${query.replace(unsafeInPath, percent)}`}`
}

// Origins of Host headers seen before. Bounded, since clients make them up.
const origins = new Map<string, string>()
const mostOrigins = 100

const originOf = (vars: Uint8Array, scheme: string): string => {
  const host = findVar(vars, 'HTTP_HOST') ?? ''
  const key = `${scheme}://${host}`
  const known = origins.get(key)
  if (known !== undefined) return known
  const wanted = hostForm.test(host) ? URL.parse(key) : null
  if (wanted === null) return (URL.parse(`${scheme}://${serverOf(vars, scheme)}`) ?? new URL(`${scheme}://localhost`)).origin
  if (origins.size >= mostOrigins) origins.clear()
  origins.set(key, wanted.origin)
  return wanted.origin
}

// A target that a URL parser leaves as it is: no character that it would escape, no `.` or `..` that it would resolve.
const plainTarget = /^\/[\w\-.~!$&()*+,;=:@/%?]*$/
const dotSegments = /\/\.|%2e/i

/** The URL a request was made to, always a valid one: a bad Host header gives way to the server's own name. */
export const requestUrl = (vars: Uint8Array): string => {
  const scheme = schemeOf(vars)
  const origin = originOf(vars, scheme)
  const uri = findVar(vars, 'REQUEST_URI')
  if (uri !== undefined && plainTarget.test(uri) && !dotSegments.test(uri)) return origin + uri
  return new URL(origin + targetOf(vars, uri)).href
}

export const packetFunctions = (converter: Converter): Record<string, RawFunction> => {
  const packet = (argv: Pointer): Uint8Array => {
    const bytes = converter.latin1(argv)
    if (bytes === undefined) throw new GuestThrow('TypeError', 'a packet is wanted')
    return bytes
  }
  const name = (argv: Pointer): string => wantText(converter.text(argv + 8))
  const optional = (value: string | undefined): Pointer => (value === undefined ? 0 : converter.newText(value))

  return {
    requestVar: (_argc, argv) => optional(findVar(packet(argv), name(argv))),
    requestVars: (_argc, argv) => converter.newList([...iterateVars(packet(argv))].flat()),
    /** One header; an absent one and, of the two that CGI always sets, an empty one are undefined. */
    requestHeader: (_argc, argv) => {
      const header = name(argv)
      // A name with an underscore cannot have come as a header: `X_A` and `X-A` are the same variable.
      if (header.includes('_')) return 0
      const value = findVar(packet(argv), variableOf(header))
      return value === '' && header.startsWith('content-') ? 0 : optional(value)
    },
    requestHeaders: (_argc, argv) => {
      const headers = new Map<string, string>()
      for (const [variable, value] of iterateVars(packet(argv))) {
        const header = headerOf(variable)
        if (header === undefined) continue
        if (value === '' && (variable === 'CONTENT_TYPE' || variable === 'CONTENT_LENGTH')) headers.delete(header)
        else headers.set(header, value)
      }
      return converter.newList([...headers].flat())
    },
    requestUrl: (_argc, argv) => converter.newText(requestUrl(packet(argv))),
    requestScheme: (_argc, argv) => converter.newText(schemeOf(packet(argv))),
  }
}
