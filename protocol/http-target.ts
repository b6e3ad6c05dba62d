// The request target of an HTTP request, taken apart as CGI wants it. Mount points and static files are looked up by
// PATH_INFO, so it is decoded first and its dot segments are removed after that, as nginx does: no `..` is left, in
// whatever way it was written.
import { ProtocolError } from './errors.ts'

export interface RequestTarget {
  /** As the client sent it, without scheme and authority; always begins with `/` but for `OPTIONS *`. */
  readonly requestUri: string
  /** Percent-decoded to bytes, one Latin-1 character each (PEP 3333). '' for `OPTIONS *`. */
  readonly pathInfo: string
  /** What follows the first `?`, as sent; '' without one. */
  readonly queryString: string
  /** Host and port of an absolute target, which replace the Host header (RFC 9112, 3.2.2). */
  readonly authority: string | undefined
}

const absoluteForm = /^https?:\/\/([^/?#]*)(.*)$/is
const authorityForm = /^[A-Za-z0-9\-._~%!$&'()*+,;=:[\]]+$/
const needsWork = /[%\0]|\/\./
const percentByte = /%([0-9A-Fa-f]{2})/g

/**
 * Reads a request target (RFC 9112, 3.2). A fragment, which a client should not send, is part of neither path nor query.
 * @throws ProtocolError REQUEST_TARGET (400)
 */
export const parseRequestTarget = (method: string, target: string): RequestTarget => {
  if (target.charCodeAt(0) === 0x2f) return originForm(target, undefined)
  if (target === '*' && method === 'OPTIONS') return asterisk(undefined)
  const absolute = absoluteForm.exec(target)
  if (absolute === null) throw refused(target, 'is neither a path nor an http address')
  const authority = absolute[1] as string
  // User names in http addresses only serve to mislead (RFC 9110, 4.2.4).
  if (authority.includes('@')) throw refused(target, 'has a user name in its address')
  if (!authorityForm.test(authority)) throw refused(target, authority === '' ? 'has no host' : 'has a host of a bad form')
  const rest = absolute[2] as string
  // RFC 9112, 3.2.4: this is how `OPTIONS *` looks to a proxy.
  if (rest === '' && method === 'OPTIONS') return asterisk(authority)
  return originForm(rest.charCodeAt(0) === 0x2f ? rest : `/${rest}`, authority)
}

const asterisk = (authority: string | undefined): RequestTarget => ({
  requestUri: '*',
  // Differs from uWSGI: it says `*`, which PEP 3333 does not allow: a path is empty or begins with a slash.
  pathInfo: '',
  queryString: '',
  authority,
})

const originForm = (uri: string, authority: string | undefined): RequestTarget => {
  const fragment = uri.indexOf('#')
  const sent = fragment === -1 ? uri : uri.slice(0, fragment)
  const question = sent.indexOf('?')
  const path = question === -1 ? sent : sent.slice(0, question)
  return {
    requestUri: uri,
    pathInfo: needsWork.test(path) ? decodePath(path) : path,
    queryString: question === -1 ? '' : sent.slice(question + 1),
    authority,
  }
}

/**
 * Differs from uWSGI: a `%` without two hexadecimal digits stays as it is, where uWSGI makes a NUL of it and drops the
 * rest; and dot segments are removed after decoding, where uWSGI leaves those that an encoded slash had hidden.
 */
const decodePath = (path: string): string => {
  const decoded = path.replace(percentByte, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
  if (decoded.includes('\0')) throw refused(path, 'has a NUL in its path')
  return decoded.includes('/.') ? removeDotSegments(decoded) : decoded
}

/** RFC 3986, 5.2.4. A `..` at the root stays at the root. */
const removeDotSegments = (path: string): string => {
  const kept: string[] = []
  const segments = path.split('/')
  const last = segments.length - 1
  for (let index = 1; index <= last; index += 1) {
    const segment = segments[index] as string
    if (segment === '..') kept.pop()
    if (segment !== '.' && segment !== '..') kept.push(segment)
    else if (index === last) kept.push('')
  }
  return `/${kept.join('/')}`
}

const refused = (target: string, why: string): ProtocolError =>
  new ProtocolError('REQUEST_TARGET', `the request target ${JSON.stringify(target.slice(0, 80))} ${why}`)
