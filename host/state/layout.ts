// The one memory map: a SharedArrayBuffer that the master makes and every worker opens. This file says what lies where;
// the neighbours say what it means. Offsets are bytes, every region starts on a cache line so that two threads' hot words
// never share one.
//
//   header | doorbells | seats | worker slots | request queue | request slots (records) | request areas | response rings
//
// Areas are touched only as far as a request fills them, and untouched pages cost no memory: reserving much is cheap.

/** Sizes that are fixed for the life of the map. */
export interface StateShape {
  readonly workers: number
  /** Of each worker; 1 unless said otherwise. */
  readonly cores?: number
  /** Mules and spoolers: they are numbered after the workers, and serve no requests. */
  readonly otherThreads?: number
  /** Threads beside them that are kept ready to stand for a worker. */
  readonly spares?: number
  /** Requests that may be queued or running at once; a power of two is not needed. */
  readonly requestSlots: number
  /** Bytes of one request area: a whole packet, and a body behind it when both fit. */
  readonly requestAreaSize: number
  /** Bytes of one thread's response ring: a power of two. */
  readonly responseRingSize: number
}

export interface StateLayout extends StateShape {
  /** The highest number of a thread. */
  readonly threads: number
  /** The highest seat. */
  readonly seatCapacity: number
  readonly doorbells: number
  readonly seats: number
  readonly currentSeats: number
  readonly workerSlots: number
  readonly queue: number
  /** Entries of the request queue: a power of two. */
  readonly queueCapacity: number
  readonly slotRecords: number
  readonly areas: number
  readonly rings: number
  readonly byteLength: number
}

export const cacheLine = 64
/** Words (int32) of one doorbell, one seat, one worker slot, one request record: each whole cache lines. */
export const doorbellWords = 16
export const seatWords = 16
export const workerSlotWords = 32
export const requestRecordWords = 16
/** Two cache lines ahead of the queue's entries: the head and the tail word. */
export const queueHeaderBytes = 2 * cacheLine
/** Two cache lines ahead of each ring's bytes: the producer's word and the consumer's. */
export const ringHeaderBytes = 2 * cacheLine

/** Of each number one thread that serves, and one that is to follow it or has gone before and drains; and the spares. */
export const seatCapacity = (threads: number, spares: number): number => 2 * threads + spares

const aligned = (bytes: number): number => Math.ceil(bytes / cacheLine) * cacheLine

/** @throws RangeError for a ring size that is no power of two */
export const computeLayout = (shape: StateShape): StateLayout => {
  if (shape.responseRingSize < 4096 || (shape.responseRingSize & (shape.responseRingSize - 1)) !== 0) {
    throw new RangeError(`the response ring's size must be a power of two from 4096 on, not ${shape.responseRingSize}`)
  }
  let end = 0
  const take = (bytes: number): number => {
    const start = end
    end = aligned(end + bytes)
    return start
  }
  take(cacheLine)
  const threads = shape.workers + (shape.otherThreads ?? 0)
  const capacity = seatCapacity(threads, shape.spares ?? 0)
  const doorbells = take((capacity + 1) * doorbellWords * 4)
  const seats = take((capacity + 1) * seatWords * 4)
  const currentSeats = take((threads + 1) * 4)
  const workerSlots = take((shape.workers + 1) * workerSlotWords * 4)
  // A power of two, so that counters may run over 2^32; twice the slots, since entries of withdrawn requests linger.
  const queueCapacity = 2 ** Math.ceil(Math.log2(shape.requestSlots * 2))
  const queue = take(queueHeaderBytes + queueCapacity * 4)
  const slotRecords = take(shape.requestSlots * requestRecordWords * 4)
  const requestAreaSize = aligned(shape.requestAreaSize)
  const areas = take(shape.requestSlots * requestAreaSize)
  const rings = take(capacity * (ringHeaderBytes + shape.responseRingSize))
  return {
    ...shape,
    threads,
    seatCapacity: capacity,
    requestAreaSize,
    doorbells,
    seats,
    currentSeats,
    workerSlots,
    queue,
    queueCapacity,
    slotRecords,
    areas,
    rings,
    byteLength: end,
  }
}
