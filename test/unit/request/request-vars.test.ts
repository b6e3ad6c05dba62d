// What a request says of itself by name, and changes to its variables.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PolywsgiError } from '../../../host/errors.ts'
import { checkVars, iterateVars } from '../../../protocol/vars.ts'
import { memoryRequest } from './memory-request.ts'

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof PolywsgiError) return error.code
    throw error
  }
  return 'nothing thrown'
}

describe('the variables of a request by their names', () => {
  const named = [
    ['method', 'REQUEST_METHOD', ''],
    ['uri', 'REQUEST_URI', ''],
    ['pathInfo', 'PATH_INFO', ''],
    ['scriptName', 'SCRIPT_NAME', ''],
    ['queryString', 'QUERY_STRING', ''],
    ['protocol', 'SERVER_PROTOCOL', ''],
    ['host', 'HTTP_HOST', ''],
    ['contentType', 'CONTENT_TYPE', ''],
    ['remoteAddr', 'REMOTE_ADDR', ''],
    ['remoteUser', 'REMOTE_USER', undefined],
    ['documentRoot', 'DOCUMENT_ROOT', undefined],
    ['appid', 'UWSGI_APPID', undefined],
    ['userAgent', 'HTTP_USER_AGENT', undefined],
    ['referer', 'HTTP_REFERER', undefined],
    ['cookie', 'HTTP_COOKIE', undefined],
    ['authorization', 'HTTP_AUTHORIZATION', undefined],
    ['encoding', 'HTTP_ACCEPT_ENCODING', undefined],
    ['ifModifiedSince', 'HTTP_IF_MODIFIED_SINCE', undefined],
    ['range', 'HTTP_RANGE', undefined],
    ['ifRange', 'HTTP_IF_RANGE', undefined],
  ] as const

  it.each(named)('%s is %s', (member, variable, absent) => {
    expect(memoryRequest({ [variable]: 'va\xfc\0lue' }).request[member]).toBe('va\xfc\0lue')
    expect(memoryRequest({ [variable]: '' }).request[member]).toBe('')
    expect(memoryRequest({ OTHER: 'x' }).request[member]).toBe(absent)
  })

  it.each([
    [{}, 'http'],
    [{ REQUEST_SCHEME: 'https' }, 'https'],
    [{ REQUEST_SCHEME: 'https', HTTPS: 'off' }, 'https'],
    [{ HTTPS: 'on', REQUEST_SCHEME: 'http' }, 'https'],
    [{ HTTPS: '1' }, 'https'],
    [{ HTTP_X_FORWARDED_PROTO: 'http', HTTPS: 'on' }, 'http'],
    [{ HTTP_X_FORWARDED_PROTO: 'HTTPS' }, 'https'],
    [{ HTTP_X_FORWARDED_SSL: 'on' }, 'https'],
    [{ UWSGI_SCHEME: 'http', HTTP_X_FORWARDED_PROTO: 'https' }, 'http'],
    [{ UWSGI_SCHEME: 'gopher' }, 'http'],
  ])('scheme of %j is %s', (vars, scheme) => {
    const { request } = memoryRequest(vars as Record<string, string>)
    expect([request.scheme, request.isHttps]).toEqual([scheme, scheme === 'https'])
  })

  it('gives the first cookie of a name, as it was sent', () => {
    const { request } = memoryRequest({ HTTP_COOKIE: 'aa=0; a=1;b="x=y";\tc=; a=2; flag; d=%20' })
    const names = ['a', 'b', 'c', 'd', 'aa', 'flag', 'A', 'e', '']
    const values = names.map((name) => request.getCookie(name))
    expect(values).toEqual(['1', '"x=y"', '', '%20', '0', undefined, undefined, undefined, undefined])
    expect(memoryRequest().request.getCookie('a')).toBe(undefined)
  })

  it('gives the first value of a name in the query, as it was sent', () => {
    const { request } = memoryRequest({ QUERY_STRING: 'aa=0&a=1%20&b&&c=&a=2&d=x=y' })
    const values = ['a', 'b', 'c', 'd', 'aa', 'e', ''].map((name) => request.getQueryValue(name))
    expect(values).toEqual(['1%20', '', '', 'x=y', '0', undefined, undefined])
    expect(memoryRequest({ QUERY_STRING: '' }).request.getQueryValue('a')).toBe(undefined)
  })
})

