// Files served without an app: the answers of real uWSGI, over both protocols and behind nginx, and none of what must not be
// seen.
import { execFileSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FileTree } from '../support/file-tree.ts'
import { Nginx } from '../support/nginx.ts'
import { describeWithPeers } from '../support/peers.ts'
import { RealUwsgi } from '../support/real-uwsgi.ts'
import { Server } from '../support/server.ts'
import { getVars, readToEnd, uwsgiRequest } from '../support/uwsgi-client.ts'

const app = fileURLToPath(new URL('../apps/offload/any.py', import.meta.url))
const probe = fileURLToPath(new URL('../apps/system/probe-plugin.mjs', import.meta.url))
const secret = 'root of all evil'

/** What all servers serve: public/ with links of every kind, secret/ beside it. */
const layOut = (tree: FileTree): void => {
  tree.file('public/a.txt', 'hello\n')
  tree.file('public/noext', 'x')
  tree.file('public/empty.css', '')
  tree.file('public/b.php', 'b')
  tree.link('public/b', 'b.php')
  tree.file('public/program/index.php', 'program')
  tree.file('public/program/index.html', 'page')
  tree.file('public/sub/index.html', '<p>')
  tree.file('public/sub/deep/c.json', '{}')
  tree.file('public/sp ace.txt', 's')
  tree.file('public/\u00e9.txt', 'utf-8')
  tree.link('public/inside.txt', 'a.txt')
  tree.link('public/insub', 'sub')
  tree.file('secret/secret.txt', secret)
  tree.file('publicity/secret.txt', secret)
  tree.link('public/out.txt', '../secret/secret.txt')
  tree.link('public/outdir', '../secret')
  tree.link('public/loop', 'loop')
  tree.file('safe/safe.txt', 'safe')
  tree.link('public/safe.txt', '../safe/safe.txt')
  tree.file('public/one.txt', 'one')
}

const options = (root: string): string[] => [
  ...['--static-map', `/s=${root}/public`, '--static-map', `/one=${root}/public/one.txt`, '--static-map2', `/sub=${root}/public`],
  ...['--static-index', 'index.php', '--static-index', 'index.html'],
  ...['--static-skip-ext', '.php', '--static-safe', `${root}/safe`],
  ...[
    '--static-expires-type',
    'application/json=60',
    '--static-expires',
    '\\.css$ 120',
    '--static-expires-uri-mtime',
    '^/s/noext 30',
  ],
]

describeWithPeers(
  'files get the headers that every response gets, and lose those that none has, as in real uWSGI',
  ['uwsgi'],
  () => {
    it.each<Record<string, string>>([
      {},
      { REQUEST_METHOD: 'HEAD' },
      { HTTP_IF_MODIFIED_SINCE: 'Sat, 01 Jan 2090 00:00:00 GMT' },
    ])('%j', async (more) => {
      using tree = new FileTree()
      layOut(tree)
      const large = tree.file('public/large.bin', Buffer.alloc(600_000))
      const changes = ['--add-header', 'X-Frame-Options: DENY', '--add-header', 'X-Two: 2', '--rem-header', 'content-type']
      const args = ['--static-map', `/s=${tree.root}/public`, '--rem-header', 'X-Two', ...changes]
      await using real = await RealUwsgi.start('--plugin', 'python3', '--wsgi-file', app, ...args)
      await using ours = await Server.start({ args: ['--socket', '127.0.0.1:0', '--wsgi-file', app, ...args] })
      for (const path of ['/s/a.txt', '/s/a.txt', `/s/${large.split('/').at(-1)}`, '/s/none']) {
        const vars = getVars(path, more)
        const expected = await uwsgiRequest(real.address, vars)
        expect(expected).toContain('X-Frame-Options: DENY\r\nX-Two: 2\r\n')
        expect(await uwsgiRequest(ours.uwsgi, vars)).toBe(expected)
      }
    })
  },
)

