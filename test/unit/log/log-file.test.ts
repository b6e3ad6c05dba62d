// The file of the log while the server runs: opened anew, moved away, and what happens when either fails.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LogWriter } from '../../../host/log/log-writer.ts'
import { LogFile } from '../../../host/log-file.ts'
import { planLog } from '../../../host/log-plan.ts'
import { LogDescriptor } from '../../../host/state/log-descriptor.ts'

// What goes to standard error is kept, and the system can be made to have no file to give.
const system = vi.hoisted(() => ({ complaints: '', isOutOfFiles: false }))
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>()
  return {
    ...fs,
    openSync: (...args: Parameters<typeof fs.openSync>) => {
      if (system.isOutOfFiles) throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
      return fs.openSync(...args)
    },
    writeSync: (fd: number, ...rest: [bytes: Uint8Array, offset?: number]) => {
      if (fd !== 2) return fs.writeSync(fd, ...rest)
      system.complaints += String(rest[0])
      return rest[0].length
    },
  }
})

const startMs = 1_800_000_000_000
const thread = 2

let folder: string
let nowMs: number
let descriptor: LogDescriptor
let files: LogFile[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-log-file-'))
  nowMs = 0
  files = []
  system.complaints = ''
  system.isOutOfFiles = false
})
afterEach(() => {
  for (const file of files) file.close()
  rmSync(folder, { recursive: true, force: true })
})

const at = (name: string): string => join(folder, name)
const text = (name: string): string => readFileSync(at(name), 'utf8')
const names = (): string[] => readdirSync(folder).sort()
const none = { logMaxsize: undefined, logBackupname: undefined, touchLogreopen: [], touchLogrotate: [] }

const make = (
  options: { logto?: string; logMaxsize?: number; logBackupname?: string } = {},
): { file: LogFile; log: LogWriter } => {
  const plan = planLog({ ...none, logto: 'log', ...options }, folder)
  descriptor = LogDescriptor.create(4)
  const file = new LogFile({ plan, descriptor, now: () => nowMs, date: () => startMs + nowMs })
  files.push(file)
  const log = new LogWriter(descriptor.of(0))
  file.begin(log, '1')
  return { file, log }
}

const isOpen = (fd: number): boolean => {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}

