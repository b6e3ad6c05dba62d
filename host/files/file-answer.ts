// What is answered when a file is the response: status, headers, and which part of the file follows them.
// Invariant: Content-Length is the length of the part, whatever the client asked for.
import { parseRange } from './byte-range.ts'
import { formatHttpDate, parseHttpDate } from './http-date.ts'

/** A regular file as it was when it was looked at. */
export interface FileFacts {
  /** Bytes. */
  readonly size: number
  readonly modifiedMs: number
  /** Undefined: nothing is said about it. */
  readonly contentType: string | undefined
}

/** What the client says that decides about the answer; '' for a header that it does not send. */
export interface FileRequest {
  readonly ifModifiedSince: string
  readonly ifNoneMatch: string
  readonly range: string
  readonly ifRange: string
}

/** When an answer is too old. uWSGI puts the header before the type, unless it is the type that decides. */
export interface Expiry {
  /** Since the epoch. */
  readonly atMs: number
  readonly isByType: boolean
}

export interface FileAnswer {
  readonly status: string
  /** Names and values in turn, joined by NUL. */
  readonly headers: string
  /** Where the part begins, and how many bytes it has. */
  readonly offset: number
  readonly length: number
}

/**
 * The answer to a GET or HEAD for a whole file, in uWSGI's order of headers.
 *
 * Differs from uWSGI: ranges are honoured without `honour-range`; a range is only for a client whose `If-Range` names this
 * very version of the file; `If-None-Match` other than `*` is about versions that we never named, so the file is sent.
 * @param expires undefined: no such header
 */
export const answerFile = (request: FileRequest, file: FileFacts, expires?: Expiry): FileAnswer => {
  const lastModified = formatHttpDate(file.modifiedMs)
  if (isNotModified(request, file.modifiedMs)) return { status: '304 Not Modified', headers: '', offset: 0, length: 0 }
  let offset = 0
  let length = file.size
  let status = '200 OK'
  let headers = ''
  const add = (name: string, value: string): void => {
    headers += headers === '' ? `${name}\0${value}` : `\0${name}\0${value}`
  }
  if (request.range !== '' && (request.ifRange === '' || request.ifRange === lastModified)) {
    const range = parseRange(request.range, file.size)
    if (range.kind === 'unsatisfiable') {
      add('Content-Range', `bytes */${file.size}`)
      return { status: '416 Requested Range Not Satisfiable', headers, offset: 0, length: 0 }
    }
    if (range.kind === 'part') {
      offset = range.offset
      length = range.length
      status = '206 Partial Content'
    }
  }
  const addExpires = (): void => {
    if (expires !== undefined) add('Expires', formatHttpDate(expires.atMs))
  }
  if (expires?.isByType !== true) addExpires()
  if (file.contentType !== undefined) add('Content-Type', file.contentType)
  if (expires?.isByType === true) addExpires()
  add('Content-Length', String(length))
  if (status.startsWith('206')) add('Content-Range', `bytes ${offset}-${offset + length - 1}/${file.size}`)
  add('Last-Modified', lastModified)
  return { status, headers, offset, length }
}

const isNotModified = ({ ifModifiedSince, ifNoneMatch }: FileRequest, modifiedMs: number): boolean => {
  // With both, the former alone counts (RFC 9110, 13.1.3).
  if (ifNoneMatch !== '') return ifNoneMatch.trim() === '*'
  if (ifModifiedSince === '') return false
  const since = parseHttpDate(ifModifiedSince)
  return since !== undefined && Math.floor(modifiedMs / 1000) <= since
}
