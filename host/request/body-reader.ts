// A request's body as plugins like to read it: all of it, so many bytes, a line, a piece, from a place: uWSGI's
// `uwsgi_request_body_*`. Each method is there twice: the plain one parks the thread until the bytes are here, and is for
// hooks that return a number; the one that ends in `Async` is for hooks that return a promise, and other cores go on meanwhile.
// Invariant: bytes that were fetched and not handed out stay here, whatever is thrown; what is handed out is the caller's own.
import { PolywsgiError } from '../errors.ts'
import type { RequestBody } from './body.ts'
import { ByteQueue } from './byte-queue.ts'

export interface BodyLimit {
  /** Most bytes to keep in memory for the answer. */
  readonly limit?: number
}

/** uWSGI warns past this (`body-read-warning`). */
const defaultLimit = 8 * 1024 * 1024

const pieceSize = 65_536
const newline = 10

/** A method's work: yields how many bytes it wants next and is given a piece, empty at the end of the body. */
type Work<T> = Generator<number, T, Uint8Array>

export class BodyReader {
  readonly #body: RequestBody
  /** Fetched and not handed out. */
  readonly #fetched = new ByteQueue()
  #ended = false
  #position = 0
  #isBusy = false

  constructor(body: RequestBody) {
    this.#body = body
  }

  /** How many bytes were handed out or dropped, counted from the begin of the body: where the next read begins. */
  get position(): number {
    return this.#position
  }

  /** True when `seek` works: the body is here, in a file as `post-buffering` says, or in memory, as small ones are in any case. */
  get canSeek(): boolean {
    return this.#body.seek !== undefined
  }

  /**
   * So many bytes: fewer only at the end of the body, where the array is empty. Without `hint`, or with 0: all that is left.
   * @param hint bytes, from 0
   * @param options.limit most bytes of an answer, 8 MB unless said otherwise
   * @throws PolywsgiError API_REFUSED when there is more than the limit: nothing is lost, the next read begins where this one did;
   *   ClientError CLIENT_GONE when the client left before the bytes were here, BODY_TIMEOUT when it stalled. What did arrive, the
   *   next read gives
   */
  read(hint = 0, options: BodyLimit = {}): Buffer {
    return this.#run(this.#read(hint, options.limit))
  }

  /** As `read`, without parking the thread. */
  readAsync(hint = 0, options: BodyLimit = {}): Promise<Buffer> {
    return this.#runAsync(this.#read(hint, options.limit))
  }

  /**
   * What comes next up to a line feed and with it, or `hint` bytes of it; the last line may be without. Empty at the end of the
   * body.
   * @param hint most bytes; 0: as many as the line has
   * @throws PolywsgiError as `read`
   */
  readLine(hint = 0, options: BodyLimit = {}): Buffer {
    return this.#run(this.#readLine(hint, options.limit))
  }

  /** As `readLine`, without parking the thread. */
  readLineAsync(hint = 0, options: BodyLimit = {}): Promise<Buffer> {
    return this.#runAsync(this.#readLine(hint, options.limit))
  }

  /**
   * What is here, at least one byte: to pass a body on without keeping it. Empty at the end. Differs from uWSGI: a piece is not one
   * of the client's chunks, which `uwsgi_chunked_read` gives; chunked and plain bodies are read alike.
   * @param max most bytes
   */
  readChunk(max = pieceSize): Buffer {
    return this.#run(this.#readChunk(max))
  }

  /** As `readChunk`, without parking the thread. */
  readChunkAsync(max = pieceSize): Promise<Buffer> {
    return this.#runAsync(this.#readChunk(max))
  }

  /** The pieces to the end of the body: `for await (const piece of request.input)`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const piece = await this.readChunkAsync()
      if (piece.length === 0) return
      yield piece
    }
  }

  /**
   * Drops the rest of the body. @returns how many bytes that were
   * @throws ClientError as `read`
   */
  consume(): number {
    return this.#run(this.#consume())
  }

  /** As `consume`, without parking the thread. */
  consumeAsync(): Promise<number> {
    return this.#runAsync(this.#consume())
  }

