// Mules, farms, spoolers and alarms as a configuration asks for them: as plans, or refused with the reason.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planAlarms } from '../../../host/alarm-plans.ts'
import { planFarms, planMules } from '../../../host/mules.ts'
import { planSpoolers } from '../../../host/spoolers.ts'
import { load, refusalOf } from './world.ts'

let cwd: string
beforeAll(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'plans-')))
  mkdirSync(join(cwd, 'jobs'))
  mkdirSync(join(cwd, 'more'))
  symlinkSync(join(cwd, 'jobs'), join(cwd, 'link'))
  writeFileSync(join(cwd, 'mule.py'), '')
})
afterAll(() => rmSync(cwd, { recursive: true }))

const settings = (...argv: string[]) => load(argv).settings
const inCwd = (message: string) => message.replaceAll(cwd, 'CWD')

describe('mules', () => {
  it('are those with programs first, then those without, numbered from 1', () => {
    expect(planMules(settings('--mules', '2', '--mule=mule.py', '--mule', '--mule=jobs.mails:run'), cwd)).toEqual([
      { id: 1, program: join(cwd, 'mule.py'), plugin: undefined },
      { id: 2, program: '', plugin: undefined },
      { id: 3, program: 'jobs.mails:run', plugin: 'python' },
      { id: 4, program: '', plugin: undefined },
      { id: 5, program: '', plugin: undefined },
    ])
    expect(planMules(settings(), cwd)).toEqual([])
  })

  it.each([
    [['--mule=none.py'], 'CONFIG_BAD_VALUE mule = none.py: there is no such file'],
    [['--mule=jobs'], 'CONFIG_BAD_VALUE mule = jobs: it is no file'],
    [['--mules', '1024', '--mule'], 'CONFIG_BAD_VALUE mules: 1025 are asked for, 1024 is the most'],
  ])('are refused: %j', (argv, message) => {
    expect(refusalOf(() => planMules(settings(...argv), cwd))).toBe(message)
  })
})

describe('farms', () => {
  it('are names with the numbers of mules', () => {
    expect(planFarms(settings('--farm', 'thumbs:1,3', '--farm', 'mails:2'), 3)).toEqual([
      { name: 'thumbs', mules: [1, 3] },
      { name: 'mails', mules: [2] },
    ])
  })

  it.each([
    [['thumbs'], "farm = thumbs: write NAME:MULES, with the numbers of its mules as in 'workers:1,2'"],
    [['thumbs:'], "farm = thumbs:: write NAME:MULES, with the numbers of its mules as in 'workers:1,2'"],
    [['thumbs:1,'], "farm = thumbs:1,: write NAME:MULES, with the numbers of its mules as in 'workers:1,2'"],
    [[':1'], "farm = :1: write NAME:MULES, with the numbers of its mules as in 'workers:1,2'"],
    [['thumbs:0'], 'farm = thumbs:0: there is no mule 0, only mules 1 to 3'],
    [['thumbs:4'], 'farm = thumbs:4: there is no mule 4, only mules 1 to 3'],
    [['thumbs:1,1'], 'farm = thumbs:1,1: it names mule 1 twice'],
    [['thumbs:1', 'thumbs:2'], "farm = thumbs:2: there is a farm 'thumbs' already"],
  ])('are refused: %j', (farms, message) => {
    expect(refusalOf(() => planFarms(settings(...farms.flatMap((farm) => ['--farm', farm])), 3))).toBe(
      `CONFIG_BAD_VALUE ${message}`,
    )
  })

  it('are refused without mules', () => {
    expect(refusalOf(() => planFarms(settings('--farm', 'thumbs:1'), 0))).toContain('there is no mule 1, no mule is configured')
  })
})

describe('spoolers', () => {
  it('are absolute directories, in the order given', () => {
    expect(planSpoolers(settings('--spooler', 'more', '-Q', join(cwd, 'jobs')), cwd)).toEqual([
      join(cwd, 'more'),
      join(cwd, 'jobs'),
    ])
  })

  it.each([
    [['none'], 'spooler = none: there is no such directory'],
    [['mule.py'], 'spooler = mule.py: it is no directory'],
    [['jobs', './jobs/'], 'spooler = ./jobs/: it is the same directory as jobs'],
    [['jobs', 'link'], 'spooler = link: it is the same directory as jobs'],
  ])('are refused: %j', (directories, message) => {
    const argv = directories.flatMap((directory) => ['--spooler', directory])
    expect(inCwd(refusalOf(() => planSpoolers(settings(...argv), cwd)))).toBe(`CONFIG_BAD_VALUE ${message}`)
  })
})

