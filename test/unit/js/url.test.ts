// URL and URLSearchParams say what the host's own say, for every input tried here.
import { describe, expect, it } from 'vitest'
import { runJs } from './js-apps.ts'

const parts = [
  'href',
  'origin',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
] as const

const inputs = [
  'http://example.org',
  'HTTP://EXAMPLE.org:80/a/../b?x=1#y',
  'https://user:p%40ss@example.org:8443/p@th:x/?q=a:b@c#h@:?',
  'https://user@example.org/',
  'http://user:@example.org/',
  'http://[::1]:3000/x',
  'http://[::1]/x:y',
  'http://127.1/',
  'http://\u00fcmlaut.example/\u00e4?\u00f6#\u00df',
  'http://example.org/?',
  'http://example.org/#',
  'http://example.org/?#',
  'http://example.org?a=b',
  'http://example.org/a b\tc\n',
  'ftp://files.example/x',
  'ws://a/b',
  'file:///etc/passwd',
  'mailto:someone@example.org?subject=x#y',
  'data:text/plain,hello:world//x?y#z',
  'blob:https://example.org/uuid',
  'blob:nonsense',
  'web+demo:/.//not-a-host/',
  'web+demo://host:99/a//b?c',
  'foo://',
  'foo:///path',
  'foo://user:pw@h/',
  'javascript:alert(1)',
  'http://example.org//double//slash',
  'http://a.example/?q=\ud800',
] as const

describe('URL', () => {
  it('has the parts that the host finds', async () => {
    const found = await runJs(`return ${JSON.stringify(inputs)}.map((input) => {
      const url = new URL(input)
      return ${JSON.stringify(parts)}.map((part) => url[part])
    })`)
    expect(found).toEqual(inputs.map((input) => parts.map((part) => new URL(input)[part])))
  })

  it('resolves against a base', async () => {
    const cases = [
      ['../x?y', 'http://a/b/c/d'],
      ['//other/z', 'https://a/b'],
      ['#frag', 'http://a/b?c'],
      ['', 'http://a/b?c#d'],
    ]
    const found = await runJs(`return ${JSON.stringify(cases)}.map(([input, base]) => new URL(input, new URL(base)).href)`)
    expect(found).toEqual(cases.map(([input = '', base]) => new URL(input, base).href))
  })

  it('changes by assignment as the host does', async () => {
    const changes = [
      ['protocol', 'https'],
      ['protocol', 'mailto'],
      ['username', 'me:x'],
      ['password', 'p@w'],
      ['host', 'other:81'],
      ['hostname', 'bad host'],
      ['hostname', 'third'],
      ['port', '99999'],
      ['port', '8080'],
      ['port', ''],
      ['pathname', 'a b?c'],
      ['search', 'x=\u00e4#'],
      ['hash', 'z z'],
      ['search', ''],
      ['hash', ''],
      ['href', 'http://final/'],
    ] as const
    const url = new URL('http://start:1/p?q#h')
    const wanted = changes.map(([part, value]) => {
      url[part] = value
      return parts.map((name) => url[name])
    })
    const found = await runJs(`const url = new URL('http://start:1/p?q#h')
      return ${JSON.stringify(changes)}.map(([part, value]) => { url[part] = value; return ${JSON.stringify(parts)}.map((name) => url[name]) })`)
    expect(found).toEqual(wanted)
  })

  it('refuses what is none, and can say so beforehand', async () => {
    expect(
      await runJs(`const errors = []
        for (const bad of ['', '/x', 'http://', 'http://a b/', 'http://[::1', 'http://a:99999/']) {
          try { new URL(bad) } catch (error) { errors.push([error.name, error.message, URL.canParse(bad), URL.parse(bad)]) }
        }
        const url = new URL('http://a/')
        try { url.href = 'nope' } catch (error) { errors.push(error.message, url.href) }
        return [...errors, URL.canParse('x', 'http://a/'), URL.parse('x', 'http://a/').href, JSON.stringify({ url }), String(url)]`),
    ).toEqual([
      ...['', '/x', 'http://', 'http://a b/', 'http://[::1', 'http://a:99999/'].map((bad) => [
        'TypeError',
        `Invalid URL: ${bad}`,
        false,
        null,
      ]),
      'Invalid URL: nope',
      'http://a/',
      true,
      'http://a/x',
      '{"url":"http://a/"}',
      'http://a/',
    ])
  })

  it('and its searchParams change each other', async () => {
    expect(
      await runJs(`const url = new URL('http://a/?x=1&y=2#h')
        const { searchParams } = url
        searchParams.append('z', 'a b')
        searchParams.delete('x')
        const first = url.href
        url.search = '?new=1'
        const second = [...searchParams]
        searchParams.delete('new')
        return [first, second, url.href, url.searchParams === searchParams]`),
    ).toEqual(['http://a/?y=2&z=a+b#h', [['new', '1']], 'http://a/#h', true])
  })
})

describe('URLSearchParams', () => {
  it('parses and serialises as the host does', async () => {
    const queries = [
      'a=b&c',
      '?x=1',
      '??x',
      'a=1&a=2',
      '=v&k=',
      '&&',
      'a=%zz%41%C3%A4%ff+',
      "!'()~*-._ %20",
      '\u00e4=\u{1f600}',
      'a=b=c',
      '+=+',
    ]
    const found = await runJs(
      `return ${JSON.stringify(queries)}.map((q) => { const p = new URLSearchParams(q); return [[...p], String(p), p.size] })`,
    )
    const wanted = queries.map((query) => {
      const params = new URLSearchParams(query)
      return [[...params], String(params), params.size]
    })
    expect(found).toEqual(wanted)
  })

  it('has the methods of the standard', async () => {
    expect(
      await runJs(`const p = new URLSearchParams([['b', '1'], ['a', '2'], ['b', '3']])
        const out = [p.get('b'), p.getAll('b'), p.get('x'), p.has('b', '3'), p.has('b', '9')]
        p.set('b', '4'); p.append('a', '0'); p.sort()
        out.push(String(p)); p.delete('a', '2'); out.push(String(p))
        const seen = []; p.forEach((v, k, self) => seen.push(k + v + (self === p))); out.push(seen, [...p.keys()], [...p.values()])
        return [...out, String(new URLSearchParams({ q: 'x y', n: 1 })), String(new URLSearchParams(p))]`),
    ).toEqual([
      '1',
      ['1', '3'],
      null,
      true,
      false,
      'a=2&a=0&b=4',
      'a=0&b=4',
      ['a0true', 'b4true'],
      ['a', 'b'],
      ['0', '4'],
      'q=x+y&n=1',
      'a=0&b=4',
    ])
  })

  it('refuses pairs that are none', async () => {
    expect(await runJs('try { new URLSearchParams([["a"]]) } catch (e) { return e.message }')).toBe(
      'each query pair must be a [name, value] list',
    )
  })
})
