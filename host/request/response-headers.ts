// The headers of the response under way, as plugins set them one by one: uWSGI's `uwsgi_response_add_*`. Each is a line of
// its own on top of what WsgiRequest does with the whole head.
import { PolywsgiError } from '../errors.ts'
import { checkHeaders } from './header-rules.ts'
import { headerPairs, joinHeaders, withoutHeaders } from './header-text.ts'
import { RequestVars } from './request-vars.ts'

/** A moment: a Date, or seconds since the epoch. */
export type Moment = Date | number

export abstract class ResponseHeaders extends RequestVars {
  /** The headers so far: names and values in turn, joined by NUL. */
  protected abstract readonly headerText: string

  /** Puts other headers, checked ones, in the place of those so far. @throws PolywsgiError HEADERS_SENT */
  protected abstract replaceHeaderText(headers: string): void

  /**
   * Adds one header line after those already there (uWSGI: `uwsgi_response_add_header`).
   * @throws PolywsgiError HEADERS_SENT, APP_RESPONSE for a name or value that HTTP does not allow (RFC 9110, 5.5)
   */
  abstract addHeader(name: string, value: string): void

  /** The headers of the response so far, in order. */
  get headers(): [name: string, value: string][] {
    return headerPairs(this.headerText)
  }

  /** The value of the response's first header of a name, whatever its case; undefined when there is none. */
  getHeader(name: string): string | undefined {
    const wanted = name.toLowerCase()
    return this.headers.find(([other]) => other.toLowerCase() === wanted)?.[1]
  }

  /**
   * Removes all headers of a name, whatever its case. Where there is none, nothing happens.
   * @throws PolywsgiError HEADERS_SENT
   */
  removeHeader(name: string): void {
    this.replaceHeaderText(withoutHeaders(this.headerText, new Set([name.toLowerCase()])))
  }

  /**
   * Adds a header in place of all of its name. One that is refused leaves them as they are.
   * @throws PolywsgiError as `addHeader`
   */
  replaceHeader(name: string, value: string): void {
    const header = `${name}\0${value}`
    checkHeaders(header, 2)
    this.replaceHeaderText(joinHeaders(withoutHeaders(this.headerText, new Set([name.toLowerCase()])), header))
  }

  /** `Content-Length`. @param length bytes, a whole number from 0 @throws PolywsgiError HEADERS_SENT, API_ARGUMENT */
  addContentLength(length: number): void {
    this.addHeader('Content-Length', String(checkedLength('the content length', length)))
  }

  /** `Content-Type`. @throws PolywsgiError as `addHeader` */
  addContentType(type: string): void {
    this.addHeader('Content-Type', type)
  }

  /** `Expires`. @throws PolywsgiError HEADERS_SENT, API_ARGUMENT for what is no time of the years 0 to 9999 */
  addExpires(time: Moment): void {
    this.addHeader('Expires', httpDate('Expires', time))
  }

  /** `Date`: now unless said otherwise. @throws PolywsgiError as `addExpires` */
  addDate(time: Moment = new Date()): void {
    this.addHeader('Date', httpDate('Date', time))
  }

  /** `Last-Modified`. @throws PolywsgiError as `addExpires` */
  addLastModified(time: Moment): void {
    this.addHeader('Last-Modified', httpDate('Last-Modified', time))
  }

  /**
   * `Content-Range: bytes 0-99/1000`.
   * @param first number of the first byte, from 0
   * @param last number of the last byte, not before the first
   * @param size of the whole, past the last byte; undefined when it is not known (`bytes 0-99/*`)
   * @throws PolywsgiError HEADERS_SENT, API_ARGUMENT
   */
  addContentRange(first: number, last: number, size?: number): void {
    checkedLength('the first byte of a range', first)
    checkedLength('the last byte of a range', last)
    if (last < first) throw new PolywsgiError('API_ARGUMENT', `the range ends at byte ${last}, before it begins at ${first}`)
    if (size !== undefined && checkedLength('the size of the whole', size) <= last) {
      throw new PolywsgiError('API_ARGUMENT', `the range ends at byte ${last}, and the whole has only ${size}`)
    }
    this.addHeader('Content-Range', `bytes ${first}-${last}/${size ?? '*'}`)
  }

  /** `Connection: close`. @throws PolywsgiError HEADERS_SENT */
  addConnectionClose(): void {
    this.addHeader('Connection', 'close')
  }
}

const checkedLength = (what: string, length: number): number => {
  if (Number.isSafeInteger(length) && length >= 0) return length
  throw new PolywsgiError('API_ARGUMENT', `${what} is a whole number from 0, not ${length}`)
}

/** `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7), whose year has four digits. */
const httpDate = (header: string, time: Moment): string => {
  const date = typeof time === 'number' ? new Date(Math.floor(time) * 1000) : time
  const year = date.getUTCFullYear()
  if (!(year >= 0 && year <= 9999)) throw new PolywsgiError('API_ARGUMENT', `${header} needs a time up to the year 9999`)
  return date.toUTCString()
}
