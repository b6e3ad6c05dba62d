// INI by uWSGI's rules.
import { describe, expect, test } from 'vitest'
import { load, loadIni, refusalOf } from './world.ts'

const loadText = (text: string | Uint8Array, argument = 'app.ini') => load([argument], { files: { 'app.ini': text } })

test('repeated keys all count, the last of them where one value holds', () => {
  const { settings, opt } = loadIni(['socket = :1', 'socket=:2', 'workers = 2', 'workers = 4'])
  expect(settings.socket).toEqual([':1', ':2'])
  expect(settings.workers).toBe(4)
  expect(opt.get('workers')).toEqual(['2', '4'])
})

test('a bare key is a flag, and its value is the empty text', () => {
  const { settings, opt } = loadIni(['need-app'])
  expect(settings.needApp).toBe(true)
  expect(opt.get('need-app')).toEqual([''])
})

test('a comment begins only at the start of a line', () => {
  const { opt } = loadIni(['; one', '  # two', 'callable = app # not a comment', 'logto = /tmp/a;b'])
  expect(opt.get('callable')).toEqual(['app # not a comment'])
  expect(opt.get('logto')).toEqual(['/tmp/a;b'])
  expect([...opt.keys()].sort()).toEqual(['callable', 'config', 'logto'])
})

test('the first = splits, quotes stay, blanks around are trimmed', () => {
  const { opt } = loadIni(['\tcallable \t=  "a = b"  '])
  expect(opt.get('callable')).toEqual(['"a = b"'])
})

test('a value keeps blanks that are not ASCII', () => {
  expect(loadIni(['callable = \u00a0app\u00a0']).settings.callable).toBe('\u00a0app\u00a0')
})

test('lines may end as on Windows, and a byte order mark is skipped', () => {
  expect(loadText('\ufeff[uwsgi]\r\nworkers = 3\r\n').settings.workers).toBe(3)
})

test('sections of one name are read together, others are left', () => {
  expect(loadText('[uwsgi]\nsocket = :1\n[other]\nsocket = :2\n[uwsgi]\nsocket = :3\n').settings.socket).toEqual([':1', ':3'])
})

describe('what is wrong', () => {
  test('a missing section is warned about with those that are there', () => {
    const { warnings } = loadText('[app]\nworkers = 3\n[deploy]\n')
    expect(warnings).toEqual(["command line: there is no section 'uwsgi' in app.ini (it has 'app', 'deploy')"])
  })

  test('a section asked for by name has to be there', () => {
    expect(refusalOf(() => loadText('[uwsgi]\n', 'app.ini:prod'))).toBe(
      "CONFIG_BAD_VALUE command line: there is no section 'prod' in app.ini (it has 'uwsgi')",
    )
  })

  test('a line before the first section is warned about', () => {
    expect(loadText('workers = 3\n[uwsgi]\n').warnings).toEqual([
      "app.ini:1: 'workers = 3' stands before the first [section] and is ignored",
    ])
  })

  test.each([
    ['[uwsgi\nworkers = 1\n', "CONFIG_UNREADABLE app.ini:1: the section '[uwsgi' has no closing ']'"],
    ['[uwsgi]\n\n= 3\n', "CONFIG_UNREADABLE app.ini:3: '= 3' has no name before its '='"],
  ])('%j is refused', (text, refusal) => {
    expect(refusalOf(() => loadText(text))).toBe(refusal)
  })

  test('a file that is not UTF-8 is refused with the line', () => {
    const bytes = Buffer.concat([Buffer.from('[uwsgi]\nlogto = '), Buffer.from([0xff, 0xfe]), Buffer.from('\n')])
    expect(refusalOf(() => loadText(bytes))).toBe(
      'CONFIG_UNREADABLE command line: cannot read app.ini: it is not UTF-8 text (line 2)',
    )
  })

  test('an unknown option is warned about with the nearest name, and kept for applications', () => {
    const { warnings, opt } = loadIni(['wrokers = 3', 'my-own-thing = 4', 'emperor = /etc'])
    expect(warnings).toEqual([
      "app.ini:2: unknown option 'wrokers' (did you mean 'workers'?); only applications can see it",
      "app.ini:3: unknown option 'my-own-thing'; only applications can see it",
      "app.ini:4: polywsgi does not have uWSGI's option 'emperor'; only applications can see it",
    ])
    expect(opt.get('wrokers')).toEqual(['3'])
    expect(opt.get('my-own-thing')).toEqual(['4'])
  })

  test('strict refuses it, wherever strict is written', () => {
    expect(refusalOf(() => loadIni(['wrokers = 3', 'strict = true']))).toBe(
      "CONFIG_UNKNOWN_OPTION app.ini:2: unknown option 'wrokers' (did you mean 'workers'?); 'strict' refuses it",
    )
    expect(refusalOf(() => load(['--strict', 'app.ini'], { files: { 'app.ini': '[uwsgi]\nxyz\n' } }))).toBe(
      "CONFIG_UNKNOWN_OPTION app.ini:2: unknown option 'xyz'; 'strict' refuses it",
    )
  })

  test('no-strict on the command line wins over strict in the file', () => {
    const { settings, warnings } = load(['--no-strict', 'app.ini'], { files: { 'app.ini': '[uwsgi]\nstrict\nxyz = 1\n' } })
    expect(settings.strict).toBe(false)
    expect(warnings).toEqual(["app.ini:3: unknown option 'xyz'; only applications can see it"])
  })

  test('names of objects are no options', () => {
    const { opt } = loadIni(['__proto__ = 1', 'constructor = 2', 'toString'])
    expect(opt.get('__proto__')).toEqual(['1'])
    expect(opt.get('constructor')).toEqual(['2'])
    expect(opt.get('toString')).toEqual([''])
  })
})
