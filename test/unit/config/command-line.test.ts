// The command line: getopt's forms, refusals by name, positional arguments.
import { describe, expect, test } from 'vitest'
import { load, refusalOf } from './world.ts'

describe('forms of options', () => {
  test.each([
    [['--workers', '4']],
    [['--workers=4']],
    [['--processes', '4']],
    [['-p', '4']],
    [['-p4']],
    [['-Mp', '4']],
    [['-Mp4']],
    [['--proce', '4']],
    [['--workers', '2', '-p', '4']],
  ])('%j gives four workers', (argv) => {
    expect(load(argv).settings.workers).toBe(4)
  })

  test('a list option counts each time', () => {
    const { settings } = load(['-s', ':3031', '--uwsgi-socket', '/run/a.sock', '--http=127.0.0.1:8080'])
    expect(settings.socket).toEqual([':3031', '/run/a.sock'])
    expect(settings.httpSocket).toEqual(['127.0.0.1:8080'])
  })

  test('a flag takes an attached value', () => {
    expect(load(['--need-app']).settings.needApp).toBe(true)
    expect(load(['--need-app=off']).settings.needApp).toBe(false)
    expect(load(['--strict', '--no-strict']).settings.strict).toBe(false)
  })

  test('an option with an optional value takes the next argument only when that is such a value', () => {
    expect(load(['--chmod-socket', '660', 'app.py']).settings).toMatchObject({ chmodSocket: 0o660, wsgiFile: 'app.py' })
    expect(load(['--chmod-socket', 'app.py']).settings).toMatchObject({ chmodSocket: 0o666, wsgiFile: 'app.py' })
    expect(load(['-C660']).settings.chmodSocket).toBe(0o660)
    expect(load(['--http-keepalive', '2.5']).settings.httpKeepalive).toBe(2.5)
    expect(load(['--http-keepalive']).settings.httpKeepalive).toBe(5)
    expect(load(['--mule', 'app.py']).settings).toMatchObject({ mule: [''], wsgiFile: 'app.py' })
    expect(load(['--mule=work.py']).settings.mule).toEqual(['work.py'])
  })

  test('a value may begin with a dash', () => {
    expect(load(['--log-format', '-> %(uri)']).settings.logFormat).toBe('-> %(uri)')
    expect(load(['--callable=--master']).settings.callable).toBe('--master')
  })

  test('two dashes end the options', () => {
    expect(refusalOf(() => load(['--', '--workers']))).toBe(
      "CONFIG_BAD_VALUE command line: '--workers' is neither an option, nor a configuration file (.ini .yaml .yml .json .toml .xml), nor an application (.py .wsgi .lua .js .mjs)",
    )
    expect(load(['--', 'app.lua']).settings.lua).toBe('app.lua')
  })
})

