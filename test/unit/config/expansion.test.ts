// What is replaced in values: placeholders and their arithmetic, the environment, files, magic variables.
import { describe, expect, test } from 'vitest'
import { load, loadIni, refusalOf, type World } from './world.ts'

/** The expanded value of `x = ...`. */
const expanded = (value: string, lines: readonly string[] = [], world: World = {}) =>
  loadIni([`x = ${value}`, ...lines], world).opt.get('x')?.[0]

describe('placeholders', () => {
  test('refer to anything in the file, before or after', () => {
    expect(expanded('%(base)/run', ['base = /srv'])).toBe('/srv/run')
    expect(expanded('%(a)', ['a = %(b)-%(b)', 'set-ph = b=%(c)', 'c = 1'])).toBe('1-1')
    expect(expanded('%(workers)', ['workers = 4'])).toBe('4')
  })

  test('take the first value of a name', () => {
    expect(expanded('%(a)', ['a = 1', 'a = 2'])).toBe('1')
  })

  test('stay as written when the name is unknown, or no name at all', () => {
    expect(expanded('%(nope) %(var.HTTP_X) %() %(open')).toBe('%(nope) %(var.HTTP_X) %() %(open')
    expect(loadIni(['log-format = %(method) %(uri) => %(status)']).settings.logFormat).toBe('%(method) %(uri) => %(status)')
  })

  test('are not looked for in what was put in', () => {
    expect(expanded('$(A)', ['b = 1'], { env: { A: '%(b) $(A) %d' } })).toBe('%(b) $(A) %d')
  })

  test('a value from the command line comes first, then the environment, then files', () => {
    const files = { 'app.ini': '[uwsgi]\nx = %(port)\nset-ph = port=1\n' }
    const portWith = (argv: readonly string[], env = {}) => load([...argv, 'app.ini'], { files, env }).opt.get('x')?.[0]
    expect(portWith([])).toBe('1')
    expect(portWith([], { POLYWSGI_SET_PH: 'port=2' })).toBe('2')
    expect(portWith(['--set-ph', 'port=3'], { POLYWSGI_SET_PH: 'port=2' })).toBe('3')
  })

  test('work on the command line too', () => {
    const { settings } = load(['--set', 'port=3031', '--socket', ':%(port)', '--logto', '$(LOGS)/a'], {
      env: { LOGS: '/var/log' },
    })
    expect(settings).toMatchObject({ socket: [':3031'], logto: '/var/log/a' })
  })

  test('a flag without a value stands for 1', () => {
    expect(load(['--need-app', '--logto', '%(need-app)']).settings.logto).toBe('1')
  })

  test('names used by placeholders are no unknown options', () => {
    expect(loadIni(['base = /srv', 'logto = %(base)/log']).warnings).toEqual([])
  })

  test('a circle is refused with its way', () => {
    expect(refusalOf(() => loadIni(['a = %(b)', 'b = 1%(a)']))).toBe(
      'CONFIG_BAD_VALUE app.ini:2: a = %(b): the placeholder refers to itself (a -> b -> a)',
    )
  })

  test('growth is bounded', () => {
    const lines = Array.from({ length: 60 }, (_, index) => `a${index} = %(a${index + 1})%(a${index + 1})`)
    expect(refusalOf(() => loadIni([...lines, 'a60 = xxxxxxxxxx']))).toMatch(
      /^CONFIG_BAD_VALUE app\.ini:\d+: a\d+ = %\(a\d+\)%\(a\d+\): the values grow past 16777216 characters$/,
    )
    expect(loadIni([...lines, 'a60 =']).opt.get('a0')).toEqual([''])
  })

  test('growth is bounded over all values together', () => {
    const lines = Array.from({ length: 17 }, (_, index) => `a${index} = @(big)`)
    const files = { big: 'x'.repeat(1024 * 1024) }
    expect(loadIni(lines.slice(2), { files }).opt.get('a2')?.[0]).toHaveLength(1024 * 1024)
    expect(refusalOf(() => loadIni(lines, { files }))).toBe(
      'CONFIG_BAD_VALUE app.ini:18: a16 = @(big): the values grow past 16777216 characters',
    )
  })

  test('depth is bounded', () => {
    const lines = Array.from({ length: 200 }, (_, index) => `a${index} = %(a${index + 1})`)
    expect(refusalOf(() => loadIni(lines))).toBe(
      'CONFIG_BAD_VALUE app.ini:102: a100 = %(a101): placeholders refer to placeholders more than 100 times',
    )
  })

  test('a text full of open marks is read in one go', () => {
    const text = '%('.repeat(200_000)
    expect(expanded(text)).toBe(text)
  })
})

