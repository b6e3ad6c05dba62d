// Serves files before a request reaches a worker. A request for which there is none goes on to the app as if nothing had been
// looked for.
// Invariant: the event loop never waits for a file's contents, nor for a network's disk; an exchange is answered here or submitted on, never both.

import { type Stats, statSync } from 'node:fs'
import { hasVarsBlock } from '../../protocol/modifiers.ts'
import { findVar } from '../../protocol/vars.ts'
import { type OpenFile, openWithin } from '../files/containment.ts'
import { answerFile, type FileAnswer, type FileRequest } from '../files/file-answer.ts'
import type { Exchange, Ticket } from '../master/exchange.ts'
import { Delivery } from '../offload/delivery.ts'
import { sendFile } from '../offload/send-file.ts'
import { areSame, type CachedFile, FileCache, largestCached } from './file-cache.ts'
import { areLocal } from './local-disk.ts'
import { Looks } from './looks.ts'
import { type Candidate, candidatesOf, expiryOf, type StaticPlan } from './static-plan.ts'

export interface StaticFilesOptions {
  readonly plan: StaticPlan
  /** What is done to the headers, names and values in turn, joined by NUL, before they go out. */
  readonly changeHeaders?: ((headers: string) => string) | undefined
  /** Where requests go that no file answers. */
  readonly submit: (exchange: Exchange) => Ticket | undefined
  readonly log: (line: string) => void
  /** A file was sent, or is on its way. */
  readonly answered: (served: ServedFile) => void
}

export interface ServedFile {
  readonly packet: Uint8Array
  readonly answer: FileAnswer
  /** Bytes of the body; 0 for HEAD. */
  readonly size: number
  /** By `performance.now()`. */
  readonly startedAt: number
}

/** What is asked, as far as it decides about the file. */
interface Lookup {
  readonly packet: Uint8Array
  readonly vars: Uint8Array
  readonly isHead: boolean
  readonly pathInfo: string
  readonly candidates: readonly Candidate[]
  readonly startedAt: number
}

export class StaticFiles {
  readonly #options: StaticFilesOptions
  readonly #cache = new FileCache()
  readonly #looks = new Looks()
  readonly #running = new Set<Visit>()
  #onIdle: (() => void) | undefined

  constructor(options: StaticFilesOptions) {
    this.#options = options
  }