describe('a log that is opened anew', () => {
  it('goes on at its path, after what stood there, and leaves the file that was moved away', async () => {
    const { file, log } = make()
    log.text('one')
    renameSync(at('log'), at('moved'))
    log.text('two')
    writeFileSync(at('log'), 'made by another\n')
    await file.reopen()
    log.text('three')
    expect(text('moved')).toMatch(/^\*\*\* starting polywsgi 1 .*\none\ntwo\n$/)
    expect(text('log')).toBe('made by another\n*** the log is opened anew ***\nthree\n')
  })

  it('is made with the mode of the first one', async () => {
    const { file } = make()
    const { mode } = statSync(at('log'))
    rmSync(at('log'))
    await file.reopen()
    expect(statSync(at('log')).mode).toBe(mode)
    expect(mode & 0o007).toBe(0)
  })

  it('closes the file before as soon as no thread uses its number, however long that takes', async () => {
    const { file, log } = make()
    const use = descriptor.of(thread)
    const before = use.take()
    let isDone = false
    const reopened = file.reopen().then(() => (isDone = true))
    await expect.poll(() => descriptor.current).not.toBe(before)
    log.text('in the new one')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect([isDone, isOpen(before)]).toEqual([false, true])
    use.giveBack()
    await reopened
    expect(isOpen(before)).toBe(false)
    expect(isOpen(descriptor.current)).toBe(true)
  })

  it('takes no notice of a thread that has ended while it wrote', async () => {
    const { file } = make()
    descriptor.of(thread).take()
    descriptor.threadEnded(thread)
    await file.reopen()
    expect(text('log')).toContain('*** the log is opened anew ***\n')
  })

  it('is opened once for all who ask before it is, and once more for those who ask while the file before is still used', async () => {
    const { file } = make()
    const use = descriptor.of(thread)
    use.take()
    const first = [file.reopen(), file.reopen(), file.reopen()]
    await expect.poll(() => text('log').split('opened anew').length).toBe(2)
    renameSync(at('log'), at('moved'))
    const second = [file.reopen(), file.reopen()]
    await new Promise((resolve) => setTimeout(resolve, 50))
    // Never more than two are open.
    expect(existsSync(at('log'))).toBe(false)
    use.giveBack()
    await Promise.all([...first, ...second])
    expect(text('moved').split('opened anew').length).toBe(2)
    expect(text('log')).toBe('*** the log is opened anew ***\n')
  })

  it('needs no more descriptors than before', async () => {
    const { file } = make()
    const count = (): number => readdirSync('/proc/self/fd').length
    const before = count()
    for (let times = 0; times < 50; times += 1) await file.reopen()
    expect(count()).toBeLessThan(before + 25)
  })

  it('stays where it is when the path cannot be opened, and says so in the log and on standard error', async () => {
    mkdirSync(at('dir'))
    const { file, log } = make({ logto: 'dir/log' })
    renameSync(at('dir'), at('gone'))
    await expect(file.reopen()).rejects.toMatchObject({ code: 'LOG_FILE' })
    log.text('still there')
    const message =
      /logto = dir\/log: the file cannot be opened anew, and the log goes on in the old one: ENOENT: no such file or directory, open '.*'\n/
    expect(text('gone/log')).toMatch(new RegExp(`^.*\\n${message.source}still there\\n$`))
    expect(system.complaints).toMatch(new RegExp(`^polywsgi: ${message.source}$`))
    renameSync(at('gone'), at('dir'))
    await file.reopen()
    expect(text('dir/log')).toMatch(/still there\n\*\*\* the log is opened anew \*\*\*\n$/)
  })

  it('is not waited for where a named pipe has come to stand', async () => {
    const { file } = make()
    rmSync(at('log'))
    execFileSync('mkfifo', [at('log')])
    await expect(file.reopen()).rejects.toThrow('old one: it is a named pipe')
  })

  it('is refused where it goes to standard error, and after the end', async () => {
    descriptor = LogDescriptor.create(4)
    const file = new LogFile({ plan: undefined, descriptor })
    expect(file.isFile).toBe(false)
    await expect(file.reopen()).rejects.toThrow('the log goes to standard error: there is no file of logto')
    await expect(file.rotate()).rejects.toThrow('the log goes to standard error: there is no file of logto')
    file.look()
    expect(descriptor.current).toBe(2)
    const { file: other } = make()
    other.close()
    await expect(other.reopen()).rejects.toMatchObject({ code: 'HOST_CLOSED' })
    expect(isOpen(descriptor.current)).toBe(false)
  })

  it('that is asked for and has not begun at the end does nothing, and closes both files', async () => {
    const { file } = make()
    const use = descriptor.of(thread)
    const before = use.take()
    const reopened = file.reopen()
    await expect.poll(() => descriptor.current).not.toBe(before)
    const late = file.reopen()
    const ends = Promise.allSettled([reopened, late])
    file.close()
    expect([isOpen(before), isOpen(descriptor.current)]).toEqual([false, false])
    expect(await ends).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: { code: 'HOST_CLOSED' } }])
  })
})

