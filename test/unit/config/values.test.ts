// Values: strict numbers, sizes, seconds, modes, addresses, mounts; each refusal by its text.
import { describe, expect, test } from 'vitest'
import { load, loadIni, refusalOf } from './world.ts'

const refused = (line: string): string => refusalOf(() => loadIni([line])).replace('CONFIG_BAD_VALUE app.ini:2: ', '')

describe('whole numbers', () => {
  test.each([
    ['12abc', "'12abc' is not a whole number"],
    ['1.0', "'1.0' is not a whole number"],
    ['0x10', "'0x10' is not a whole number"],
    ['1e3', "'1e3' is not a whole number"],
    ['0', 'must be at least 1'],
    ['-3', 'must be at least 1'],
    ['1025', 'must be at most 1024'],
    ['99999999999999999999999', 'must be at most 1024'],
  ])('%s is refused for workers', (text, problem) => {
    expect(refused(`workers = ${text}`)).toBe(`workers = ${text}: ${problem}`)
  })

  test('a number may have zeros in front', () => {
    expect(loadIni(['workers = 007']).settings.workers).toBe(7)
  })

  test('a missing value is refused', () => {
    expect(refused('workers')).toBe('workers: needs a value')
    expect(refused('workers =')).toBe('workers: needs a value')
  })
})

describe('sizes', () => {
  test.each([
    ['65535', 65_535],
    ['32k', 32_768],
    ['16K', 16_384],
  ])('buffer-size %s is %d bytes', (text, bytes) => {
    expect(loadIni([`buffer-size = ${text}`]).settings.bufferSize).toBe(bytes)
  })

  test('suffixes go up to g', () => {
    expect(loadIni(['memory-limit = 512m']).settings.memoryLimit).toBe(512 * 1024 * 1024)
    expect(loadIni(['memory-limit = 4g']).settings.memoryLimit).toBe(4_294_967_296)
  })

  test.each(['65536', '64k', '99999999999999999999'])('buffer-size %s is refused with the reason', (text) => {
    expect(refused(`buffer-size = ${text}`)).toBe(
      `buffer-size = ${text}: must be at most 65535 bytes: the header of a uwsgi packet gives the size of the request variables in 16 bits`,
    )
  })

  test.each(['1.5m', '12x', '-1', 'k', '1 m', '1mb'])('%s is no size', (text) => {
    expect(refused(`limit-post = ${text}`)).toBe(
      `limit-post = ${text}: '${text}' is not a size: write a number of bytes, or a whole number followed by k, m or g`,
    )
  })

  test('a size past what a number holds exactly is refused, not rounded', () => {
    expect(refused('limit-post = 9007199254740993')).toBe('limit-post = 9007199254740993: must be at most 9007199254740991 bytes')
  })

  test('memory-limit tells where WebAssembly ends', () => {
    expect(refused('memory-limit = 5g')).toBe(
      'memory-limit = 5g: must be at most 4294967296 bytes: a 32-bit WebAssembly memory ends at 4 GiB',
    )
  })
})

describe('seconds', () => {
  test('fractions are taken', () => {
    expect(loadIni(['harakiri = 0.25']).settings.harakiri).toBe(0.25)
    expect(loadIni(['socket-timeout = .5']).settings.socketTimeout).toBe(0.5)
  })

  test.each([
    ['http-timeout = 0', 'must be at least 0.1 seconds'],
    ['reload-mercy = -1', 'must be at least 0 seconds'],
    ['reload-mercy = 30s', "'30s' is not a number of seconds"],
    ['reload-mercy = Infinity', "'Infinity' is not a number of seconds"],
    ['reload-mercy = .', "'.' is not a number of seconds"],
    ['reload-mercy = 2147484', 'must be at most 2147483 seconds (24.8 days)'],
  ])('%s is refused', (line, problem) => {
    expect(refused(line)).toBe(`${line}: ${problem}`)
  })
})

describe('flags', () => {
  test.each(['true', 'on', 'YES', '1', ''])("'%s' is on", (text) => {
    expect(loadIni([`need-app = ${text}`]).settings.needApp).toBe(true)
  })

  test.each(['false', 'Off', 'no', '0'])("'%s' is off", (text) => {
    expect(loadIni([`need-app = ${text}`]).settings.needApp).toBe(false)
  })

  test('anything else is refused', () => {
    expect(refused('need-app = flase')).toBe(
      "need-app = flase: 'flase' is neither on (true, on, yes, 1) nor off (false, off, no, 0)",
    )
  })

  test('an option that is always on says so when it is switched off', () => {
    const { settings, warnings } = loadIni(['master = false', 'die-on-term = 0'])
    expect(settings).toMatchObject({ master: true, dieOnTerm: true })
    expect(warnings).toEqual([
      "app.ini:2: 'master = false' has no effect: there is always a master",
      "app.ini:3: 'die-on-term = 0' has no effect: SIGTERM always stops the server",
    ])
  })
})

