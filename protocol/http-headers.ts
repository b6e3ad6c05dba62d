// What becomes of each HTTP header on its way into the vars block: its variable's name, and what a second line of the same
// name does to it. Invariant: two headers that a client can tell apart never become the same variable.
import { ProtocolError } from './errors.ts'

/**
 * `list`: lines are joined (RFC 9110, 5.3); `first`: the first line counts; the other names have rules of their own.
 * `drop`: never becomes a variable.
 */
export type HeaderRule = 'list' | 'first' | 'cookie' | 'host' | 'content-type' | 'content-length' | 'transfer-encoding' | 'drop'

export interface HeaderVar {
  readonly varName: string
  readonly rule: HeaderRule
  /** Number of the request in which the header was last met. */
  lastRequest: number
}

const ruleOf = new Map<string, HeaderRule>([
  ['HTTP_HOST', 'host'],
  ['HTTP_COOKIE', 'cookie'],
  ['HTTP_CONTENT_TYPE', 'content-type'],
  ['HTTP_CONTENT_LENGTH', 'content-length'],
  ['HTTP_TRANSFER_ENCODING', 'transfer-encoding'],
  // CGI programs take HTTP_PROXY for the proxy to use for their own requests (httpoxy, CVE-2016-5385).
  ['HTTP_PROXY', 'drop'],
  // Fields whose value is no list (RFC 9110, 5.3): joining two lines would make a value that neither of them had.
  ['HTTP_AUTHORIZATION', 'first'],
  ['HTTP_CONTENT_LOCATION', 'first'],
  ['HTTP_DATE', 'first'],
  ['HTTP_FROM', 'first'],
  ['HTTP_IF_MODIFIED_SINCE', 'first'],
  ['HTTP_IF_RANGE', 'first'],
  ['HTTP_IF_UNMODIFIED_SINCE', 'first'],
  ['HTTP_MAX_FORWARDS', 'first'],
  ['HTTP_ORIGIN', 'first'],
  ['HTTP_PROXY_AUTHORIZATION', 'first'],
  ['HTTP_RANGE', 'first'],
  ['HTTP_REFERER', 'first'],
  ['HTTP_USER_AGENT', 'first'],
])

// As nginx by default: an underscore would make X_Foo indistinguishable from X-Foo, which a proxy in front may vouch for;
// other marks are no part of a variable's name.
const nameForm = /^[0-9A-Za-z-]+$/

const makeHeaderVar = (name: string): HeaderVar => {
  if (!nameForm.test(name)) return { varName: '', rule: 'drop', lastRequest: 0 }
  const varName = `HTTP_${name.toUpperCase().replaceAll('-', '_')}`
  return { varName, rule: ruleOf.get(varName) ?? 'list', lastRequest: 0 }
}

const longestCachedName = 64
const mostCachedNames = 512

// By the name as sent, whose spellings share one HeaderVar. Emptied between two requests when it has grown too large, so
// that a client which invents names cannot make the common ones slow for good.
const bySpelling = new Map<string, HeaderVar>()
const byVarName = new Map<string, HeaderVar>()
let requestNumber = 0

const cachedHeaderVar = (name: string): HeaderVar | undefined => {
  const known = bySpelling.get(name)
  if (known !== undefined) return known
  if (name.length > longestCachedName) return undefined
  const made = makeHeaderVar(name)
  const shared = byVarName.get(made.varName) ?? made
  byVarName.set(shared.varName, shared)
  bySpelling.set(name, shared)
  return shared
}

/** Names kept at present, for tests of the limit. */
export const cachedHeaderNames = (): number => bySpelling.size

/**
 * Looks up the variable of each header into `found`, in order.
 * @returns false when a header occurs twice or may do so: `foldHeaders` has to be called first
 */
export const findHeaderVars = (rawHeaders: readonly string[], found: HeaderVar[]): boolean => {
  if (bySpelling.size > mostCachedNames) {
    bySpelling.clear()
    byVarName.clear()
  }
  requestNumber += 1
  found.length = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = cachedHeaderVar(rawHeaders[index] as string)
    if (header === undefined) return false
    if (header.lastRequest === requestNumber && header.rule !== 'drop') return false
    header.lastRequest = requestNumber
    found.push(header)
  }
  return true
}

/**
 * Headers without repetitions and without those that never become variables: variables into `found`, the values returned.
 * @throws ProtocolError DUPLICATE_HEADER for a second Host (RFC 9112, 3.2), CONTENT_LENGTH for two that differ (RFC 9110, 8.6)
 */
export const foldHeaders = (rawHeaders: readonly string[], found: HeaderVar[]): string[] => {
  const folded = new Map<string, { header: HeaderVar; values: string[] }>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = makeHeaderVar(rawHeaders[index] as string)
    const value = rawHeaders[index + 1] as string
    if (header.rule === 'drop') continue
    const earlier = folded.get(header.varName)
    if (earlier === undefined) folded.set(header.varName, { header, values: [value] })
    else repeat(earlier, value)
  }
  found.length = 0
  const values: string[] = []
  for (const { header, values: lines } of folded.values()) {
    found.push(header)
    values.push(lines.join(header.rule === 'cookie' ? '; ' : ', '))
  }
  return values
}

const repeat = (earlier: { header: HeaderVar; values: string[] }, value: string): void => {
  switch (earlier.header.rule) {
    case 'host':
      throw new ProtocolError('DUPLICATE_HEADER', 'the request has two Host headers')
    case 'content-length':
      if (earlier.values[0] !== value)
        throw new ProtocolError('CONTENT_LENGTH', 'the request has two Content-Length headers that differ')
      return
    case 'first':
    case 'content-type':
      return
    default:
      earlier.values.push(value)
  }
}