describeWithPeers('files are served as by real uWSGI', ['uwsgi'], () => {
  let real: RealUwsgi
  let ours: Server
  let tree: FileTree
  beforeAll(async () => {
    tree = new FileTree()
    layOut(tree)
    real = await RealUwsgi.start('--plugin', 'python3', '--wsgi-file', app, '--honour-range', ...options(tree.root))
    ours = await Server.start({ args: ['--socket', '127.0.0.1:0', '--wsgi-file', app, ...options(tree.root)] })
  })
  afterAll(async () => {
    await real[Symbol.asyncDispose]()
    expect(await ours.stop()).toBe(0)
    tree[Symbol.dispose]()
  })

  /** Dates of Expires depend on the second in which each server answered. */
  const steady = (answer: string, isSteady: boolean): string =>
    isSteady ? answer : answer.replace(/Expires: [^\r]*/, 'Expires: then')

  it.each([
    ['/s/a.txt'],
    ['/s/noext'],
    ['/s/empty.css'],
    ['/s/sub'],
    ['/s/sub/'],
    ['/s/insub'],
    ['/s/sub/index.html'],
    ['/s/sub/deep/c.json'],
    ['/s/inside.txt'],
    ['/s//a.txt'],
    ['/s/sp ace.txt'],
    ['/s/\u00c3\u00a9.txt'],
    ['/s/safe.txt'],
    ['/s/b.php'],
    ['/s/b'],
    ['/s/out.txt'],
    ['/s/outdir/secret.txt'],
    ['/s/loop'],
    ['/s/none'],
    ['/s/a.txt/'],
    ['/s'],
    ['/s/'],
    ['/one'],
    ['/sub/deep/c.json'],
    ['/sub/index.html'],
    ['/hello'],
  ])('%s', async (path) => {
    const vars = getVars(path)
    const expected = await uwsgiRequest(real.address, vars)
    expect(expected).not.toBe('')
    const isSteady = path === '/s/noext'
    expect(steady(await uwsgiRequest(ours.uwsgi, vars), isSteady)).toBe(steady(expected, isSteady))
  })

  it('a directory whose index is the app\u2019s is the app\u2019s', async () => {
    const vars = getVars('/s/program/')
    const fromApp = (await uwsgiRequest(real.address, getVars('/s/none'))).split('\r\n')[1]
    for (const address of [real.address, ours.uwsgi]) {
      const answer = await uwsgiRequest(address, vars)
      expect(answer).toContain(fromApp)
      expect(answer).not.toMatch(/\r\n\r\n(program|page)$/)
    }
  })

  it.each<Record<string, string>>([
    { REQUEST_METHOD: 'HEAD' },
    { REQUEST_METHOD: 'POST' },
    { REQUEST_METHOD: 'OPTIONS' },
    { HTTP_IF_MODIFIED_SINCE: 'Fri, 27 Nov 2037 00:00:00 GMT' },
    { HTTP_IF_MODIFIED_SINCE: 'Fri, 27 Nov 2009 00:00:00 GMT' },
    { HTTP_IF_MODIFIED_SINCE: 'yesterday' },
    { HTTP_RANGE: 'bytes=0-1' },
    { HTTP_RANGE: 'bytes=2-' },
    { HTTP_RANGE: 'bytes=-2' },
    { HTTP_RANGE: 'bytes=6-' },
    { HTTP_RANGE: 'bytes=-0' },
  ])('/s/a.txt with %o', async (more) => {
    const vars = getVars('/s/a.txt', more)
    expect(await uwsgiRequest(ours.uwsgi, vars)).toBe(await uwsgiRequest(real.address, vars))
  })
})

const startOurs = (...args: string[]): Promise<Server> =>
  Server.start({
    args: [
      ...['--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', '--http-socket-modifier1', '250'],
      ...['--plugin', probe, '--workers', '1', ...args],
    ],
  })