describe('file modes', () => {
  test('octal digits', () => {
    expect(loadIni(['chmod-socket = 0660']).settings.chmodSocket).toBe(0o660)
    expect(loadIni(['chmod-socket']).settings.chmodSocket).toBe(0o666)
  })

  test.each(['888', '66', 'rw', '00660'])('%s is refused', (text) => {
    expect(refused(`chmod-socket = ${text}`)).toBe(
      `chmod-socket = ${text}: '${text}' is not a file mode: write octal digits, as in 660`,
    )
  })
})

describe('addresses', () => {
  test.each([
    ':8080',
    '127.0.0.1:0',
    'localhost:65535',
    '[::1]:80',
    '[fe80::1%eth0]:80',
    '/run/a.sock',
    './8080',
    'app.sock',
    '@abstract',
    '/tmp/a:b.sock',
  ])('%s is taken', (address) => {
    expect(load(['--socket', address]).settings.socket).toEqual([address])
  })

  test.each([
    ['8080', "'8080' would be a unix socket of that name: write ':8080' for the TCP port, './8080' for the socket"],
    [':http', "the port 'http' of ':http' is not a number from 0 to 65535"],
    [':65536', "the port '65536' of ':65536' is not a number from 0 to 65535"],
    ['127.0.0.1:', "the port '' of '127.0.0.1:' is not a number from 0 to 65535"],
    ['::1', "'::1' is not host:port: write an IPv6 address in brackets, as in '[::1]:8080'"],
    ['fe80::1:80', "'fe80::1:80' is not host:port: write an IPv6 address in brackets, as in '[::1]:8080'"],
    ['a b:80', "the host 'a b' of 'a b:80' is not a host name or address"],
    ['http://127.0.0.1:80', "'http://127.0.0.1:80' is not an address but a URL: write host:port, as in '127.0.0.1:8080'"],
    ['unix:/run/a.sock', "write the path of a unix socket alone: '/run/a.sock'"],
    ['=0', "'=0' is not an address: shared sockets are not supported"],
    [`/${'x'.repeat(107)}`, `'/${'x'.repeat(76)}...' is longer than the 107 bytes that the path of a unix socket may have`],
  ])('%s is refused', (address, problem) => {
    expect(refusalOf(() => load(['--socket', address]))).toMatch(new RegExp(`: ${escaped(problem)}$`))
  })

  test('a path of a unix socket is measured in bytes', () => {
    expect(load(['--socket', `/${'x'.repeat(106)}`]).settings.socket[0]).toHaveLength(107)
    expect(refusalOf(() => load(['--socket', `/${'é'.repeat(54)}`]))).toContain('is longer than the 107 bytes')
  })
})

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

describe('mounts and assignments', () => {
  test('a mount is PREFIX=FILE, the empty prefix is the root', () => {
    const { settings } = load(['--mount', '/py=app.py', '--mount', '=root.js', '--mount', '/a=b=c.lua'])
    expect(settings.mount).toEqual(['/py=app.py', '=root.js', '/a=b=c.lua'])
  })

  test.each([
    ['mount = app.py', "'app.py' is not PREFIX=FILE"],
    ['mount = /app=', "'/app=' is not PREFIX=FILE"],
    ['mount = py=app.py', "the prefix 'py' does not begin with '/': write '/py=app.py'"],
    ['mount = app.py=/py', "the prefix comes first: write '/py=app.py'"],
    ['env = HOME', "'HOME' is not KEY=VALUE"],
    ['env = =x', "'=x' is not KEY=VALUE"],
    ['plugin = a,,b', "'a,,b' has an empty item"],
  ])('%s is refused', (line, problem) => {
    expect(refused(line)).toBe(`${line}: ${problem}`)
  })

  test('an environment variable may be empty, and hold more signs of equality', () => {
    expect(loadIni(['env = A=', 'env = B=c=d']).settings.env).toEqual(['A=', 'B=c=d'])
  })

  test('plugins are separated by commas', () => {
    const { settings, opt } = loadIni(['plugins = python, lua', 'plugin = ./foobar_plugin.mjs'])
    expect(settings.plugin).toEqual(['python', 'lua', './foobar_plugin.mjs'])
    expect(opt.get('plugins')).toEqual(['python, lua'])
  })
})

test('a NUL byte is refused in any value', () => {
  const files = { 'app.json': '{"uwsgi": {"logto": "/tmp/a\\u0000b"}}' }
  expect(refusalOf(() => load(['app.json'], { files }))).toBe(
    'CONFIG_BAD_VALUE app.json:1: logto = /tmp/a\ufffdb: the value holds a NUL byte',
  )
})