describe('arithmetic', () => {
  const numbers = ['n = 10', 'm = 3', 'foo = bar', 'a-b = dash']

  test.each([
    ['%(n + 5)', '15'],
    ['%(n - m)', '7'],
    ['%(n * m + 2)', '32'],
    ['%(2 + n * m)', '36'],
    ['%(n / m)', '3'],
    ['%(n++)', '11'],
    ['%(n--)', '9'],
    ['%(n ++)', '11'],
    ['%(n + foo)', '10'],
    ['%(n foo)', '10bar'],
    ['%(n and foo)', '10andbar'],
    ['%(a-b)', 'dash'],
    ['%(n * 9007199254740993)', '90071992547409930'],
    ['%(0 - n)', '-10'],
    ['%(3 - n + 20)', '13'],
    ['%(neither nor)', '%(neither nor)'],
  ])('%s is %s', (written, result) => {
    expect(expanded(written, numbers)).toBe(result)
  })

  test.each([
    ['%(n / 0)', '%(n / 0): division by zero'],
    ['%(n +)', "%(n +): there is no number after '+'"],
    ['%(+ n)', "%(+ n): there is no number before '+'"],
    ['%(n + * m)', "%(n + * m): there is no number before '*'"],
  ])('%s is refused', (written, problem) => {
    expect(refusalOf(() => expanded(written, numbers))).toBe(`CONFIG_BAD_VALUE app.ini:2: x = ${written}: ${problem}`)
  })

  test('numbers do not grow without end', () => {
    const big = `big = ${'9'.repeat(900)}`
    expect(refusalOf(() => expanded('%(big * big)', [big]))).toBe(
      'CONFIG_BAD_VALUE app.ini:2: x = %(big * big): %(big * big): the result has more than 1000 digits',
    )
  })
})

describe('environment and files', () => {
  test('a variable that is not set stays as written, an empty one is empty', () => {
    expect(expanded('$(A)-$(B)-$(C)', [], { env: { A: 'a', C: '' } })).toBe('a-$(B)-')
  })

  test('the contents of a file come without the last line break', () => {
    expect(expanded('<@(secret.txt)>', [], { files: { 'secret.txt': 'one\ntwo\n' } })).toBe('<one\ntwo>')
    expect(expanded('<@(/etc/x)>', [], { files: { '/etc/x': 'a\r\n' } })).toBe('<a>')
  })

  test.each([
    ['@(nope)', 'CONFIG_UNREADABLE app.ini:2: x: cannot read @(nope): there is no such file'],
    [
      '@(exec://date)',
      'CONFIG_BAD_VALUE app.ini:2: x = @(exec://date): @(exec://date): running a program for an option value is not supported',
    ],
    ['@(http://x/y)', 'CONFIG_BAD_VALUE app.ini:2: x = @(http://x/y): @(http://x/y): only files can be read here, not http://'],
    ['@(SYM://x)', 'CONFIG_BAD_VALUE app.ini:2: x = @(SYM://x): @(SYM://x): only files can be read here, not sym://'],
  ])('%s is refused', (written, refusal) => {
    expect(refusalOf(() => expanded(written))).toBe(refusal)
  })

  test('an abstract socket is no file', () => {
    expect(loadIni(['socket = @name']).settings.socket).toEqual(['@name'])
  })
})

describe('magic variables', () => {
  const at = (path: string, value: string) =>
    load([path], { files: { [path]: `[uwsgi]\nx = ${value}\n[prod]\nx = ${value}\n` } }).opt.get('x')?.[0]

  test.each([
    ['%d', '/srv/app/t/'],
    ['%n', 'cfg'],
    ['%s', 'cfg.ini'],
    ['%e', 'ini'],
    ['%p', '/srv/app/t/cfg.ini'],
    ['%o', 't/cfg.ini'],
    ['%c', 't'],
    ['%0/%1/%2/%3', 'srv/app/t/cfg.ini'],
    ['[%9]', '[]'],
    ['[%x]', '[]'],
    ['%i', '4711'],
    ['%v', '/srv/app'],
    ['%h', 'node1'],
    ['%V', '1.2.3'],
    ['%k', '8'],
    ['%t %T', '1700000000 1700000000123456'],
    ['%u %U %g %G', '1000 app 100 users'],
    ['%b', '/usr/bin/polywsgi'],
    ['%[', '\x1b'],
    ['%%d %%(x) %%%%', '%d %(x) %%'],
    ['100%', '100%'],
    ['50% of', '50% of'],
    ['%{41}%{1f600}%{a}|', 'A\u{1f600}\n|'],
    ['%{110000}%{}', '%{110000}%{}'],
  ])('%s is %j', (written, value) => {
    expect(at('t/cfg.ini', written)).toBe(value)
  })

  test('the hash of the path is DJB33X', () => {
    expect(at('/a.ini', '%j')).toBe(handHash('/a.ini'))
  })

  test('the section is known, and capitals are those of the first file', () => {
    const files = { 'a.ini': '[uwsgi]\ninclude = sub/b.ini:prod\n', 'sub/b.ini': '[prod]\nx = %n %N %x [%X] %D\n' }
    expect(load(['a.ini'], { files }).opt.get('x')).toEqual(['b a prod [] /srv/app/'])
  })

  test('an unknown letter stands for nothing, and is warned about', () => {
    const { opt, warnings } = loadIni(['log-date = %Y-%%m', 'x = %(log-date)'])
    expect(opt.get('log-date')).toEqual(['-%m'])
    expect(warnings[0]).toBe(
      'app.ini:2: log-date = %Y-%%m: %Y is not a magic variable and stands for nothing; write %%Y for itself',
    )
  })

  test('on the command line there are none', () => {
    expect(load(['--log-date=%Y %d %%']).settings.logDate).toBe('%Y %d %%')
  })
})

/** The published definition: hash = 5381; for each byte: hash = hash * 33 XOR byte, in 32 bits. */
const handHash = (text: string): string => {
  let hash = 5381n
  for (const byte of Buffer.from(text)) hash = ((hash * 33n) ^ BigInt(byte)) & 0xffffffffn
  return hash.toString(16)
}