describe('alarms', () => {
  const world = { mules: 2, farms: [{ name: 'thumbs', mules: [1] }] }
  const plan = (...argv: string[]) => planAlarms(settings(...argv), world)

  it('are names with ways of delivery', () => {
    const texts = [
      'a log:',
      'b log:main log',
      'c cmd:mail -s "a: b" admin',
      'd signal:17',
      'e mule:2',
      'f mule:0',
      'g mule:thumbs',
      'h http://example.com:81/x?y=1',
      'i https://example.com/',
      'j http:https://example.com/',
    ]
    const { alarms, freqMs, maxBytes, logAlarms } = plan(...texts.flatMap((text) => ['--alarm', text]))
    expect(alarms).toEqual([
      { name: 'a', delivery: { kind: 'log', label: 'a' } },
      { name: 'b', delivery: { kind: 'log', label: 'main log' } },
      { name: 'c', delivery: { kind: 'cmd', command: 'mail -s "a: b" admin' } },
      { name: 'd', delivery: { kind: 'signal', signum: 17 } },
      { name: 'e', delivery: { kind: 'mule', target: 2 } },
      { name: 'f', delivery: { kind: 'mule', target: 0 } },
      { name: 'g', delivery: { kind: 'mule', target: 'thumbs' } },
      { name: 'h', delivery: { kind: 'http', url: 'http://example.com:81/x?y=1' } },
      { name: 'i', delivery: { kind: 'http', url: 'https://example.com/' } },
      { name: 'j', delivery: { kind: 'http', url: 'https://example.com/' } },
    ])
    expect([freqMs, maxBytes, logAlarms]).toEqual([3000, 8192, []])
  })

  it('are raised by lines of the log', () => {
    const { logAlarms, freqMs } = plan(
      '--alarm',
      'a log:',
      '--alarm',
      'b log:',
      '--log-alarm',
      'a,b no space$',
      '--not-log-alarm',
      'b ^x',
      '--alarm-freq',
      '0.5',
    )
    expect(logAlarms).toEqual([
      { alarms: ['a', 'b'], pattern: /no space$/, isExclusion: false },
      { alarms: ['b'], pattern: /^x/, isExclusion: true },
    ])
    expect(freqMs).toBe(500)
  })

  it.each([
    ['admin', "write NAME KIND:ARGUMENTS, as in 'admin cmd:mail -s alarm admin'"],
    ['admin cmd', "write NAME KIND:ARGUMENTS, as in 'admin cmd:mail -s alarm admin'"],
    ['admin xmpp:x', "there is no alarm of kind 'xmpp': the kinds are log, cmd, signal, mule, http"],
    ['admin constructor:x', "there is no alarm of kind 'constructor': the kinds are log, cmd, signal, mule, http"],
    ['admin cmd:', 'cmd: needs a command'],
    ['admin signal:256', 'signal: needs a number from 0 to 255'],
    ['admin signal:x', 'signal: needs a number from 0 to 255'],
    ['admin mule:3', 'there is no mule 3: they are numbered from 1 to 2'],
    ['admin mule:', 'mule: needs the number of a mule, or the name of a farm'],
    ['admin mule:nobody', "there is no farm 'nobody'"],
    ['admin http:x', "'x' is no URL of http or https"],
    ['admin http://', "'//' is no URL of http or https"],
    ['admin http://me:secret@x/', 'the URL may not have a user and password in it'],
    ['a,b log:', "the name 'a,b' may have letters, digits and signs of ASCII but no comma"],
    ['ü log:', "the name 'ü' may have letters, digits and signs of ASCII but no comma"],
  ])('are refused: %s', (text, message) => {
    expect(refusalOf(() => plan('--alarm', text))).toBe(`CONFIG_BAD_VALUE alarm = ${text}: ${message}`)
  })

  it('are refused when a name is taken, or a mule is meant where there are none', () => {
    expect(refusalOf(() => plan('--alarm', 'a log:', '--alarm', 'a cmd:x'))).toContain("there is an alarm 'a' already")
    expect(refusalOf(() => planAlarms(settings('--alarm', 'a mule:1'), { mules: 0, farms: [] }))).toContain(
      'no mule is configured',
    )
  })

  it.each([
    ['a', "log-alarm = a: write ALARMS REGEXP, as in 'admin,disk no space left'"],
    ['a,c x', "log-alarm = a,c x: no alarm 'c' is defined, those that are: a"],
    ['a (', 'log-alarm = a (: it is no regular expression: Invalid regular expression: /(/: Unterminated group'],
  ])('are refused for lines of the log: %s', (text, message) => {
    expect(refusalOf(() => plan('--alarm', 'a log:', '--log-alarm', text))).toBe(`CONFIG_BAD_VALUE ${message}`)
  })
})
