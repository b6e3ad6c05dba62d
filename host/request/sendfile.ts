// A file as a response: which file may be sent, and what is said of it.

import { PolywsgiError } from '../errors.ts'
import { checkFile, type KnownFile } from '../files/containment.ts'
import { answerFile, type FileAnswer } from '../files/file-answer.ts'
import { MimeTypes } from '../files/mime-types.ts'

export interface SendfileOptions {
  /** Where the part begins, in bytes. */
  readonly offset?: number
  /** Bytes of the part; 0 or absent: up to the end of the file. */
  readonly length?: number
  /** The file must really lie in one of these directories; absent: anywhere. */
  readonly roots?: readonly string[]
  /** The app has said all that is to be said of the file: nothing but a missing Content-Length is added. */
  readonly isPlain?: boolean
}

/** A file that was found, and the part of it that was asked for. */
export interface FilePart {
  readonly file: KnownFile
  readonly offset: number
  readonly length: number
  readonly isWhole: boolean
  readonly contentType: string | undefined
  readonly isPlain: boolean
}

/** Longer paths are no system's: looking for how far they lead takes time with the square of their length. */
const longestPath = 4096

const commonTypes = new MimeTypes()

/**
 * Finds the file and the part.
 * @throws PolywsgiError API_IO when there is no such file, or none that can be read; API_REFUSED for what is no regular file, for
 *   one outside of `roots`, and for a part that does not lie in the file
 */
export const findPart = (path: string, options: SendfileOptions, mimeTypes = commonTypes): FilePart => {
  const shown = JSON.stringify(path.slice(0, 200))
  const { offset = 0, length = 0, roots, isPlain = false } = options
  if (path === '' || path.length > longestPath || path.includes('\0'))
    throw new PolywsgiError('API_REFUSED', `${shown} is no path of a file`)
  const found = checkFile(path, roots)
  switch (found.kind) {
    case 'absent':
      throw new PolywsgiError('API_IO', `there is no file ${shown}, or it cannot be read`)
    case 'outside':
      throw new PolywsgiError('API_REFUSED', `the file ${shown} lies outside of the directories from which files may be sent`)
    case 'known':
      break
    default:
      throw new PolywsgiError('API_REFUSED', `${shown} is no regular file`)
  }
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 || offset > found.size) {
    throw new PolywsgiError('API_REFUSED', `there are no ${length} bytes at ${offset} in ${shown}, which has ${found.size}`)
  }
  const rest = found.size - offset
  const isWhole = offset === 0 && (length === 0 || length >= rest)
  const contentType = mimeTypes.typeOf(path)
  return { file: found, offset, length: length === 0 ? rest : Math.min(length, rest), isWhole, contentType, isPlain }
}

const hasHeader = (headers: string, name: string): boolean => new RegExp(`(?:^|\\0)${name}\\0`, 'i').test(headers)

/** What the answer depends on: the head that was set, '' for none, and the client's request. */
export interface PartRequest {
  readonly status: string
  /** Names and values in turn, joined by NUL. */
  readonly headers: string
  getVar(name: string): string | undefined
}

/**
 * Status, headers and the part that follows them. With no status, or 200, of a whole file: as for static files, with what the
 * app has set left as it is; conditions and ranges of the client are honoured. Otherwise the head is the app's, and only what
 * it does not say is added.
 */
export const answerPart = (part: FilePart, { status, headers, getVar }: PartRequest): FileAnswer => {
  const { file, offset, length, isWhole, contentType, isPlain } = part
  const text = (name: string): string => getVar(name) ?? ''
  const method = getVar('REQUEST_METHOD')
  const addMissing = (base: string, additions: string): string => {
    let result = base
    const fields = additions === '' ? [] : additions.split('\0')
    for (let index = 0; index < fields.length; index += 2) {
      const name = fields[index] as string
      if (hasHeader(base, name)) continue
      result += `${result === '' ? '' : '\0'}${name}\0${fields[index + 1]}`
    }
    return result
  }
  const isConditional =
    (status === '' || status.startsWith('200')) && isWhole && !isPlain && (method === 'GET' || method === 'HEAD')
  if (!isConditional) {
    const type = isPlain || contentType === undefined ? '' : `Content-Type\0${contentType}\0`
    const own = addMissing(headers, `${type}Content-Length\0${length}`)
    return { status: status === '' ? '200 OK' : status, headers: own, offset, length: lengthUnder(own, length) }
  }
  const range = method === 'HEAD' || hasHeader(headers, 'Content-Length') ? '' : text('HTTP_RANGE')
  const answer = answerFile(
    {
      ifModifiedSince: hasHeader(headers, 'Last-Modified') ? '' : text('HTTP_IF_MODIFIED_SINCE'),
      ifNoneMatch: '',
      range,
      ifRange: range === '' ? '' : text('HTTP_IF_RANGE'),
    },
    { size: file.size, modifiedMs: file.modifiedMs, contentType },
  )
  const own = addMissing(headers, answer.headers)
  return {
    status: answer.status === '200 OK' && status !== '' ? status : answer.status,
    headers: own,
    offset: answer.offset,
    length: lengthUnder(own, answer.length),
  }
}

/** An app that promises less gets less sent: the rest would pass for the next response. */
const lengthUnder = (headers: string, length: number): number => {
  const promised = /(?:^|\0)content-length\0(\d{1,15})(?:\0|$)/i.exec(headers)
  return promised === null ? length : Math.min(length, Number(promised[1]))
}
