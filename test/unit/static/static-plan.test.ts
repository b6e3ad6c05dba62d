// Where files are looked for, which paths are looked for nowhere, and when what was sent is too old.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { candidatesOf, expiryOf, servesFiles } from '../../../host/static/static-plan.ts'
import { planStaticFiles, publicRoots } from '../../../host/static-files.ts'
import { load, refusalOf } from '../config/world.ts'

const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'static-plan-')))
afterAll(() => rmSync(cwd, { recursive: true }))

const planOf = (...args: string[]) => planStaticFiles(load(args).settings, cwd)
const plan = planOf(
  ...['--static-map', '/s=/files', '--static-map', '/s/more/=/more', '--static-map', '/one=/one.txt', '--static-map2', '/t=rel'],
  ...['--check-static', '/check', '--check-static-docroot', '--static-skip-ext', '.php', '--static-safe', '/safe'],
)
const pathsOf = (pathInfo: string, documentRoot?: string): string[] =>
  candidatesOf(plan, pathInfo, documentRoot).map(({ path }) => path)

describe('the places of a path', () => {
  it('come in uWSGI’s order: check-static, static-map, static-map2, document root', () => {
    expect(pathsOf('/x')).toEqual(['/check/x'])
    expect(pathsOf('/s/a', '/doc')).toEqual(['/check/s/a', '/files/a', '/doc/s/a'])
    expect(pathsOf('/s/more/a')).toEqual(['/check/s/more/a', '/files/more/a', '/more/a'])
    expect(pathsOf('/t/a')).toEqual(['/check/t/a', join(cwd, 'rel/t/a')])
    expect(pathsOf('/one')).toEqual(['/check/one', '/one.txt'])
    expect(pathsOf('/s')).toEqual(['/check/s', '/files'])
    expect(pathsOf('/s//a')).toEqual(['/check/s//a', '/files/a'])
    expect(pathsOf('/secret')).toEqual(['/check/secret'])
  })

  it('allow links into their own root and the safe ones', () => {
    expect(candidatesOf(plan, '/s/a', undefined)[1]?.roots).toEqual(['/files', '/safe'])
  })

  it('are bytes: UTF-8 is a name, other bytes are none', () => {
    expect(pathsOf('/\u00c3\u00a9')).toEqual(['/check/\u00e9'])
    expect(pathsOf('/\u00e9')).toEqual([])
  })

  it.each([
    '',
    'x',
    '../x',
    '/..',
    '/../x',
    '/s/..',
    '/s/../x',
    '/s/a/..',
    '/s/a/../b',
    '/\0',
    '/s/a\0.png',
    '/s/a.php',
    '/b.php',
  ])('of %j are none', (pathInfo) => {
    expect(pathsOf(pathInfo, '/doc')).toEqual([])
  })

  it.each(['relative', '', '/a/../b', '/a\0'])('with the document root %j are only the others', (root) => {
    expect(pathsOf('/x', root)).toEqual(['/check/x'])
  })
})

describe('a plan', () => {
  it('without options serves nothing', () => {
    expect([servesFiles(planOf('--static-index', 'index.html')), servesFiles(planOf('--static-map', '/=/a'))]).toEqual([
      false,
      true,
    ])
  })

  it('tells from where guests may send files', () => {
    expect(publicRoots(plan)).toEqual(['/check', '/files', '/more', '/one.txt', join(cwd, 'rel'), '/safe'])
  })

  it('knows when what was sent is too old, by the first rule that fits', () => {
    const rules = planOf(
      ...['--static-expires', '\\.css$ 10', '--static-expires-mtime=\\.js$ 20', '--static-expires-uri', '^/u 30'],
      ...[
        '--static-expires-path-info',
        '^/p 40',
        '--static-expires-type',
        'image/png=50',
        '--static-expires-type-mtime',
        'image/gif 60',
      ],
    )
    const at = (path: string, contentType: string | undefined, uri = '/', pathInfo = '/') =>
      expiryOf(rules, { path, contentType, modifiedMs: 1000 }, { uri, pathInfo }, 5000)
    expect(at('/a.css', undefined)).toEqual({ atMs: 15_000, isByType: false })
    expect(at('/a.js', undefined)).toEqual({ atMs: 21_000, isByType: false })
    expect(at('/a', undefined, '/u')).toEqual({ atMs: 35_000, isByType: false })
    expect(at('/a', undefined, '/', '/p')).toEqual({ atMs: 45_000, isByType: false })
    expect(at('/a', 'image/png')).toEqual({ atMs: 55_000, isByType: true })
    expect(at('/a', 'image/gif')).toEqual({ atMs: 61_000, isByType: true })
    expect(at('/a', 'image/webp')).toBeUndefined()
    expect(at('/a.css', 'image/png')).toEqual({ atMs: 15_000, isByType: false })
  })

  it.each([
    ['--static-expires=.css', 'static-expires = .css: it must be a regular expression and a number of seconds: \\.png$ 3600'],
    ['--static-expires-uri=( 5', 'static-expires-uri = ( 5: the regular expression is none: '],
    ['--static-expires-type=image 5', 'static-expires-type = image 5: it must be a content type and a number of seconds'],
    ['--static-index=a/b', 'static-index = a/b: it must be the name of a file, without a directory'],
    ['--static-index=..', 'static-index = ..: it must be the name of a file'],
    ['--mimefile=none', 'mimefile = none: ENOENT'],
    ['--mimefile=bad.types', 'mimefile = bad.types: line 1: "bad" is not a content type'],
  ])('refuses %s', (option, message) => {
    writeFileSync(join(cwd, 'bad.types'), 'bad')
    expect(refusalOf(() => planOf(option))).toContain(message)
  })
})
