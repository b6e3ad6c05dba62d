// What a request says of itself: its variables, by the names that `struct wsgi_request` has for them. Nothing is parsed
// before it is asked for: each getter looks its variable up in the block.
// Invariant: a block is never changed in place; a change gives the request a new one, and whoever holds the old one keeps it.
import { findVar, iterateVars } from '../../protocol/vars.ts'
import { withoutVar, withVar } from '../../protocol/vars-edit.ts'
import { PolywsgiError } from '../errors.ts'

/**
 * Bytes that the variables may have after a change. What came over the wire is at most 65535; the room beside it is for what
 * plugins add. Guests have place for no more.
 */
const mostBytes = 2 * 65_535

export class RequestVars {
  /**
   * The vars block: repeated `u16le length, key, u16le length, value`. Where a key occurs twice the last one counts. What
   * guests get is made of it when their app is called. Its bytes stay as they are for as long as anybody holds it.
   */
  vars: Uint8Array

  constructor(vars: Uint8Array) {
    this.vars = vars
  }

  /** The value of a request variable (`REQUEST_METHOD`, `HTTP_HOST`...) as Latin-1 text; undefined when absent. */
  getVar(name: string): string | undefined {
    return findVar(this.vars, name)
  }

  /** All request variables in wire order, keys and values as Latin-1 text. */
  variables(): Iterable<readonly [string, string]> {
    return iterateVars(this.vars)
  }

  /**
   * Sets a variable, in place of all of its name. An app that is called afterwards sees it.
   * @param value Latin-1 text, or bytes; at most 65535
   * @throws PolywsgiError API_ARGUMENT for an empty name, a name or value that is too long or holds a character above U+00FF;
   *   API_REFUSED when all variables together would have more than 131070 bytes. The variables are then as they were
   */
  setVar(name: string, value: string | Uint8Array): void {
    this.#replace(name, value, withoutVar(this.vars, name))
  }

  /**
   * Adds a variable and leaves others of its name where they are; the new one counts (uWSGI: `uwsgi_req_append`).
   * @throws PolywsgiError as `setVar`
   */
  addVar(name: string, value: string | Uint8Array): void {
    this.#replace(name, value, this.vars)
  }

  /** Removes all variables of a name. @returns false when there was none */
  removeVar(name: string): boolean {
    const before = this.vars
    this.vars = withoutVar(before, name)
    return this.vars !== before
  }

  /**
   * The value of a cookie as it was sent, quotes and escapes included: the first one of its name; undefined when the client
   * sent none (uWSGI: `uwsgi_get_cookie`). Names are case sensitive.
   */
  getCookie(name: string): string | undefined {
    return valueIn(this.getVar('HTTP_COOKIE'), ';', name)
  }

  /**
   * A value of the query string as it was sent, with its percent escapes: the first one of its name, '' for a name without a
   * value, undefined when there is none (uWSGI: `uwsgi_get_qs`).
   */
  getQueryValue(name: string): string | undefined {
    return valueIn(this.getVar('QUERY_STRING'), '&', name)
  }

  /** REQUEST_METHOD: `GET`. '' when absent. */
  get method(): string {
    return this.getVar('REQUEST_METHOD') ?? ''
  }

  /** REQUEST_URI: the target as the client sent it, with its query. '' when absent. */
  get uri(): string {
    return this.getVar('REQUEST_URI') ?? ''
  }

  /** PATH_INFO: the decoded path below the app's mountpoint. '' when absent. */
  get pathInfo(): string {
    return this.getVar('PATH_INFO') ?? ''
  }

  /** SCRIPT_NAME: the app's mountpoint, '' at the root. */
  get scriptName(): string {
    return this.getVar('SCRIPT_NAME') ?? ''
  }

  /** QUERY_STRING: without the question mark. '' when absent. */
  get queryString(): string {
    return this.getVar('QUERY_STRING') ?? ''
  }

  /** SERVER_PROTOCOL: `HTTP/1.1`. '' when absent. */
  get protocol(): string {
    return this.getVar('SERVER_PROTOCOL') ?? ''
  }

  /** HTTP_HOST: the Host header, port included. '' when absent. */
  get host(): string {
    return this.getVar('HTTP_HOST') ?? ''
  }

  /** CONTENT_TYPE of the request's body. '' when absent. */
  get contentType(): string {
    return this.getVar('CONTENT_TYPE') ?? ''
  }

