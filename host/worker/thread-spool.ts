// The spooler as a thread sees it that has work for later: jobs are written straight to disk, then the spooler of their
// directory is woken. Nothing of this passes the master.
// Invariant: whatever is wrong with a job is found before its file is begun.
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { encodeVars } from '../../protocol/vars.ts'
import type { Spool } from '../api/context.ts'
import type { BytesMap } from '../api/kinds.ts'
import { ApiArgumentError, ApiError } from '../errors.ts'
import type { ServiceParts } from './service-parts.ts'
import {
  compareSpoolFiles,
  isPriority,
  isSpoolFileOf,
  listSpoolFiles,
  readSpoolFile,
  spoolFileName,
  writeSpoolFile,
} from './spool-files.ts'

/** Lengths in the file have 16 bits. */
const maxBytes = 65_535
/** As the slots of requests allow. */
const mostSeats = 16_384
/** The end of the year 9999, which some guest's clock in milliseconds is past. */
const latest = 253_402_300_799

export interface ThreadSpoolOptions {
  /** Absolute paths. The first one takes jobs that name none. */
  readonly directories: readonly string[]
  /** Rings the spooler of a directory. */
  wake(directory: string): void
  /** How often all spoolers look into their directories from now on. */
  setFrequencyMs(milliseconds: number): void
}

export class ThreadSpool implements Spool {
  readonly #parts: Pick<ServiceParts, 'thread'>
  readonly #options: ThreadSpoolOptions
  #submitted = 0

  constructor(parts: Pick<ServiceParts, 'thread'>, options: ThreadSpoolOptions) {
    this.#parts = parts
    this.#options = options
  }

  get directories(): readonly string[] {
    return this.#options.directories
  }

  /**
   * @throws ApiArgumentError for a job that cannot be written down, ApiError API_REFUSED without a spooler, API_IO when the
   *   disk fails
   */
  submit(job: BytesMap): string {
    const directory = this.#directoryOf(job.get('spooler'))
    const priority = priorityOf(job.get('priority'))
    const at = timeOf(job.get('at'))
    const block = blockOf(job)
    this.#submitted += 1
    // Threads of one process count for themselves: the thread's seat keeps their names apart.
    const name = spoolFileName(hostname(), process.pid, this.#submitted * mostSeats + this.#parts.thread.seat)
    let path: string
    try {
      path = writeSpoolFile(priority === undefined ? directory : join(directory, priority), name, block, job.get('body'), at)
    } catch (error) {
      throw new ApiError('spool', 'API_IO', `unable to spool job: ${(error as Error).message}`, { cause: error })
    }
    this.#options.wake(directory)
    return path
  }

  /** @throws ApiError API_IO when a directory cannot be read */
  jobs(): string[] {
    try {
      return this.directories.flatMap((directory) =>
        listSpoolFiles(directory)
          .sort(compareSpoolFiles(true))
          .map(({ path }) => path),
      )
    } catch (error) {
      throw new ApiError('spooler_jobs', 'API_IO', (error as Error).message, { cause: error })
    }
  }

  /**
   * Undefined for what is not there, or no job. Differs from uWSGI: only jobs in the spoolers' own directories are read, a
   * guest's path is no way to other files.
   */
  read(path: string): { vars: BytesMap; body: Uint8Array } | undefined {
    const absolute = resolve(path)
    if (!this.directories.some((directory) => isSpoolFileOf(directory, absolute))) return undefined
    try {
      return readSpoolFile(absolute)
    } catch {
      return undefined
    }
  }

  setFrequency(seconds: number): void {
    this.#options.setFrequencyMs(seconds * 1000)
    // Each sleeps until a time that it reckoned by the old one.
    for (const directory of this.directories) this.#options.wake(directory)
  }

  #directoryOf(given: Uint8Array | undefined): string {
    const [first] = this.directories
    if (first === undefined) throw new ApiError('spool', 'API_REFUSED', 'unable to spool job: no spooler is configured')
    if (given === undefined) return first
    const wanted = textOf(given)
    const found = this.directories.find((directory) => directory === resolve(wanted))
    if (found !== undefined) return found
    const known = this.directories.join(', ')
    throw new ApiError('spool', 'API_REFUSED', `unable to spool job: there is no spooler '${wanted}', only ${known}`)
  }
}

const specialKeys = new Set(['spooler', 'priority', 'at', 'body'])

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')

const badJob = (why: string): ApiArgumentError => new ApiArgumentError('spool', 'job', 'value', `the job's ${why}`)

const priorityOf = (given: Uint8Array | undefined): string | undefined => {
  if (given === undefined) return undefined
  const priority = textOf(given)
  if (!isPriority(priority)) throw badJob(`'priority' must be a whole number from 0 to 999999999, not '${priority.slice(0, 80)}'`)
  return priority
}

const timeOf = (given: Uint8Array | undefined): number | undefined => {
  if (given === undefined) return undefined
  const text = textOf(given)
  const seconds = /^\d+(?:\.\d*)?$/.test(text) ? Number(text) : Number.NaN
  if (!(seconds <= latest)) throw badJob(`'at' must be a time in seconds since 1970, not '${text.slice(0, 80)}'`)
  return seconds
}

const blockOf = (job: BytesMap): Uint8Array => {
  let size = 0
  const pairs: [string, Uint8Array][] = []
  for (const [name, value] of job) {
    if (specialKeys.has(name)) continue
    if (name === '') throw badJob('variables need names: one is empty')
    if (name.length > maxBytes) throw badJob(`variables have names of at most ${maxBytes} bytes, one has ${name.length}`)
    if (value.length > maxBytes) {
      throw badJob(`'${name.slice(0, 80)}' has ${value.length} bytes, a value may have ${maxBytes}: use 'body' for more`)
    }
    size += 4 + name.length + value.length
    pairs.push([name, value])
  }
  if (size > maxBytes) throw badJob(`variables need ${size} bytes, together they may have ${maxBytes}: use 'body' for more`)
  return encodeVars(pairs)
}