  /** As `Dispatcher.submit`. */
  submit(exchange: Exchange): Ticket | undefined {
    const lookup = this.#lookup(exchange)
    if (lookup === undefined) return this.#options.submit(exchange)
    if (this.#serveHot(exchange, lookup)) return noTicket
    const visit = new Visit(exchange, this.#options.log)
    this.#running.add(visit)
    void visit.over.then(() => {
      this.#running.delete(visit)
      if (this.#running.size === 0) this.#onIdle?.()
    })
    this.#serve(visit, lookup, 0)
    return visit
  }

  /** Resolves when no file is on its way. */
  async idle(): Promise<void> {
    if (this.#running.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  /** Ends what is still on its way. @returns how many responses were cut off */
  failAll(reason: string): number {
    const visits = [...this.#running]
    for (const visit of visits) visit.delivery?.fail(503, reason)
    return visits.length
  }

  /** Undefined: no file can be the answer. */
  #lookup({ packet, body }: Exchange): Lookup | undefined {
    // A body would have to be read or refused; only apps know what to do with one.
    if (body.mode !== 'whole' || body.bytes !== undefined || !hasVarsBlock(packet[0] as number, packet[3] as number)) {
      return undefined
    }
    const { plan } = this.#options
    const vars = packet.subarray(4)
    const method = findVar(vars, 'REQUEST_METHOD')
    if (method !== 'GET' && method !== 'HEAD') return undefined
    const pathInfo = findVar(vars, 'PATH_INFO') ?? ''
    const candidates = candidatesOf(plan, pathInfo, plan.usesDocumentRoot ? findVar(vars, 'DOCUMENT_ROOT') : undefined)
    if (candidates.length === 0) return undefined
    return { packet, vars, isHead: method === 'HEAD', pathInfo, candidates, startedAt: performance.now() }
  }

  /** A file in memory, on a disk of this machine, is answered at once. */
  #serveHot(exchange: Exchange, lookup: Lookup): boolean {
    const { path } = lookup.candidates[0] as Candidate
    const cached = this.#cache.get(path)
    if (cached?.isLocal !== true) return false
    let stats: Stats | undefined
    try {
      stats = statSync(path, { throwIfNoEntry: false })
    } catch {
      return false
    }
    if (stats === undefined || !this.#cache.isFresh(path, cached, stats)) return false
    const { answer, part } = this.#answerCached(lookup, cached)
    try {
      exchange.respond(answer, part, true, false, true)
    } catch (error) {
      this.#options.log(`response refused: ${(error as Error).message}`)
      exchange.fail(500, 'the response was refused')
    }
    return true
  }

  /** Tries one place after the other. */
  #serve(visit: Visit, lookup: Lookup, index: number): void {
    if (visit.isAbandoned) return
    const candidate = lookup.candidates[index]
    if (candidate === undefined) {
      visit.goOn(this.#options.submit)
      return
    }
    const { path } = candidate
    const cached = this.#cache.get(path)
    if (cached === undefined) return void this.#serveCold(visit, lookup, index, candidate)
    this.#looks.at(path, (stats) => {
      if (visit.isAbandoned) return
      if (stats !== undefined && this.#cache.isFresh(path, cached, stats)) this.#sendCached(visit, lookup, cached)
      else void this.#serveCold(visit, lookup, index, candidate)
    })
  }

  async #serveCold(visit: Visit, lookup: Lookup, index: number, candidate: Candidate): Promise<void> {
    try {
      const file = await this.#open(candidate)
      if (file === undefined) return this.#serve(visit, lookup, index + 1)
      if (visit.isAbandoned) await file.handle.close()
      else if (file.stats.size <= largestCached) await this.#sendSmall(visit, lookup, candidate, file)
      else await this.#sendLarge(visit, lookup, file)
    } catch (error) {
      // Not the want of this file but of something that all need: the app would only say "not found".
      this.#options.log(`${candidate.path}: ${(error as Error).message}`)
      this.#cache.forget(candidate.path)
      visit.begin().fail(500, 'the file cannot be read')
    }
  }

  /**
   * Undefined: not here, or not ours: under another name (a link's, a directory's) the app's file is still the app's.
   * Differs from uWSGI: the app then sees the path that was asked for, where uWSGI adds the name of the index to it.
   */
  async #open(candidate: Candidate): Promise<OpenFile | undefined> {
    const found = await this.#find(candidate)
    if (found === undefined || !this.#options.plan.skippedEnds.some((end) => found.path.endsWith(end))) return found
    await found.handle.close()
    return undefined
  }

  async #find({ path, roots }: Candidate): Promise<OpenFile | undefined> {
    const { plan, log } = this.#options
    const found = await openWithin(path, roots)
    if (found.kind === 'open') return found
    if (found.kind === 'outside') {
      log(`[uwsgi-fileserve] security error: ${found.path} is not under ${roots[0]} or a safe path`)
    }
    // The root itself is the app's, as in uWSGI, whatever index it has.
    if (found.kind !== 'directory' || path === roots[0]) return undefined
    for (const index of plan.indexes) {
      const inside = await openWithin(`${found.path}/${index}`, roots)
      if (inside.kind === 'open') return inside
    }
    return undefined
  }

  /** Reads it whole, and keeps it if it did not change meanwhile. */
  async #sendSmall(visit: Visit, lookup: Lookup, { path: askedPath, roots }: Candidate, opened: OpenFile): Promise<void> {
    const { handle, path, stats } = opened
    let file: CachedFile
    try {
      const bytes = Buffer.allocUnsafeSlow(stats.size)
      let length = 0
      while (length < bytes.length) {
        const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length)
        if (bytesRead === 0) break
        length += bytesRead
      }
      const after = await handle.stat()
      // Cut or grown while it was read: what was read is a file, if only one of a moment.
      const now = length === stats.size ? stats : after
      const contentType = this.#options.plan.mimeTypes.typeOf(path)
      const isLocal = await areLocal([path, roots[0] as string])
      file = { path, stats: now, bytes: bytes.subarray(0, length), contentType, isLocal }
      // An index is found under the path of its directory, where no look would tell whether it is still the same.
      if (length === stats.size && areSame(stats, after) && (await this.#leadsTo(askedPath, stats))) {
        this.#cache.add(askedPath, file)
      }
    } finally {
      await handle.close()
    }
    if (!visit.isAbandoned) this.#sendCached(visit, lookup, file)
  }

  /** Whether a path, links followed, leads to this file. */
  #leadsTo(path: string, { ino, dev }: { ino: number; dev: number }): Promise<boolean> {
    return new Promise((resolve) => {
      this.#looks.at(path, (now) => resolve(now?.ino === ino && now.dev === dev))
    })
  }

