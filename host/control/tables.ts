// What `polywsgi ctl` prints for people: tables with a line per thing, single values as they are.
import type { CacheRow, SignalRow, WorkerRow } from './commands.ts'
import { type Bytes, bytesFromJson } from './lines.ts'

interface KeyList {
  readonly keys: readonly Bytes[]
  readonly more: number
}

/** The bytes to print for an answer, the final line break included. @param command its words */
export const humanText = (command: string, result: unknown): Uint8Array => {
  const make = printers[command]
  const made = make === undefined ? JSON.stringify(result, undefined, 2) : make(result as never)
  return typeof made === 'string' ? Buffer.from(`${made}\n`) : Buffer.concat([made, Buffer.from('\n')])
}

const printers: Readonly<Record<string, (result: never) => string | Uint8Array>> = {
  workers: (workers: readonly WorkerRow[]) =>
    table(
      ['WORKER', 'STATUS', 'RUNNING', 'REQUESTS', 'EXCEPTIONS', 'HARAKIRIS', 'RESPAWNS', 'STARTED', 'HEAP'],
      workers.map((worker) => [
        worker.id,
        worker.accepting ? worker.status : 'down',
        worker.running,
        worker.requests,
        worker.exceptions,
        worker.harakiris,
        worker.respawns,
        worker.lastSpawn === 0 ? '-' : new Date(worker.lastSpawn * 1000).toISOString(),
        Object.entries(worker.heapBytes)
          .map(([language, bytes]) => `${language} ${Math.ceil(bytes / 2 ** 20)}M`)
          .join(', '),
      ]),
    ),
  reload: ({ reloaded }: { reloaded: string }) => `reloaded (${reloaded})`,
  'log reopen': () => 'opened anew',
  'log rotate': ({ rotated }: { rotated: string | null }) => rotated ?? 'opened anew: the file had been moved',
  'cache ls': (result: readonly CacheRow[] | KeyList) =>
    'more' in result ? keyList(result.keys, result.more) : cacheTable(result),
  'cache get': ({ value }: { value: Bytes }) => bytesFromJson(value),
  'cache set': () => 'set',
  'cache del': () => 'deleted',
  'cache clear': () => 'cleared',
  'rpc ls': (names: readonly string[]) => (names.length === 0 ? 'no function is registered' : names.join('\n')),
  'rpc call': ({ value }: { value: Bytes | null }) => (value === null ? '' : bytesFromJson(value)),
  signals: (signals: readonly SignalRow[]) =>
    signals.length === 0
      ? 'no signal is registered'
      : table(
          ['SIGNAL', 'RECEIVER', 'HANDLERS'],
          signals.map(({ signum, receiver, handlers }) => [signum, receiver === '' ? 'worker' : receiver, handlers]),
        ),
  signal: ({ raised }: { raised: number }) => `signal ${raised} raised`,
  stop: () => 'stopping',
}

const cacheTable = (caches: readonly CacheRow[]): string =>
  caches.length === 0
    ? 'the server has no cache'
    : table(
        ['CACHE', 'ITEMS', 'MOST', 'HITS', 'MISSES', 'FULL'],
        caches.map(({ name, items, maxItems, hits, misses, full }) => [name, items, maxItems, hits, misses, full]),
      )

const newline = Buffer.from('\n')

/** A key may hold a line break; whoever reads keys by program asks for --json. */
const keyList = (keys: readonly Bytes[], more: number): Uint8Array => {
  const lines = keys.flatMap((key, index) => [...(index === 0 ? [] : [newline]), bytesFromJson(key)])
  return Buffer.concat(more > 0 ? [...lines, Buffer.from(`\n(and ${more} more)`)] : lines)
}

/** Columns of the width that they need; numbers stand at the right. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const texts = [head, ...rows.map((row) => row.map(plain))]
  const widths = head.map((_, column) => Math.max(...texts.map((row) => row[column]!.length)))
  const isNumber = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'))
  return texts
    .map((row) => row.map((cell, column) => (isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))))
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n')
}

/** Names come from guests: they move no cursor and begin no line. */
const plain = (cell: string | number): string => String(cell).replace(/\p{Cc}/gu, '?')