describe('what must not be seen', () => {
  let server: Server
  let tree: FileTree
  beforeAll(async () => {
    tree = new FileTree()
    layOut(tree)
    execFileSync('mkfifo', [`${tree.root}/public/pipe`])
    tree.link('public/device', '/dev/zero')
    const roots = ['--check-static', `${tree.root}/public`, '--static-map', `/s=${tree.root}/public`, '--check-static-docroot']
    server = await startOurs(...roots, '--static-index', 'index.html')
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
    tree[Symbol.dispose]()
  })

  const rawHttp = async (target: string): Promise<string> => {
    const { hostname, port } = new URL(server.http)
    const socket = connect(Number(port), hostname)
    socket.write(Buffer.from(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 'latin1'))
    return await readToEnd(socket)
  }

  const climbing = ['..', '%2e%2e', '%2E.', '.%2e', '%252e%252e', '..%00', '..%5c', '%c0%ae%c0%ae', '..;', '...']
  const attacks = [
    ...climbing.flatMap((up) => [
      `/s/${up}/secret/secret.txt`,
      `/${up}/secret/secret.txt`,
      `/s/sub/${up}/${up}/secret/secret.txt`,
    ]),
    '/s/..%2fsecret%2fsecret.txt',
    '/s%2f..%2fsecret/secret.txt',
    '/s/..%5csecret%5csecret.txt',
    '/s/./../secret/secret.txt',
    '/s/.//../secret/secret.txt',
    '/s//../../secret/secret.txt',
    '/s/outdir/secret.txt',
    '/s/out.txt',
    '/outdir/',
    '/out.txt%00.txt',
    '/s/a.txt/../../secret/secret.txt',
    '/sicity/secret.txt',
    '/s/../publicity/secret.txt',
    '//etc/passwd',
    '/s//etc/passwd',
    '/%2fetc%2fpasswd',
    '/s/%2fetc%2fpasswd',
    '/proc/self/environ',
    '/s/pipe',
    '/s/device',
    '/pipe',
    '/device',
    '/s/loop',
    `/s/${'a/'.repeat(3000)}`,
    `/s/${'x'.repeat(300)}`,
    '/s/sub%00/index.html',
  ]

  it.each(attacks.map((attack) => [attack.slice(0, 60), attack]))('%s over HTTP', async (_, target) => {
    const answer = await rawHttp(target)
    // The app's answer, or a refusal of the target: no file.
    expect(answer).toMatch(/^HTTP\/1\.1 (?:404|400|431)/)
    expect(answer).not.toContain(secret)
    expect(answer).not.toContain('root:')
  })

  it.each([
    '/s/../secret/secret.txt',
    '/../secret/secret.txt',
    '/s/..',
    '/s/sub/../../secret/secret.txt',
    '/s/a.txt\0',
    '/s/\0/../../secret/secret.txt',
    's/a.txt',
    '../secret/secret.txt',
    '',
    '/s/\xff\xfe.txt',
    '/s/pipe',
  ])('%j as PATH_INFO of a packet', async (pathInfo) => {
    const answer = await uwsgiRequest(server.uwsgi, getVars('/x', { PATH_INFO: pathInfo }), undefined, 250)
    expect(answer).toMatch(/^HTTP\/1\.1 404/)
  })

  it('a DOCUMENT_ROOT that is none leads nowhere, and one that is does', async () => {
    const asked = (root: string): Promise<string> =>
      uwsgiRequest(server.uwsgi, getVars('/secret.txt', { DOCUMENT_ROOT: root }), undefined, 250)
    expect(await asked('relative')).toMatch(/^HTTP\/1\.1 404/)
    expect(await asked(`${tree.root}/public/../secret`)).toMatch(/^HTTP\/1\.1 404/)
    expect(await asked(`${tree.root}/secret`)).toContain(secret)
  })

  it('leaves nothing open', async () => {
    await tree.closedBy(server.pid)
    expect(server.log).toContain('[uwsgi-fileserve] security error: ')
  })
})

