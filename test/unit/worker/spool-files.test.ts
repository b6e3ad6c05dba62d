// Jobs as files, and as a thread submits them: uWSGI's own form, byte for byte, and nothing on disk for what is refused.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  compareSpoolFiles,
  decodeSpoolFile,
  isSpoolFileOf,
  listSpoolFiles,
  readSpoolFile,
  SpoolFileError,
  spoolFileName,
  writeSpoolFile,
} from '../../../host/worker/spool-files.ts'
import { ThreadSpool } from '../../../host/worker/thread-spool.ts'
import { testThread } from '../../support/api-context.ts'

let root: string
let directory: string
let other: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'spool-')))
  directory = join(root, 'jobs')
  other = join(root, 'others')
  mkdirSync(directory)
  mkdirSync(other)
})
afterEach(() => rmSync(root, { recursive: true }))

const bytes = (text: string) => Buffer.from(text, 'latin1')
const jobOf = (job: Record<string, string | Uint8Array>) =>
  new Map(Object.entries(job).map(([name, value]) => [name, typeof value === 'string' ? bytes(value) : value]))

const spoolWith = (directories: readonly string[]) => {
  const woken: string[] = []
  const frequencies: number[] = []
  const spool = new ThreadSpool(
    { thread: testThread(2) },
    { directories, wake: (name) => void woken.push(name), setFrequencyMs: (ms) => void frequencies.push(ms) },
  )
  return { spool, woken, frequencies }
}

/** As uWSGI's own Python plugin has written it. */
const writtenByUwsgi = Buffer.from(
  '111700000400' + '7461736b' + '0600' + '726573697a65' + '0300' + '62696e' + '0200' + '00ff',
  'hex',
)

