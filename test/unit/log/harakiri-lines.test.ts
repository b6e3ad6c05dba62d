// What the log says of requests that took too long: bounded, printable, and without anybody's secrets.
import { describe, expect, it } from 'vitest'
import { overrunLines, stoppedLines } from '../../../host/log/harakiri-lines.ts'
import { encodeVars } from '../../../protocol/vars.ts'

const linesOf = (vars: Record<string, string>, isVerbose = false): string[] =>
  overrunLines(
    {
      vars: encodeVars(Object.entries({ REMOTE_ADDR: '10.0.0.1', REQUEST_METHOD: 'GET', ...vars })),
      coreId: 3,
      since: 12,
      requestId: 'id-1',
    },
    isVerbose,
  )

describe('a request that took too long', () => {
  it('is told by its line, its id and its usual variables, those that are there', () => {
    expect(linesOf({ REQUEST_URI: '/a?b=c', HTTP_HOST: 'h', CONTENT_LENGTH: '', HTTP_X_OTHER: 'o' })).toEqual([
      'HARAKIRI [core 3] 10.0.0.1 - GET /a?b=c since 12',
      'HARAKIRI [core 3] request id: id-1',
      'HARAKIRI [core 3] vars: {"HTTP_HOST":"h"}',
    ])
  })

  it('is told by all of its variables when that is wanted', () => {
    expect(linesOf({ HTTP_X_OTHER: 'o', CONTENT_LENGTH: '' }, true)[2]).toBe(
      'HARAKIRI [core 3] vars: {"REMOTE_ADDR":"10.0.0.1","REQUEST_METHOD":"GET","HTTP_X_OTHER":"o","CONTENT_LENGTH":""}',
    )
  })

  it.each([
    'HTTP_AUTHORIZATION',
    'HTTP_PROXY_AUTHORIZATION',
    'HTTP_COOKIE',
    'HTTP_COOKIE2',
    'HTTP_X_API_KEY',
    'HTTP_X_AUTH_TOKEN',
    'HTTP_X_CSRFTOKEN',
    'HTTP_X_AMZ_SECURITY_TOKEN',
    'HTTP_X_HUB_SIGNATURE_256',
    'DB_PASSWORD',
    'SECRET_KEY',
  ])('shows nothing of %s', (name) => {
    const text = linesOf({ [name]: 'hidden-value' }, true).join('\n')
    expect(text).toContain(`"${name}":"[redacted]"`)
    expect(text).not.toContain('hidden')
  })

  it('shows no secret of a query, in the URI, in the query and in the page that led there', () => {
    const query = 'a=1&token=hidden&X-Amz-Signature=hidden;user_password=hidden&b=2'
    const vars = { REQUEST_URI: `/x?${query}#y`, QUERY_STRING: query, HTTP_REFERER: `http://h/?${query}` }
    const text = linesOf(vars, true).join('\n')
    expect(text).not.toContain('hidden')
    expect(text).toContain('GET /x?a=1&token=[redacted]&X-Amz-Signature=[redacted];user_password=[redacted]&b=2#y since')
  })

  it('keeps to one line each, without a command to a terminal', () => {
    const [line, , vars] = linesOf({ REQUEST_URI: '/\n*** HARAKIRI \x1b[2J\x9b2J', HTTP_HOST: 'h\r\n\x7f"\x85' })
    expect(line).toBe('HARAKIRI [core 3] 10.0.0.1 - GET /\\x0a*** HARAKIRI \\x1b[2J\\x9b2J since 12')
    expect(vars).toBe('HARAKIRI [core 3] vars: {"HTTP_HOST":"h\\r\\n\\x7f\\"\\x85"}')
  })

  it('is cut: values, names, how many, and all of it', () => {
    const [, , long] = linesOf({ HTTP_HOST: 'x'.repeat(5000) })
    expect(long).toBe(`HARAKIRI [core 3] vars: {"HTTP_HOST":"${'x'.repeat(512)}... (5000 characters)"}`)
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`HTTP_X_${index}`, '']))
    expect(linesOf(many, true)[2]).toMatch(/,"HTTP_X_97":"","\.\.\.":"402 more"\}$/)
    const large = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`HTTP_X_${index}`, 'y'.repeat(500)]))
    expect((linesOf(large, true)[2] as string).length).toBeLessThan(17_000)
  })

  it('shows the last of several values, as apps see it', () => {
    const vars = encodeVars([
      ['HTTP_HOST', 'first'],
      ['HTTP_HOST', 'last'],
    ])
    expect(overrunLines({ vars, coreId: 0, since: 0, requestId: 'i' }, false)[2]).toBe(
      'HARAKIRI [core 0] vars: {"HTTP_HOST":"last"}',
    )
  })
})

describe('where code was stopped', () => {
  it('is told line by line', () => {
    expect(stoppedLines('[core 0] ', '  at f (a.js:1)\n  at g (\x1ba.js:2)\n')).toEqual([
      'HARAKIRI [core 0] the code that ran was stopped at:',
      '  at f (a.js:1)',
      '  at g (\\x1ba.js:2)',
    ])
  })

  it('is bounded, and said to be unknown where it is', () => {
    expect(stoppedLines('', '')).toEqual(['HARAKIRI the code that ran was stopped'])
    expect(stoppedLines('', 'x'.repeat(1_000_000)).join('').length).toBeLessThan(17_000)
  })
})
