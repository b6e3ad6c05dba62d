// Blocks and includes: which lines count, what `%(_)` is, and how a block that is not well formed is refused.
import { describe, expect, test } from 'vitest'
import { load, loadIni, refusalOf, type World } from './world.ts'

const world: World = {
  env: { STAGE: 'prod', EMPTY: '' },
  files: { 'list.txt': 'one\n\ntwo\r\n', 'a.lua': '', 'b.lua': '' },
  directories: ['/srv/app/static'],
}

/** What `x = %(_)` within the block gives. */
const inBlock = (block: string, end: string, before: readonly string[] = [], argv: readonly string[] = []) =>
  load([...argv, 'app.ini'], {
    ...world,
    files: { ...world.files, 'app.ini': `[uwsgi]\n${[...before, block, 'x = %(_)', end].join('\n')}\n` },
  }).opt.get('x')

describe('conditions', () => {
  test.each([
    ['if-env = STAGE', ['prod']],
    ['ifenv = STAGE', ['prod']],
    ['if-env = STAGE=prod', ['prod']],
    ['if-env = STAGE=dev', undefined],
    ['if-env = EMPTY', ['']],
    ['if-env = NOPE', undefined],
    ['if-not-env = NOPE', ['NOPE']],
    ['if-not-env = STAGE', undefined],
    ['if-exists = a.lua', ['a.lua']],
    ['if-exists = static', ['static']],
    ['if-not-exists = nope', ['nope']],
    ['if-file = static', undefined],
    ['if-file = a.lua', ['a.lua']],
    ['if-not-file = static', ['static']],
    ['if-dir = static', ['static']],
    ['if-directory = a.lua', undefined],
    ['if-not-dir = a.lua', ['a.lua']],
    ['if-hostname = node1', ['node1']],
    ['if-not-hostname = node1', undefined],
    ['if-plugin = lua', ['lua']],
    ['if-plugin = python3', ['python3']],
    ['if-plugin = psgi', undefined],
    ['if-not-plugin = psgi', ['psgi']],
    ['if-reload =', undefined],
    ['if-not-reload =', ['']],
  ])('%s', (block, values) => {
    expect(inBlock(block, 'endif')).toEqual(values)
  })

  test('if-opt sees what stands before it, and the command line', () => {
    expect(inBlock('if-opt = workers', 'endif', ['workers = 2'])).toEqual(['2'])
    expect(inBlock('if-opt = workers=3', 'endif', ['workers = 2', 'workers = 3'])).toEqual(['3'])
    expect(inBlock('if-opt = workers=4', 'endif', ['workers = 2'])).toBeUndefined()
    expect(inBlock('if-opt = workers', 'endif', [], ['-p', '5'])).toEqual(['5'])
    expect(inBlock('if-opt = need-app', 'end-if', [], ['--need-app'])).toEqual(['1'])
    expect(inBlock('if-not-opt = workers', 'endif')).toEqual(['workers'])
    expect(inBlock('if-plugin = psgi', 'endif', ['plugins = rack, psgi'])).toEqual(['psgi'])
  })

  test('the value of a block is expanded', () => {
    expect(inBlock('if-exists = %d%(name).lua', 'endif', ['name = a'])).toEqual(['/srv/app/a.lua'])
  })

  test('lines of a block that does not hold are not even warned about', () => {
    expect(loadIni(['if-env = NOPE', 'nonsense = 1', 'include = nope.ini', 'endif'], world).warnings).toEqual([])
  })
})

describe('loops', () => {
  test.each([
    ['for = a b\tc', ['a', 'b', 'c']],
    ['for =', undefined],
    ['for-times = 3', ['0', '1', '2']],
    ['for-times = 0', undefined],
    ['for-glob = *.lua', ['a.lua', 'b.lua']],
    ['for-readline = list.txt', ['one', 'two']],
  ])('%s', (block, values) => {
    expect(inBlock(block, 'endfor')).toEqual(values)
  })

  test('what a loop goes over may be a name defined before', () => {
    expect(inBlock('for = %(ports)', 'end-for', ['ports = 1 2'])).toEqual(['1', '2'])
  })

  test('the item takes part in arithmetic, and names of its own', () => {
    const { settings } = loadIni(['set-ph = base=3031', 'for-times = 2', 'socket = :%(base + _)', 'endfor'])
    expect(settings.socket).toEqual([':3031', ':3032'])
  })

  test('only values are replaced, keys are not', () => {
    expect(loadIni(['for = a', 'k%(_) = v', 'endfor']).opt.get('k%(_)')).toEqual(['v'])
  })

  test('after the loop the item is gone', () => {
    expect(loadIni(['for = a', 'x = %(_)', 'endfor', 'x = %(_)']).opt.get('x')).toEqual(['a', '%(_)'])
  })

  test('a mount per file', () => {
    expect(loadIni(['for-glob = *.lua', 'mount = /%(_)=%(_)', 'endfor'], world).settings.mount).toEqual([
      '/a.lua=a.lua',
      '/b.lua=b.lua',
    ])
  })
})