describe('a log that is rotated', () => {
  it('is moved to its name with the seconds behind, and begun anew', async () => {
    const { file, log } = make()
    log.text('one')
    expect(await file.rotate()).toBe(at('log.1800000000'))
    log.text('two')
    expect(text('log.1800000000')).toMatch(/\none\n$/)
    expect(text('log')).toBe(`*** the log before this line is in ${at('log.1800000000')} ***\ntwo\n`)
  })

  it('is moved once for all who ask within a second', async () => {
    const { file } = make()
    const [one, two] = await Promise.all([file.rotate(), file.rotate()])
    nowMs = 999
    const three = await file.rotate()
    expect([one, two, three]).toEqual(new Array(3).fill(at('log.1800000000')))
    expect(names()).toEqual(['log', 'log.1800000000'])
    nowMs = 1000
    expect(await file.rotate()).toBe(at('log.1800000001'))
    expect(names()).toEqual(['log', 'log.1800000000', 'log.1800000001'])
  })

  it('is moved to log-backupname, over what was there', async () => {
    const { file, log } = make({ logBackupname: 'old' })
    log.text('one')
    await file.rotate()
    log.text('two')
    nowMs = 1000
    expect(await file.rotate()).toBe(at('old'))
    expect(names()).toEqual(['log', 'old'])
    expect(text('old')).toMatch(/two\n$/)
  })

  it('is moved over nothing else', async () => {
    writeFileSync(at('log.1800000000'), 'mine')
    const { file } = make()
    await expect(file.rotate()).rejects.toThrow(
      `moved away, and the log goes on in the old one: ${at('log.1800000000')} is there`,
    )
    expect(text('log.1800000000')).toBe('mine')
    expect(text('log')).toContain('is there already\n')
  })

  it('that another program has moved is only opened anew, and a file that stands there is appended to', async () => {
    const { file } = make()
    renameSync(at('log'), at('moved'))
    expect(await file.rotate()).toBeUndefined()
    expect(text('log')).toBe('*** the log is opened anew: its file had been moved ***\n')
    renameSync(at('log'), at('moved too'))
    writeFileSync(at('log'), 'made by another\n')
    nowMs = 1000
    expect(await file.rotate()).toBeUndefined()
    expect(text('log')).toBe('made by another\n*** the log is opened anew: its file had been moved ***\n')
    expect(names()).toEqual(['log', 'moved', 'moved too'])
  })

  it('is no device and no link', async () => {
    const { file } = make({ logto: '/dev/null' })
    await expect(file.rotate()).rejects.toThrow('it is no regular file')
    writeFileSync(at('target'), '')
    symlinkSync(at('target'), at('link'))
    const { file: linked, log } = make({ logto: 'link' })
    await expect(linked.rotate()).rejects.toThrow('it is a symbolic link')
    log.text('still there')
    expect(text('target')).toMatch(/still there\n$/)
  })

  it('is back in its place when there is no new file', async () => {
    const { file, log } = make()
    system.isOutOfFiles = true
    await expect(file.rotate()).rejects.toThrow('cannot be opened anew, and the log goes on in the old one: EMFILE')
    system.isOutOfFiles = false
    log.text('still there')
    expect(names()).toEqual(['log'])
    expect(text('log')).toMatch(/: EMFILE: too many open files\nstill there\n$/)
    // It was no rotation: the next one need not wait a second.
    expect(await file.rotate()).toBe(at('log.1800000000'))
  })
})

describe('log-maxsize', () => {
  it('moves a file away that has that size, and none that has less', async () => {
    const { file, log } = make({ logMaxsize: 200 })
    file.look()
    await file.reopen()
    expect(names()).toEqual(['log'])
    log.text('x'.repeat(200))
    file.look()
    file.look()
    await file.reopen()
    expect(names()).toEqual(['log', 'log.1800000000'])
    expect(statSync(at('log')).size).toBeLessThan(200)
    nowMs = 5000
    file.look()
    await file.reopen()
    expect(names()).toEqual(['log', 'log.1800000000'])
  })

  it('that cannot be kept is told once until it can, and costs no line', async () => {
    const { file, log } = make({ logMaxsize: 1, logBackupname: 'dir' })
    mkdirSync(at('dir'))
    for (let times = 0; times < 3; times += 1) {
      log.text(`line ${times}`)
      file.look()
      await file.reopen()
    }
    expect(system.complaints.split('the file cannot be moved away').length).toBe(2)
    expect(text('log').match(/^line \d$/gm)).toEqual(['line 0', 'line 1', 'line 2'])
    rmSync(at('dir'), { recursive: true })
    file.look()
    await file.reopen()
    expect(text('dir')).toContain('line 2\n')
    expect(text('log')).not.toMatch(/^line \d$/m)
  })
})

describe('options of the log file', () => {
  it.each([
    [{ logMaxsize: 5 }, 'log-maxsize = 5'],
    [{ logBackupname: 'b' }, 'log-backupname = b'],
    [{ touchLogreopen: ['t', 'u'] }, 'touch-logreopen = t'],
    [{ touchLogrotate: ['t'] }, 'touch-logrotate = t'],
  ])('%j is refused without logto', (given, named) => {
    const settings = { ...none, logto: undefined, ...given }
    expect(() => planLog(settings, folder)).toThrow(`${named}: there is no file of the log: give logto = FILE too`)
    expect(planLog({ ...settings, logto: 'log' }, folder)).toMatchObject({ path: at('log') })
  })

  it('log-maxsize = 0 means never, with a file and without', () => {
    expect(planLog({ ...none, logto: undefined, logMaxsize: 0 }, folder)).toBeUndefined()
    const { file } = make({ logMaxsize: 0 })
    file.look()
    expect(names()).toEqual(['log'])
  })

  it('log-backupname is another file than logto', () => {
    expect(() => planLog({ ...none, logto: './log', logBackupname: 'log' }, folder)).toThrow(
      'log-backupname = log: this is the file of logto',
    )
  })
})