  #sendCached(visit: Visit, lookup: Lookup, file: CachedFile): void {
    const { answer, part } = this.#answerCached(lookup, file)
    visit.begin().send(answer, part, true, { isLasting: true })
  }

  #answerCached(lookup: Lookup, { path, stats, bytes, contentType }: CachedFile): { answer: FileAnswer; part: Buffer } {
    const answer = this.#answer(lookup, { path, size: bytes.length, modifiedMs: stats.mtimeMs, contentType })
    const size = lookup.isHead ? 0 : answer.length
    const part = size === bytes.length ? bytes : bytes.subarray(answer.offset, answer.offset + size)
    this.#options.answered({ packet: lookup.packet, answer, size, startedAt: lookup.startedAt })
    return { answer, part }
  }

  async #sendLarge(visit: Visit, lookup: Lookup, { handle, path, stats }: OpenFile): Promise<void> {
    const contentType = this.#options.plan.mimeTypes.typeOf(path)
    const answer = this.#answer(lookup, { path, size: stats.size, modifiedMs: stats.mtimeMs, contentType })
    const length = lookup.isHead ? 0 : answer.length
    this.#options.answered({ packet: lookup.packet, answer, size: length, startedAt: lookup.startedAt })
    await sendFile(visit.begin(), answer, { handle, offset: answer.offset, length, path }, this.#options.log)
  }

  #answer(
    { vars, isHead, pathInfo }: Lookup,
    file: { path: string; size: number; modifiedMs: number; contentType: string | undefined },
  ): FileAnswer {
    const { plan, changeHeaders } = this.#options
    const text = (name: string): string => findVar(vars, name) ?? ''
    const range = isHead ? '' : text('HTTP_RANGE')
    const request: FileRequest = {
      ifModifiedSince: text('HTTP_IF_MODIFIED_SINCE'),
      ifNoneMatch: text('HTTP_IF_NONE_MATCH'),
      range,
      ifRange: range === '' ? '' : text('HTTP_IF_RANGE'),
    }
    const mayExpire = plan.expires.length > 0 || plan.expiresByType.size > 0
    const expiry = mayExpire ? expiryOf(plan, file, { uri: text('REQUEST_URI'), pathInfo }, Date.now()) : undefined
    const answer = answerFile(request, file, expiry)
    return changeHeaders === undefined ? answer : { ...answer, headers: changeHeaders(answer.headers) }
  }
}

/** Of a request that is over already. */
const noTicket: Ticket = { acknowledge: () => {}, abandon: () => {} }

/** One exchange on its way through here: to its file, or on to the app. */
class Visit implements Ticket {
  delivery: Delivery | undefined
  isAbandoned = false
  readonly over: Promise<void>
  readonly #exchange: Exchange
  readonly #log: (line: string) => void
  readonly #resolveOver: () => void
  #next: Ticket | undefined

  constructor(exchange: Exchange, log: (line: string) => void) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.over = promise
    this.#resolveOver = resolve
    this.#exchange = exchange
    this.#log = log
  }

  acknowledge(bytes: number): void {
    this.delivery?.acknowledge(bytes)
    this.#next?.acknowledge(bytes)
  }

  abandon(): void {
    if (this.isAbandoned) return
    this.isAbandoned = true
    this.delivery?.abandon()
    this.#next?.abandon()
    this.#resolveOver()
  }

  /** The answer is ours. */
  begin(): Delivery {
    if (this.delivery === undefined) {
      this.delivery = new Delivery(this.#exchange, this.#log)
      if (this.isAbandoned) this.delivery.abandon()
      void this.delivery.ended.then(this.#resolveOver)
    }
    return this.delivery
  }

  /** The answer is the app's. */
  goOn(submit: (exchange: Exchange) => Ticket | undefined): void {
    this.#next = submit(this.#exchange)
    if (this.#next === undefined) this.#exchange.fail(503, 'the queue of requests is full')
    this.#resolveOver()
  }
}