describe('what is wrong', () => {
  test.each([
    [['if-env = X', 'x = 1'], "app.ini:2: the 'if-env' block has no 'endif'"],
    [['for = a'], "app.ini:2: the 'for' block has no 'endfor'"],
    [['endif'], "app.ini:2: 'endif' ends no block"],
    [['for = a', 'endif'], "app.ini:3: 'endif' ends no 'for' block: that of app.ini:2 needs 'endfor'"],
    [
      ['if-env = X', 'for = a', 'endfor', 'endif'],
      "app.ini:3: 'for' stands in the 'if-env' block of app.ini:2: a block cannot hold another",
    ],
    [['for-times = many', 'endfor'], "app.ini:2: for-times = many: 'many' is not a whole number from 0 to 65536"],
    [['for-times = 65537', 'endfor'], "app.ini:2: for-times = 65537: '65537' is not a whole number from 0 to 65536"],
  ])('%j', (lines, refusal) => {
    expect(refusalOf(() => loadIni(lines))).toBe(`CONFIG_BAD_VALUE ${refusal}`)
  })

  test('a list of lines that cannot be read', () => {
    expect(refusalOf(() => loadIni(['for-readline = nope.txt', 'endfor']))).toBe(
      'CONFIG_UNREADABLE app.ini:2: for-readline: cannot read nope.txt: there is no such file',
    )
  })

  test('loops cannot fill the memory', () => {
    const body = Array.from({ length: 20 }, (_, index) => `x${index} = %(_)`)
    expect(refusalOf(() => loadIni(['for-times = 65536', ...body, 'endfor']))).toMatch(
      /^CONFIG_BAD_VALUE app\.ini:\d+: more than 100000 options$/,
    )
  })
})

describe('includes', () => {
  test('options of the other file stand at the place of the include', () => {
    const files = {
      'app.ini': '[uwsgi]\nsocket = :1\nset-ph = which=more\ninclude = %dsub/%(which).yaml\nsocket = :3\n',
      'sub/more.yaml': 'uwsgi:\n  socket: ":2"\n',
    }
    const { settings, sources } = load(['app.ini'], { files })
    expect(settings.socket).toEqual([':1', ':2', ':3'])
    expect(sources.get('socket')).toBe('app.ini:2, /srv/app/sub/more.yaml:2, app.ini:5')
  })

  test('another section of the same file', () => {
    const files = { 'app.ini': '[uwsgi]\nini = :common\n[common]\nworkers = 6\n' }
    expect(load(['app.ini'], { files }).settings.workers).toBe(6)
  })

  test('a file that includes itself is refused', () => {
    const files = { 'a.ini': '[uwsgi]\ninclude = b.ini\n', 'b.ini': '[uwsgi]\ninclude = ./a.ini\n' }
    expect(refusalOf(() => load(['a.ini'], { files }))).toBe(
      'CONFIG_BAD_VALUE b.ini:2: include = ./a.ini: the file includes itself',
    )
  })

  test('includes that multiply are stopped', () => {
    const files = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [
        `${index}.ini`,
        `[uwsgi]\ninclude = ${index + 1}.ini\ninclude = ${index + 1}.ini\n`,
      ]),
    )
    expect(refusalOf(() => load(['0.ini'], { files: { ...files, '30.ini': '[uwsgi]\n' } }))).toMatch(
      /^CONFIG_BAD_VALUE \d+\.ini:[23]: more than 1000 configuration files$/,
    )
  })

  test('a file that is not there is told with the line that asks for it', () => {
    expect(refusalOf(() => loadIni(['', 'include = nope.ini']))).toBe(
      'CONFIG_UNREADABLE app.ini:3: cannot read nope.ini: there is no such file',
    )
    expect(refusalOf(() => loadIni(['include']))).toBe('CONFIG_BAD_VALUE app.ini:2: include: needs the name of a file')
    expect(refusalOf(() => loadIni(['include = exec://date']))).toBe(
      'CONFIG_UNREADABLE app.ini:2: include = exec://date: only files can be read here, not exec://',
    )
  })
})
