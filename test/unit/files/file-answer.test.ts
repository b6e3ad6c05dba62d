// Status, headers and part for a file, by what the client asks; and the dates and content types in them.
import { describe, expect, it } from 'vitest'
import { answerFile, type FileRequest } from '../../../host/files/file-answer.ts'
import { formatHttpDate, parseHttpDate } from '../../../host/files/http-date.ts'
import { MimeTypes, parseMimeTypes } from '../../../host/files/mime-types.ts'

const modifiedMs = Date.UTC(2026, 10, 3, 9, 5, 7, 999)
const modified = 'Tue, 03 Nov 2026 09:05:07 GMT'
const file = { size: 10, modifiedMs, contentType: 'text/css' }
const ask = (request: Partial<FileRequest>) =>
  answerFile({ ifModifiedSince: '', ifNoneMatch: '', range: '', ifRange: '', ...request }, file)
const whole = { status: '200 OK', offset: 0, length: 10 }

describe('the answer', () => {
  it('to a plain request is the file, in uWSGI’s order of headers', () => {
    const headers = `Content-Type\0text/css\0Content-Length\x0010\0Last-Modified\0${modified}`
    expect(ask({})).toEqual({ ...whole, headers })
  })

  it.each<[string, Partial<FileRequest>, string]>([
    ['the same second', { ifModifiedSince: modified }, '304'],
    ['a later one', { ifModifiedSince: 'Tue, 03 Nov 2026 09:05:08 GMT' }, '304'],
    ['an earlier one', { ifModifiedSince: 'Tue, 03 Nov 2026 09:05:06 GMT' }, '200'],
    ['no date', { ifModifiedSince: 'tomorrow' }, '200'],
    ['a condition on versions, which counts alone', { ifModifiedSince: modified, ifNoneMatch: '"a"' }, '200'],
    ['any version', { ifNoneMatch: '*' }, '304'],
    ['a range of this version', { range: 'bytes=0-1', ifRange: modified }, '206'],
    ['a range of another version', { range: 'bytes=0-1', ifRange: 'Tue, 03 Nov 2026 09:05:06 GMT' }, '200'],
    ['a range of a named version', { range: 'bytes=0-1', ifRange: '"a"' }, '200'],
    ['a range past the end', { range: 'bytes=10-' }, '416'],
    ['a range past the end of another version', { range: 'bytes=10-', ifRange: '"a"' }, '200'],
    ['a range of what has not changed', { range: 'bytes=0-1', ifModifiedSince: modified }, '304'],
  ])('to a request with %s', (_, request, status) => {
    expect(ask(request).status.slice(0, 3)).toBe(status)
  })

  it('with a part says which', () => {
    const answer = ask({ range: 'bytes=4-' })
    expect([answer.offset, answer.length]).toEqual([4, 6])
    expect(answer.headers).toContain('Content-Length\x006\0Content-Range\0bytes 4-9/10\0')
    expect(ask({ range: 'bytes=10-' })).toMatchObject({ headers: 'Content-Range\0bytes */10', length: 0 })
  })
})

describe('a date', () => {
  it('is read in all three forms, and reads back the same', () => {
    const seconds = Date.UTC(1994, 10, 6, 8, 49, 37) / 1000
    for (const text of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])
      expect(parseHttpDate(text)).toBe(seconds)
    expect(formatHttpDate(seconds * 1000 + 999)).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
  })

  it.each([
    '',
    '0',
    'Sun, 06 Nov 1994',
    'Sun, 32 Nov 1994 08:49:37 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    '1994-11-06',
    'x'.repeat(70_000),
  ])('is not %j', (text) => {
    expect(parseHttpDate(text)).toBeUndefined()
  })
})

describe('a content type', () => {
  it.each([
    ['/a/b.html', 'text/html'],
    ['b.HTML', 'text/html'],
    ['archive.tar.gz', 'application/gzip'],
    ['/a.d/noext', undefined],
    ['noext', undefined],
    ['.html', 'text/html'],
    ['a.', undefined],
    ['a.__proto__', undefined],
    ['a.own', 'x/own'],
    ['a.css', 'x/mine'],
  ])('of %s', (path, type) => {
    expect(
      new MimeTypes(
        new Map([
          ['own', 'x/own'],
          ['css', 'x/mine'],
        ]),
      ).typeOf(path),
    ).toBe(type)
  })

  it('is read from a file as /etc/mime.types is', () => {
    const text = '# types\n\ntext/x-one\tone  ONE2 # both\ntext/x-none\ntext/x-two two one\n'
    expect(parseMimeTypes(text)).toEqual(
      new Map([
        ['one', 'text/x-two'],
        ['one2', 'text/x-one'],
        ['two', 'text/x-two'],
      ]),
    )
    expect(() => parseMimeTypes('a/b c\nno type here')).toThrow('line 2: "no" is not a content type')
  })
})