describe('a served file', () => {
  let server: Server
  let tree: FileTree
  beforeAll(async () => {
    tree = new FileTree()
    layOut(tree)
    server = await startOurs(
      '--static-map',
      `/=${tree.root}/public`,
      '--mimefile',
      tree.file('own.types', 'text/x-own own # mine\n'),
    )
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
    tree[Symbol.dispose]()
  })
  const text = async (path: string): Promise<string> => await (await fetch(server.http + path)).text()

  it('is the new one as soon as it is replaced, cut, or written anew', async () => {
    const path = tree.file('public/page.txt', 'first')
    // Long enough ago to be kept in memory.
    await new Promise((resolve) => setTimeout(resolve, 150))
    for (let round = 0; round < 3; round += 1) expect(await text('/page.txt')).toBe('first')
    renameSync(tree.file('public/new.txt', 'other'), path)
    expect(await text('/page.txt')).toBe('other')
    tree.file('public/page.txt', 'third')
    expect(await text('/page.txt')).toBe('third')
    tree.file('public/page.txt', '')
    expect(await text('/page.txt')).toBe('')
  })

  it('is not seen any more once a link leads out of the directory in its place', async () => {
    const path = tree.file('public/swapped/page.txt', 'public')
    await new Promise((resolve) => setTimeout(resolve, 150))
    for (let round = 0; round < 3; round += 1) expect(await text('/swapped/page.txt')).toBe('public')
    renameSync(path, `${tree.root}/secret/page.txt`)
    tree.link('public/swapped/page.txt', '../../secret/page.txt')
    expect((await fetch(`${server.http}/swapped/page.txt`)).status).toBe(404)
  })

  it('comes over one connection as often as it is asked for, with HEAD and pieces in between', async () => {
    const { hostname, port } = new URL(server.http)
    const socket = connect(Number(port), hostname)
    const line = (method: string, more = ''): string => `${method} /a.txt HTTP/1.1\r\nHost: x\r\n${more}\r\n`
    socket.write(line('GET') + line('HEAD') + line('GET', 'Range: bytes=1-2\r\n') + line('GET', 'Connection: close\r\n'))
    const answer = await readToEnd(socket)
    const parts = answer.split(/HTTP\/1\.1 /).slice(1)
    expect(parts.map((part) => [part.slice(0, 3), part.split('\r\n\r\n')[1]])).toEqual([
      ['200', 'hello\n'],
      ['200', ''],
      ['206', 'el'],
      ['200', 'hello\n'],
    ])
  })

  it('has the content type that a mimefile says', async () => {
    tree.file('public/a.own', 'x')
    const answer = await fetch(`${server.http}/a.own`)
    expect([await answer.text(), answer.headers.get('content-type')]).toEqual(['x', 'text/x-own'])
  })

  it('larger than what is kept in memory arrives whole, and leaves nothing open', async () => {
    const contents = Buffer.alloc(5_000_001, 'abc')
    tree.file('public/large.bin', contents)
    expect(Buffer.from(await (await fetch(`${server.http}/large.bin`)).arrayBuffer()).equals(contents)).toBe(true)
    const part = await fetch(`${server.http}/large.bin`, { headers: { Range: 'bytes=4000000-4000009' } })
    expect(await part.text()).toBe(contents.subarray(4_000_000, 4_000_010).toString())
    await tree.closedBy(server.pid)
  })

  it('is logged and counted as real uWSGI does', async () => {
    await text('/one.txt')
    await server.logged(
      /\[pid: \d+\|app: -1\|req: -1\/\d+\] 127\.0\.0\.1 \(\) \{\d+ vars in \d+ bytes\} \[.*\] GET \/one\.txt => generated 3 bytes in \d+ msecs via sendfile\(\) \(HTTP\/1\.1 200\) 3 headers in \d+ bytes \(0 switches on core 0\)/,
    )
  })

  it('does not need a worker', async () => {
    const blocked = fetch(`${server.http}/block?${encodeURIComponent(`${tree.root}/gate`)}`)
    await server.logged('holding')
    expect(await text('/one.txt')).toBe('one')
    tree.file('gate')
    expect((await blocked).status).toBe(200)
  })
})

describeWithPeers('behind nginx', ['nginx'], () => {
  it('files come through uwsgi_pass, and what is none goes to the app', async () => {
    using tree = new FileTree()
    layOut(tree)
    await using server = await startOurs('--check-static', `${tree.root}/public`)
    await using nginx = await Nginx.start(`location / { UWSGI_PARAMS uwsgi_modifier1 250; uwsgi_pass ${server.uwsgi}; }`)
    expect(await (await fetch(`${nginx.url}/a.txt`)).text()).toBe('hello\n')
    const contents = Buffer.alloc(3_000_000, 'xyz')
    tree.file('public/large.bin', contents)
    expect(Buffer.from(await (await fetch(`${nginx.url}/large.bin`)).arrayBuffer()).equals(contents)).toBe(true)
    expect((await fetch(`${nginx.url}/out.txt`)).status).toBe(404)
    expect(await (await fetch(`${nginx.url}/worker`)).text()).toBe('1')
  })
})