  /**
   * Where the next read begins, counted from the begin of the body. Takes no time: there is no other form of it.
   * @throws PolywsgiError API_REFUSED for a body that is passed on as it arrives; API_ARGUMENT for a place outside of it
   */
  seek(position: number): void {
    this.#assertFree()
    const body = this.#body
    if (body.seek === undefined) {
      throw new PolywsgiError(
        'API_REFUSED',
        'the request body is read as it arrives, and cannot seek: see the option post-buffering',
      )
    }
    checkedCount('the position in the body', position)
    if (position > body.contentLength) {
      throw new PolywsgiError('API_ARGUMENT', `position ${position} is behind the end of the body of ${body.contentLength} bytes`)
    }
    body.seek(position)
    this.#fetched.clear()
    this.#ended = false
    this.#position = position
  }

  *#read(hint: number, limit = defaultLimit): Work<Buffer> {
    checkedCount('the number of bytes', hint)
    checkedCount('the limit', limit)
    if (hint > limit) throw new PolywsgiError('API_ARGUMENT', `${hint} bytes are more than the limit of ${limit}`)
    if (hint > 0) {
      yield* this.#hold(hint)
      return this.#take(hint)
    }
    const left = this.#body.contentLength - this.#position
    // Known before a byte is kept, mostly.
    if (left > limit) throw tooMuch('the rest of the body', limit)
    yield* this.#hold(limit + 1)
    if (this.#fetched.length > limit) throw tooMuch('the rest of the body', limit)
    return this.#take(this.#fetched.length)
  }

  *#readLine(hint: number, limit = defaultLimit): Work<Buffer> {
    checkedCount('the number of bytes', hint)
    checkedCount('the limit', limit)
    const most = hint > 0 ? Math.min(hint, limit) : limit
    let before = 0
    for (let index = 0; before < most; index += 1) {
      if (index === this.#fetched.pieces.length && !(yield* this.#fetch(pieceSize))) break
      const piece = this.#fetched.pieces[index] as Buffer
      const at = piece.indexOf(newline)
      if (at !== -1) {
        const length = before + at + 1
        if (length <= most) return this.#take(length)
      }
      before += piece.length
    }
    if (before < most || (hint > 0 && most === hint)) return this.#take(Math.min(before, most))
    // As long as the limit, and perhaps the end of the body is right there.
    if (before === most && !(yield* this.#fetch(1))) return this.#take(most)
    throw tooMuch('the line', limit)
  }

  *#readChunk(max: number): Work<Buffer> {
    if (checkedCount('the size of a piece', max) === 0) throw new PolywsgiError('API_ARGUMENT', 'a piece has at least one byte')
    if (this.#fetched.length === 0) yield* this.#fetch(Math.min(max, pieceSize))
    return this.#take(Math.min(max, this.#fetched.pieces[0]?.length ?? 0))
  }

  *#consume(): Work<number> {
    let dropped = 0
    do {
      dropped += this.#fetched.length
      this.#position += this.#fetched.length
      this.#fetched.clear()
    } while (yield* this.#fetch(pieceSize))
    return dropped
  }

  /** Fetches until so many bytes are here, or the body ends. */
  *#hold(count: number): Work<void> {
    while (this.#fetched.length < count && (yield* this.#fetch(Math.min(count - this.#fetched.length, pieceSize))));
  }

  /** @returns false at the end of the body */
  *#fetch(max: number): Work<boolean> {
    if (this.#ended) return false
    const piece = yield max
    if (piece.length === 0) {
      this.#ended = true
      return false
    }
    // A copy: the bytes lie where the next read, or the next request, will put its own.
    this.#fetched.push(Buffer.from(piece))
    return true
  }

  #take(most: number): Buffer {
    const bytes = this.#fetched.take(most)
    this.#position += bytes.length
    return bytes
  }

  #assertFree(): void {
    if (this.#isBusy) throw new PolywsgiError('API_REFUSED', 'the request body is being read already: await that first')
  }

  #run<T>(work: Work<T>): T {
    this.#assertFree()
    let step = work.next()
    while (!step.done) step = work.next(this.#body.read(step.value))
    return step.value
  }

  async #runAsync<T>(work: Work<T>): Promise<T> {
    this.#assertFree()
    this.#isBusy = true
    try {
      let step = work.next()
      while (!step.done) step = work.next(await this.#body.readAsync(step.value))
      return step.value
    } finally {
      this.#isBusy = false
    }
  }
}

const checkedCount = (what: string, count: number): number => {
  if (Number.isSafeInteger(count) && count >= 0) return count
  throw new PolywsgiError('API_ARGUMENT', `${what} is a whole number from 0, not ${count}`)
}

const tooMuch = (what: string, limit: number): PolywsgiError =>
  new PolywsgiError('API_REFUSED', `${what} is longer than the limit of ${limit} bytes`)