describe('refusals', () => {
  test.each([
    [['--wrokers', '3'], "CONFIG_UNKNOWN_OPTION command line: unknown option '--wrokers' (did you mean '--workers'?)"],
    [['--http_socket=:1'], "CONFIG_UNKNOWN_OPTION command line: unknown option '--http_socket' (did you mean '--http-socket'?)"],
    [['--frobnicate'], "CONFIG_UNKNOWN_OPTION command line: unknown option '--frobnicate'"],
    [['--emperor', '/etc'], "CONFIG_UNKNOWN_OPTION command line: polywsgi does not have uWSGI's option '--emperor'"],
    [
      ['--work', '4'],
      "CONFIG_UNKNOWN_OPTION command line: '--work' is the beginning of several options: --worker-mount, --worker-reload-mercy, --workers",
    ],
    [['--=4'], "CONFIG_UNKNOWN_OPTION command line: unknown option '--'"],
    [['-Z'], "CONFIG_UNKNOWN_OPTION command line: unknown option '-Z'"],
    [['-MZp', '3'], "CONFIG_UNKNOWN_OPTION command line: unknown option '-Z' in '-MZp'"],
    [['-workers', '4'], "CONFIG_UNKNOWN_OPTION command line: '-workers' is not an option (did you mean '--workers'?)"],
    [
      ['--if-env', 'X'],
      "CONFIG_UNKNOWN_OPTION command line: '--if-env' is a block of configuration files and no option of the command line",
    ],
    [
      ['--endif'],
      "CONFIG_UNKNOWN_OPTION command line: '--endif' is a block of configuration files and no option of the command line",
    ],
    [['--workers'], 'CONFIG_BAD_VALUE command line: --workers needs a value'],
    [['-p'], 'CONFIG_BAD_VALUE command line: -p needs a value'],
    [['--workers='], 'CONFIG_BAD_VALUE command line: workers: needs a value'],
    [
      ['--callable', '--master'],
      "CONFIG_BAD_VALUE command line: --callable needs a value, but the option '--master' follows (write '--callable=--master' if that is the value)",
    ],
    [
      ['--callable', '-M'],
      "CONFIG_BAD_VALUE command line: --callable needs a value, but the option '-M' follows (write '--callable=-M' if that is the value)",
    ],
    [['--no-strict=1'], 'CONFIG_BAD_VALUE command line: --no-strict takes no value'],
    [['--help=all'], 'CONFIG_BAD_VALUE command line: --help takes no value'],
    [['--set', 'workers'], 'CONFIG_BAD_VALUE command line: set = workers: the value must be NAME=VALUE'],
    [['--set', 'ini=x.ini'], "CONFIG_BAD_VALUE command line: set = ini=x.ini: 'ini' cannot be given in this way"],
    [
      ['--set-ph', 'workers=3'],
      "CONFIG_BAD_VALUE command line: set-ph = workers=3: 'workers' is an option and no placeholder; use 'set' for it",
    ],
    [
      ['--master', 'true'],
      "CONFIG_BAD_VALUE command line: 'true' is neither an option, nor a configuration file (.ini .yaml .yml .json .toml .xml), nor an application (.py .wsgi .lua .js .mjs); for a value of master write '--master=true'",
    ],
    [
      ['a.py', 'b.wsgi'],
      "CONFIG_BAD_VALUE command line: 'a.py' and 'b.wsgi' cannot both be the application at the root: use --mount PREFIX=FILE",
    ],
    [['nope.ini'], 'CONFIG_UNREADABLE command line: cannot read nope.ini: there is no such file'],
    [['--ini', ':prod'], 'CONFIG_BAD_VALUE command line: ini = :prod: there is no file yet that the section could be of'],
    [
      ['--ini', 'http://x/a.ini'],
      'CONFIG_UNREADABLE command line: ini = http://x/a.ini: only files can be read here, not http://',
    ],
    [
      ['--config', 'app.conf'],
      'CONFIG_BAD_VALUE command line: config = app.conf: the extension tells no format (known: .ini .yaml .yml .json .toml .xml)',
    ],
  ])('%j', (argv, refusal) => {
    expect(refusalOf(() => load(argv))).toBe(refusal)
  })

  test('a name of unreasonable length is shown cut, and costs no search', () => {
    const refusal = refusalOf(() => load([`--${'x'.repeat(1_000_000)}`]))
    expect(refusal).toBe(`CONFIG_UNKNOWN_OPTION command line: unknown option '--${'x'.repeat(77)}...'`)
  })
})

describe('positional arguments', () => {
  test('files of applications are loaded at the root, one per language', () => {
    expect(load(['app.py', 'app.lua', 'app.mjs']).settings).toMatchObject({ wsgiFile: 'app.py', lua: 'app.lua', js: 'app.mjs' })
    expect(load(['site.wsgi', 'app.js']).settings).toMatchObject({ wsgiFile: 'site.wsgi', js: 'app.js' })
  })

  test('a configuration file may name a section', () => {
    const files = { 'conf/app.ini': '[uwsgi]\nworkers = 2\n[prod]\nworkers = 8\n' }
    expect(load(['conf/app.ini'], { files }).settings.workers).toBe(2)
    expect(load(['conf/app.ini:prod'], { files }).settings.workers).toBe(8)
    expect(load(['--ini', 'conf/app.ini', '--ini', ':prod'], { files }).settings.workers).toBe(8)
  })
})

describe('actions', () => {
  test('help and version are given even beside what is wrong after them', () => {
    expect(load(['--version', '--nonsense']).action).toEqual({ kind: 'version', text: '1.2.3' })
    expect(load(['-h', '--workers', 'x']).action?.kind).toBe('help')
    expect(load(['-V']).action?.text).toBe('1.2.3')
  })

  test('of several the first is carried out', () => {
    expect(load(['--plugins-list', '--show-config', '--help']).action).toEqual({ kind: 'plugins-list' })
  })

  test('plugins-list leaves the text to whoever knows the plugins', () => {
    expect(load(['--plugins-list']).action).toEqual({ kind: 'plugins-list' })
  })

  test('show-config is carried out after everything was checked', () => {
    expect(load(['--show-config', '--workers', '3']).action?.text).toContain('; command line\nworkers = 3\n')
    expect(refusalOf(() => load(['--show-config', '--workers', 'x']))).toBe(
      "CONFIG_BAD_VALUE command line: workers = x: 'x' is not a whole number",
    )
  })

  test('in a file or in the environment an action is warned about', () => {
    const { action, warnings } = load(['app.ini'], {
      files: { 'app.ini': '[uwsgi]\nshow-config = true\n' },
      env: { POLYWSGI_HELP: '1' },
    })
    expect(action).toBeUndefined()
    expect(warnings).toEqual([
      "POLYWSGI_HELP: 'help' works on the command line only; the variable is ignored",
      "app.ini:2: 'show-config' works on the command line only; it is ignored",
    ])
  })
})