describe('the file of a job', () => {
  it('is what uWSGI writes, header, variables and body', () => {
    const { spool } = spoolWith([directory])
    const path = spool.submit(jobOf({ task: 'resize', bin: '\0\xff', body: 'BODY\0\xff' }))
    expect(readFileSync(path)).toEqual(Buffer.concat([writtenByUwsgi, bytes('BODY\0\xff')]))
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('has the name uWSGI gives it, another one each time', () => {
    const { spool } = spoolWith([directory])
    const paths = [1, 2, 3].map(() => spool.submit(jobOf({ task: 'x' })))
    for (const path of paths) {
      expect(path.startsWith(`${directory}/uwsgi_spoolfile_on_${hostname()}_${process.pid}_`)).toBe(true)
      expect(path).toMatch(/_\d+_\d+_\d+_\d{1,6}$/)
    }
    expect(new Set(paths).size).toBe(3)
    expect(readdirSync(directory).length).toBe(3)
  })

  it('is read as it was written, by uWSGI too', () => {
    expect(decodeSpoolFile(Buffer.concat([writtenByUwsgi, bytes('\0body')]))).toEqual({
      vars: jobOf({ task: 'resize', bin: '\0\xff' }),
      body: Uint8Array.from(bytes('\0body')),
    })
    const path = writeSpoolFile(directory, spoolFileName('node', 1, 1), new Uint8Array(0), undefined)
    expect(readSpoolFile(path)).toEqual({ vars: new Map(), body: new Uint8Array(0) })
  })

  it.each([
    ['', 'a job begins with 4 bytes of header, here are 0'],
    ['110000', 'a job begins with 4 bytes of header, here are 3'],
    ['00040000' + '01006100', 'a job has modifier1 17 in its header, this file has 0'],
    ['11090000' + '01006100', 'its header tells of 9 bytes of variables, 4 follow'],
    ['11040000' + '01006101', 'invalid vars block: the length of a value of 2 bytes at offset 3 ends behind the block of 4'],
    ['11040000' + '00000000', 'uwsgi key cannot be null (at offset 0 of 4)'],
  ])('of the bytes %j is refused: %s', (hex, reason) => {
    expect(() => decodeSpoolFile(Buffer.from(hex, 'hex'))).toThrow(new SpoolFileError(reason))
  })

  it('is not read through a link', () => {
    const secret = join(root, 'secret')
    writeFileSync(secret, writtenByUwsgi)
    const link = join(directory, 'uwsgi_spoolfile_on_link')
    symlinkSync(secret, link)
    expect(() => readSpoolFile(link)).toThrow('ELOOP')
    expect(listSpoolFiles(directory)).toEqual([])
    expect(spoolWith([directory]).spool.read(link)).toBeUndefined()
  })

  it('leaves nothing behind when it cannot be written', () => {
    const name = spoolFileName('node', 1, 1)
    // A directory of the job's name: the last step, the renaming, fails.
    mkdirSync(join(directory, name))
    expect(() => writeSpoolFile(directory, name, new Uint8Array(0), bytes('body'))).toThrow('EISDIR')
    expect(readdirSync(directory)).toEqual([name])
  })
})

describe('the order of jobs', () => {
  const file = (priority: number | undefined, counter: number, seconds: number, micros: number) => {
    const name = `uwsgi_spoolfile_on_node_1_${counter}_77_${seconds}_${micros}`
    return { path: name, name, priority, mtimeMs: 0 }
  }
  const files = [
    file(undefined, 10, 500, 20),
    file(10, 11, 500, 30),
    file(2, 12, 500, 40),
    file(undefined, 9, 500, 3),
    file(2, 2, 500, 40),
  ]

  it('is that of their submission', () => {
    expect(files.toSorted(compareSpoolFiles(false))).toEqual([files[3], files[0], files[1], files[4], files[2]])
  })

  it('is by priority first when they are ordered, the lowest number first and those without one last', () => {
    expect(files.toSorted(compareSpoolFiles(true))).toEqual([files[4], files[2], files[1], files[3], files[0]])
  })
})

describe('submitting a job', () => {
  it('wakes the spooler of its directory, the first one unless the job names another', () => {
    const { spool, woken } = spoolWith([directory, other])
    const first = spool.submit(jobOf({ task: 'x' }))
    const second = spool.submit(jobOf({ task: 'x', spooler: `${other}/` }))
    expect(woken).toEqual([directory, other])
    expect(spool.jobs()).toEqual([first, second])
    expect(spool.read(second)?.vars).toEqual(jobOf({ task: 'x' }))
  })

  it('puts it into the directory of its priority', () => {
    const { spool, woken } = spoolWith([directory])
    const path = spool.submit(jobOf({ task: 'x', priority: '7' }))
    expect(path.startsWith(`${directory}/7/uwsgi_spoolfile_on_`)).toBe(true)
    expect(woken).toEqual([directory])
    expect(spool.submit(jobOf({ task: 'y', priority: '7' }))).toContain('/7/')
    expect(listSpoolFiles(directory).map(({ priority }) => priority)).toEqual([7, 7])
    expect(spool.read(path)?.vars).toEqual(jobOf({ task: 'x' }))
  })

  it('dates it ahead when it has a time', () => {
    const { spool } = spoolWith([directory])
    expect(statSync(spool.submit(jobOf({ task: 'x', at: '1900000000' }))).mtimeMs).toBe(1_900_000_000_000)
    expect(statSync(spool.submit(jobOf({ task: 'x', at: '1900000000.5' }))).mtimeMs).toBe(1_900_000_000_500)
  })

  it('takes values up to the limit, and bodies of any length', () => {
    const { spool } = spoolWith([directory])
    const value = new Uint8Array(65_535 - 5).fill(1)
    const body = new Uint8Array(300_000).fill(2)
    expect(spool.read(spool.submit(new Map([['k', value]])))?.vars.get('k')).toEqual(Buffer.from(value))
    expect(spool.read(spool.submit(new Map([['body', body]])))?.body).toEqual(body)
  })

  const ofSize = (size: number) => new Uint8Array(size)
  it.each([
    [{ at: 'tomorrow' }, "uwsgi.spool(): the job's 'at' must be a time in seconds since 1970, not 'tomorrow'"],
    [{ at: '-5' }, "uwsgi.spool(): the job's 'at' must be a time in seconds since 1970, not '-5'"],
    [{ at: '1700000000000' }, "uwsgi.spool(): the job's 'at' must be a time in seconds since 1970, not '1700000000000'"],
    [
      { priority: '../../etc' },
      "uwsgi.spool(): the job's 'priority' must be a whole number from 0 to 999999999, not '../../etc'",
    ],
    [{ priority: '' }, "uwsgi.spool(): the job's 'priority' must be a whole number from 0 to 999999999, not ''"],
    [{ '': 'x' }, "uwsgi.spool(): the job's variables need names: one is empty"],
    [{ k: ofSize(65_536) }, "uwsgi.spool(): the job's 'k' has 65536 bytes, a value may have 65535: use 'body' for more"],
    [
      { a: ofSize(40_000), b: ofSize(40_000) },
      "uwsgi.spool(): the job's variables need 80010 bytes, together they may have 65535: use 'body' for more",
    ],
  ])('is refused when its values are bad, with nothing written (%#)', (job: Record<string, string | Uint8Array>, message) => {
    const { spool, woken } = spoolWith([directory])
    expect(() => spool.submit(jobOf(job))).toThrow(expect.objectContaining({ code: 'API_ARGUMENT', fault: 'value', message }))
    expect([woken, readdirSync(directory)]).toEqual([[], []])
  })

  it('is refused for a directory that no spooler has, and without any', () => {
    const { spool } = spoolWith([directory])
    expect(() => spool.submit(jobOf({ spooler: '/etc' }))).toThrow(
      `uwsgi.spool(): unable to spool job: there is no spooler '/etc', only ${directory}`,
    )
    expect(() => spoolWith([]).spool.submit(jobOf({}))).toThrow('uwsgi.spool(): unable to spool job: no spooler is configured')
  })

  it('tells of a disk that fails', () => {
    const { spool, woken } = spoolWith([join(root, 'gone')])
    expect(() => spool.submit(jobOf({ task: 'x' }))).toThrow(
      expect.objectContaining({ code: 'API_IO', message: expect.stringContaining('unable to spool job: ENOENT') }),
    )
    expect(() => spool.jobs()).toThrow(expect.objectContaining({ code: 'API_IO' }))
    expect(woken).toEqual([])
  })
})

describe('what a thread sees of the jobs', () => {
  it('is nothing outside of the directories, and nothing that is no job', () => {
    const { spool } = spoolWith([directory])
    writeFileSync(join(other, 'uwsgi_spoolfile_on_x'), writtenByUwsgi)
    writeFileSync(join(directory, 'notes'), writtenByUwsgi)
    writeFileSync(join(directory, 'uwsgi_spoolfile_on_bad'), 'x')
    for (const path of [
      join(other, 'uwsgi_spoolfile_on_x'),
      join(directory, '..', 'others', 'uwsgi_spoolfile_on_x'),
      join(directory, 'notes'),
      join(directory, 'uwsgi_spoolfile_on_bad'),
      join(directory, 'uwsgi_spoolfile_on_missing'),
      '',
    ]) {
      expect(spool.read(path)).toBeUndefined()
    }
    expect(spool.jobs()).toEqual([join(directory, 'uwsgi_spoolfile_on_bad')])
  })

  it('tells jobs from other paths', () => {
    const name = 'uwsgi_spoolfile_on_x'
    const paths = [`/s/${name}`, `/s/12/${name}`, `/s/failed/${name}`, `/s/1/2/${name}`, `/t/${name}`, '/s/12/x']
    expect(paths.map((path) => isSpoolFileOf('/s', path))).toEqual([true, true, false, false, false, false])
  })

  it('changes with the frequency: every spooler is woken to go by it', () => {
    const { spool, woken, frequencies } = spoolWith([directory, other])
    spool.setFrequency(5)
    expect([frequencies, woken]).toEqual([[5000], [directory, other]])
  })
})
