// Jobs of the spooler as files, in uWSGI's own form, so that either server runs what the other has written:
//
//   DIRECTORY/[PRIORITY/]uwsgi_spoolfile_on_HOST_PID_COUNTER_RANDOM_SECONDS_MICROSECONDS
//   modifier1 17, u16le size, modifier2 0 | vars block of `size` bytes | body to the end of the file
//
// A modification time in the future is when the job is due. Invariant: a file with a job's name is a whole job, on disk: it is
// written under another name, synced, and renamed. Differs from uWSGI: there are no fcntl() locks in Node.js, so a directory
// must not be shared with a second spooler, ours or uWSGI's.
import { randomInt } from 'node:crypto'
import {
  closeSync,
  constants,
  fsyncSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { decodeHeader, encodeHeader, headerSize } from '../../protocol/packet.ts'
import { checkVars, iterateVars } from '../../protocol/vars.ts'
import type { BytesMap } from '../api/kinds.ts'

export const spoolFilePrefix = 'uwsgi_spoolfile_on_'
/** Files that are being written; neither server's spooler looks at them. */
export const unfinishedPrefix = '.spooling_'
const spoolModifier1 = 17
const priorityPattern = /^\d{1,9}$/

/** A file that is no job. */
export class SpoolFileError extends Error {}

export interface SpooledJob {
  readonly vars: BytesMap
  readonly body: Uint8Array
}

export interface SpoolFile {
  readonly path: string
  readonly name: string
  /** The number of its sub-directory; undefined for one directly in the spooler's directory. */
  readonly priority: number | undefined
  /** When the job is due. */
  readonly mtimeMs: number
}

/** What may name a sub-directory of jobs. Differs from uWSGI: other names are refused, no spooler would look there. */
export const isPriority = (text: string): boolean => priorityPattern.test(text)

export const spoolFileName = (hostname: string, pid: number, counter: number): string => {
  const micros = BigInt(Math.trunc((performance.timeOrigin + performance.now()) * 1000))
  const host = hostname.replace(/[/\0]/g, '_')
  const random = randomInt(2 ** 31)
  return `${spoolFilePrefix}${host}_${pid}_${counter}_${random}_${micros / 1_000_000n}_${micros % 1_000_000n}`
}

/**
 * Puts a job into a directory (the spooler's, or a priority's below it, which is made).
 * @param at when it is due, in seconds since the epoch
 * @returns its path
 * @throws the system's error, with nothing left behind
 */
export const writeSpoolFile = (
  directory: string,
  name: string,
  block: Uint8Array,
  body: Uint8Array | undefined,
  at?: number,
): string => {
  if (isPriority(basename(directory))) makeDirectory(directory)
  const unfinished = join(directory, unfinishedPrefix + name)
  const path = join(directory, name)
  const fd = openSync(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    try {
      writeWhole(fd, encodeHeader({ modifier1: spoolModifier1, size: block.length, modifier2: 0 }))
      writeWhole(fd, block)
      if (body !== undefined) writeWhole(fd, body)
      if (at !== undefined) futimesSync(fd, at, at)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(unfinished, path)
  } catch (error) {
    unlinkSync(unfinished)
    throw error
  }
  syncDirectory(directory)
  return path
}

/** @throws SpoolFileError for a file that is no job; the system's error for one that cannot be read */
export const readSpoolFile = (path: string): SpooledJob => {
  // A link may point at anything the server can read.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    return decodeSpoolFile(readFileSync(fd))
  } finally {
    closeSync(fd)
  }
}

/** @throws SpoolFileError */
export const decodeSpoolFile = (bytes: Uint8Array): SpooledJob => {
  if (bytes.length < headerSize)
    throw new SpoolFileError(`a job begins with ${headerSize} bytes of header, here are ${bytes.length}`)
  const { modifier1, size } = decodeHeader(bytes)
  if (modifier1 !== spoolModifier1) {
    throw new SpoolFileError(`a job has modifier1 ${spoolModifier1} in its header, this file has ${modifier1}`)
  }
  const end = headerSize + size
  if (end > bytes.length) {
    throw new SpoolFileError(`its header tells of ${size} bytes of variables, ${bytes.length - headerSize} follow`)
  }
  const block = bytes.subarray(headerSize, end)
  try {
    checkVars(block)
  } catch (error) {
    throw new SpoolFileError((error as Error).message, { cause: error })
  }
  const vars = new Map<string, Uint8Array>()
  for (const [name, value] of iterateVars(block)) vars.set(name, Buffer.from(value, 'latin1'))
  return { vars, body: new Uint8Array(bytes.subarray(end)) }
}

/**
 * The jobs of a spooler's directory and of the priorities below it, due or not, in no order.
 * @throws the system's error when the directory cannot be read
 */
export const listSpoolFiles = (directory: string): SpoolFile[] => {
  const files: SpoolFile[] = []
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory() && isPriority(entry.name)) {
      const below = join(directory, entry.name)
      for (const name of readdirSync(below)) addFile(files, below, name, Number(entry.name))
    } else addFile(files, directory, entry.name, undefined)
  }
  return files
}

const addFile = (files: SpoolFile[], directory: string, name: string, priority: number | undefined): void => {
  if (!name.startsWith(spoolFilePrefix)) return
  const path = join(directory, name)
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat?.isFile()) files.push({ path, name, priority, mtimeMs: stat.mtimeMs })
}

/**
 * The order in which jobs are run: by the time in their names, when they were submitted. Ordered: first by priority, the lowest
 * number first, jobs without one last. Differs from uWSGI: it goes by the directory's own order, or by whole names, which
 * begin with the process that wrote the job.
 */
export const compareSpoolFiles = (ordered: boolean) => {
  const rank = ({ priority }: SpoolFile): number => (ordered ? (priority ?? Number.POSITIVE_INFINITY) : 0)
  return (left: SpoolFile, right: SpoolFile): number => {
    const [leftRank, rightRank] = [rank(left), rank(right)]
    if (leftRank !== rightRank) return leftRank < rightRank ? -1 : 1
    return submittedAt(left.name) - submittedAt(right.name) || compareNames(left.name, right.name)
  }
}

const submittedAt = (name: string): number => {
  const match = /_(\d{1,10})_(\d{1,6})$/.exec(name)
  return match === null ? 0 : Number(match[1]) * 1_000_000 + Number(match[2])
}

const { compare: compareNames } = new Intl.Collator('en', { numeric: true })

/** Whether a path is one that a job of this spooler's directory may have. */
export const isSpoolFileOf = (directory: string, path: string): boolean => {
  if (!basename(path).startsWith(spoolFilePrefix)) return false
  const parent = dirname(path)
  return parent === directory || (dirname(parent) === directory && isPriority(basename(parent)))
}

/** Moves a job out of the way, into `failed/` of its spooler's directory. @returns its new path */
export const setAside = (directory: string, file: SpoolFile): string => {
  const failed = join(directory, 'failed')
  makeDirectory(failed)
  const path = join(failed, file.name)
  renameSync(file.path, path)
  return path
}

const makeDirectory = (path: string): void => {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

const writeWhole = (fd: number, bytes: Uint8Array): void => {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset)
}

/** The new name must outlive a crash of the machine as its contents do. */
const syncDirectory = (directory: string): void => {
  const fd = openSync(directory, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
