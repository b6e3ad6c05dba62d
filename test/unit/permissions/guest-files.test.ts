// Where paths lead, and what guests may do there: links, directories that are changed under a guest's hands, and limits.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileError } from '../../../host/errors.ts'
import { Access } from '../../../host/permissions/access.ts'
import { HostFiles, largestFile, mostOpenFiles } from '../../../host/permissions/guest-files.ts'
import { planPermissions } from '../../../host/permissions/permission-plan.ts'
import { inDirectory, inDirectoryOf } from '../../../host/permissions/places.ts'
import { Roots } from '../../../host/permissions/roots.ts'

let folder: string
const at = (path: string): string => join(folder, path)
const errnoOf = (run: () => unknown): string => {
  try {
    run()
    return 'nothing'
  } catch (error) {
    if (error instanceof FileError) return error.errno
    throw error
  }
}

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'polywsgi-places-')))
  mkdirSync(at('inside'))
  mkdirSync(at('outside'))
  writeFileSync(at('inside/file'), 'good')
  writeFileSync(at('outside/file'), 'secret')
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a path', () => {
  it('leads to the directory that was judged, also when another has taken its place meanwhile', () => {
    const seen = inDirectoryOf(at('inside/file'), (through, place) => {
      renameSync(at('inside'), at('moved'))
      symlinkSync(at('outside'), at('inside'))
      return [place, readFileSync(through, 'utf8')]
    })
    expect(seen).toEqual([at('inside/file'), 'good'])
  })

  it('is not followed at its end when a link has been put there', () => {
    symlinkSync(at('outside'), at('link'))
    expect(() => inDirectory(at('link'), () => 'entered')).toThrow(/ENOTDIR|ELOOP/)
  })
})

describe('files of guests', () => {
  const files = (): HostFiles => new HostFiles(new Roots([], [at('inside')]), folder)

  it('are judged by where a directory on the way leads at that moment', () => {
    const guest = files()
    expect(guest.stat('inside/file').size).toBe(4)
    renameSync(at('inside'), at('moved'))
    symlinkSync(at('outside'), at('inside'))
    expect(errnoOf(() => guest.stat('inside/file'))).toBe('EACCES')
    expect(errnoOf(() => guest.open('inside/file', { read: true, write: false }, false))).toBe('EACCES')
    expect(errnoOf(() => guest.remove('inside/file'))).toBe('EACCES')
    expect(errnoOf(() => guest.open('inside/new', { read: false, write: true, create: true }))).toBe('EACCES')
  })

  it('are regular ones: a link that nobody is to follow is refused, as a directory is', () => {
    symlinkSync('file', at('inside/link'))
    symlinkSync('loop', at('inside/loop'))
    expect(errnoOf(() => files().open('inside/link', { read: true, write: false }, false))).toBe('ELOOP')
    expect(errnoOf(() => files().open('inside/loop', { read: true, write: false }))).toBe('ELOOP')
    expect(errnoOf(() => files().open('inside', { read: true, write: false }))).toBe('EISDIR')
    expect(errnoOf(() => files().makeDirectory('inside/file'))).toBe('EEXIST')
    expect(errnoOf(() => files().remove('inside'))).toBe('EBUSY')
  })

  it('are so many at a time, and so large', () => {
    const guest = files()
    const open = Array.from({ length: mostOpenFiles }, () => guest.open('inside/file', { read: true, write: true }))
    expect(errnoOf(() => guest.open('inside/file', { read: true, write: false }))).toBe('EMFILE')
    open[1]?.close()
    open[1]?.close()
    expect(errnoOf(() => open[1]?.read(new Uint8Array(1), 0))).toBe('EBADF')
    const file = guest.open('inside/file', { read: true, write: true })
    expect(errnoOf(() => file.write(new Uint8Array(2), largestFile - 1))).toBe('EFBIG')
    expect(errnoOf(() => file.truncate(largestFile + 1))).toBe('EFBIG')
    // A hole costs no disk.
    truncateSync(at('inside/file'), largestFile)
    const appending = ((): ReturnType<HostFiles['open']> => {
      open[2]?.close()
      return guest.open('inside/file', { read: false, write: true, append: true })
    })()
    expect(errnoOf(() => appending.write(new Uint8Array(1), 0))).toBe('EFBIG')
    for (const each of [...open, file, appending]) each.close()
  })
})

describe('the plan of permissions', () => {
  it('holds where a path leads when the server starts, and refuses one that leads where none may', () => {
    symlinkSync(at('inside'), at('alias'))
    symlinkSync('/proc', at('system'))
    const settings = { sandbox: true, allowRead: ['alias'], allowWrite: [], allowEnv: [] }
    const access = new Access(planPermissions(settings, folder))
    rmSync(at('alias'))
    symlinkSync(at('outside'), at('alias'))
    expect(errnoOf(() => access.openFiles().stat('alias/file'))).toBe('EACCES')
    expect(access.openFiles().stat('inside/file').size).toBe(4)
    expect(() => planPermissions({ ...settings, allowRead: ['system/self'] }, folder)).toThrow('guests get nothing of /proc')
  })

  it('holds the variables that were named, with their values, and absolute paths', () => {
    const settings = { sandbox: true, allowRead: ['a', '/b'], allowWrite: [], allowEnv: ['ONE', 'TW*'] }
    const plan = planPermissions(settings, '/srv', { ONE: '1', TWO: '2', ONES: 'no', OTHER: 'no' })
    expect([plan.readable, plan.paths]).toEqual([
      ['/srv/a', '/b'],
      ['/srv/a', '/b'],
    ])
    expect([...plan.environment]).toEqual([
      ['ONE', '1'],
      ['TWO', '2'],
    ])
    const all = planPermissions({ ...settings, allowEnv: ['*'] }, '/srv', { ONE: '1', OTHER: '2' })
    expect(all.environment.size).toBe(2)
  })

  it('tells of a path, which need not exist, whether it may be read or written', () => {
    const plan = planPermissions({ sandbox: true, allowRead: ['inside'], allowWrite: ['outside/new'], allowEnv: [] }, folder)
    const access = new Access(plan, [])
    expect(
      ['inside', 'inside/none/deep', 'outside/new', 'outside', 'inside/../outside'].map((path) => access.mayRead(path)),
    ).toEqual([true, true, true, false, false])
    expect(['inside', 'outside/new'].map((path) => access.mayWrite(path))).toEqual([false, true])
  })
})