describe('a change of the variables', () => {
  it('is what getters and whoever reads the block see', () => {
    const { request } = memoryRequest({ PATH_INFO: '/old', HTTP_HOST: 'a' })
    const before = request.vars
    const bytesBefore = Buffer.from(before)
    request.setVar('PATH_INFO', '/new')
    request.addVar('HTTP_HOST', 'b')
    request.setVar('BYTES', Uint8Array.of(0, 255, 10))
    expect([request.pathInfo, request.host, request.getVar('BYTES')]).toEqual(['/new', 'b', '\0\xff\n'])
    expect([...iterateVars(request.vars)]).toEqual([
      ['HTTP_HOST', 'a'],
      ['PATH_INFO', '/new'],
      ['HTTP_HOST', 'b'],
      ['BYTES', '\0\xff\n'],
    ])
    expect(Buffer.from(before)).toEqual(bytesBefore)
    expect([request.removeVar('HTTP_HOST'), request.removeVar('HTTP_HOST'), request.host]).toEqual([true, false, ''])
  })

  it('is refused whole when it cannot be', () => {
    const { request } = memoryRequest({ A: '1' })
    const before = request.vars
    expect(codeOf(() => request.setVar('', 'x'))).toBe('API_ARGUMENT')
    expect(codeOf(() => request.setVar('A', '\u20ac'))).toBe('API_ARGUMENT')
    expect(codeOf(() => request.setVar('\u20ac', 'x'))).toBe('API_ARGUMENT')
    expect(codeOf(() => request.setVar('A', new Uint8Array(65536)))).toBe('API_ARGUMENT')
    expect(codeOf(() => request.addVar('A', 'x'.repeat(65536)))).toBe('API_ARGUMENT')
    expect(request.vars).toBe(before)
    expect(() => request.setVar('A', '\u20ac')).toThrow(/the value of A holds U\+20AC at position 0, .* encode it to bytes/)
  })

  it('takes values of 65535 bytes with their names, and no more than there is place for in guests', () => {
    const { request } = memoryRequest({ A: '1' })
    const large = new Uint8Array(65_535)
    request.setVar('B', large)
    request.setVar('B', large)
    expect(codeOf(() => request.addVar('C', large))).toBe('API_REFUSED')
    expect(request.getVar('B')?.length).toBe(65_535)
    expect(request.getVar('C')).toBe(undefined)
  })

  it('leaves a block in which a Map would be the same', () => {
    const name = fc.constantFrom('A', 'B', 'AB', 'HTTP_A', 'HTTP_B', 'é')
    const value = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replace(/[^\x00-\xff]/g, '?'))
    const change = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), name, value }),
      fc.record({ kind: fc.constant('add' as const), name, value }),
      fc.record({ kind: fc.constant('remove' as const), name, value }),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), fc.array(change, { maxLength: 20 }), (initial, changes) => {
        const { request } = memoryRequest({})
        const model = new Map<string, string>()
        for (const [key, text] of initial) {
          request.addVar(key, text)
          model.set(key, text)
        }
        for (const { kind, name, value } of changes) {
          if (kind === 'remove') expect(request.removeVar(name)).toBe(model.delete(name))
          else {
            if (kind === 'set') request.setVar(name, value)
            else request.addVar(name, value)
            model.set(name, value)
            expect(kind === 'set' ? [...request.variables()].filter(([key]) => key === name).length : 1).toBe(1)
          }
          checkVars(request.vars)
          expect(new Map(request.variables())).toEqual(new Map(model))
          for (const key of ['A', 'B', 'AB', 'HTTP_A', 'HTTP_B', 'é']) expect(request.getVar(key)).toBe(model.get(key))
        }
      }),
    )
  })
})