  /** REMOTE_ADDR: the client's address. '' when absent, as behind a unix socket. */
  get remoteAddr(): string {
    return this.getVar('REMOTE_ADDR') ?? ''
  }

  /** REMOTE_USER: who a front end says the client is; undefined when it says nothing. */
  get remoteUser(): string | undefined {
    return this.getVar('REMOTE_USER')
  }

  /** DOCUMENT_ROOT, as nginx and Apache send it; undefined when absent. */
  get documentRoot(): string | undefined {
    return this.getVar('DOCUMENT_ROOT')
  }

  /** UWSGI_APPID: the app that a front end names in place of SCRIPT_NAME; undefined when absent. */
  get appid(): string | undefined {
    return this.getVar('UWSGI_APPID')
  }

  /** HTTP_USER_AGENT; undefined when absent. */
  get userAgent(): string | undefined {
    return this.getVar('HTTP_USER_AGENT')
  }

  /** HTTP_REFERER; undefined when absent. */
  get referer(): string | undefined {
    return this.getVar('HTTP_REFERER')
  }

  /** HTTP_COOKIE: all cookies; undefined when absent. One of them: `getCookie`. */
  get cookie(): string | undefined {
    return this.getVar('HTTP_COOKIE')
  }

  /** HTTP_AUTHORIZATION: scheme and credentials; undefined when absent. */
  get authorization(): string | undefined {
    return this.getVar('HTTP_AUTHORIZATION')
  }

  /** HTTP_ACCEPT_ENCODING: the encodings that the client takes; undefined when absent. */
  get encoding(): string | undefined {
    return this.getVar('HTTP_ACCEPT_ENCODING')
  }

  /** HTTP_IF_MODIFIED_SINCE: a date as the client sent it; undefined when absent. */
  get ifModifiedSince(): string | undefined {
    return this.getVar('HTTP_IF_MODIFIED_SINCE')
  }

  /** HTTP_RANGE: `bytes=0-99`; undefined when absent. */
  get range(): string | undefined {
    return this.getVar('HTTP_RANGE')
  }

  /** HTTP_IF_RANGE; undefined when absent. */
  get ifRange(): string | undefined {
    return this.getVar('HTTP_IF_RANGE')
  }

  /**
   * `http` or `https`: the first of UWSGI_SCHEME, HTTP_X_FORWARDED_PROTO, HTTP_X_FORWARDED_SSL, HTTPS and REQUEST_SCHEME that
   * says one of the two. The middle ones are whatever a client sends, unless a front end sets them.
   */
  get scheme(): 'http' | 'https' {
    const named = (name: string): 'http' | 'https' | undefined => {
      const value = this.getVar(name)?.toLowerCase()
      return value === 'http' || value === 'https' ? value : undefined
    }
    const isOn = (name: string): 'https' | undefined => (/^(?:on|1)$/i.test(this.getVar(name) ?? '') ? 'https' : undefined)
    const forwarded = named('HTTP_X_FORWARDED_PROTO') ?? isOn('HTTP_X_FORWARDED_SSL')
    return named('UWSGI_SCHEME') ?? forwarded ?? isOn('HTTPS') ?? named('REQUEST_SCHEME') ?? 'http'
  }

  /** True when the client's connection is encrypted, as `scheme` says. */
  get isHttps(): boolean {
    return this.scheme === 'https'
  }

  #replace(name: string, value: string | Uint8Array, others: Uint8Array): void {
    let changed: Uint8Array
    try {
      changed = withVar(others, name, value)
    } catch (error) {
      throw new PolywsgiError('API_ARGUMENT', (error as Error).message, { cause: error })
    }
    if (changed.length > mostBytes) {
      const why = `the request's variables would have ${changed.length} bytes (max ${mostBytes}) with ${name.slice(0, 80)}`
      throw new PolywsgiError('API_REFUSED', why)
    }
    this.vars = changed
  }
}

/** The value in `a=1; b=2`; the whole text is walked, and nothing is built but the answer. */
const valueIn = (text: string | undefined, separator: string, name: string): string | undefined => {
  if (text === undefined || name === '') return undefined
  let start = 0
  while (start < text.length) {
    let end = text.indexOf(separator, start)
    if (end === -1) end = text.length
    if (separator === ';') while (text[start] === ' ' || text[start] === '\t') start += 1
    if (text.startsWith(name, start)) {
      const behind = start + name.length
      if (behind === end && separator === '&') return ''
      if (behind < end && text[behind] === '=') return text.slice(behind + 1, end)
    }
    start = end + 1
  }
  return undefined
}
