// The log of one thread: plain lines as uWSGI writes them, or JSON objects by pino (`log-json`). Both go through the same
// writer, so that ordering and loss are handled in one place.

import pino from 'pino'
import type { Log } from '../api/context.ts'
import { type LogTarget, LogWriter } from './log-writer.ts'
import { compileLogFormat, defaultRequestLine, type RequestFacts, requestLogObject } from './request-line.ts'

export interface LogSettings {
  readonly json: boolean
  /** Undefined: uWSGI's default line. */
  readonly format: string | undefined
  readonly micros: boolean
  /** `disable-logging`: no line per request. */
  readonly logRequests: boolean
}

export interface Logger extends Log {
  /** Hands over the number of the descriptor that the log goes to now. It is not to be kept: the log may be opened anew. */
  lend<Result>(use: (fd: number) => Result): Result
  /** False: requests leave no lines unless one is wanted all the same. */
  readonly logsRequests: boolean
  /** The line of a request, if requests are logged or it is wanted all the same. May wait for `flush`. */
  request(facts: RequestFacts, isWanted?: boolean): void
  flush(): void
  /** Drops whatever comes from now on. */
  close(): void
}

/** Of a thread. */
export interface ThreadLogger extends Logger {
  /** Whose lines they are from now on. */
  setOrigin(origin: Record<string, string | number>): void
}

/**
 * @param target where its lines go
 * @param onLine sees every line that is written
 * @param onLost hears that lines cannot be written from now on
 */
export const createLogger = (
  settings: LogSettings,
  target: LogTarget,
  origin: Record<string, string | number>,
  onLine?: (line: string) => void,
  onLost?: (why: Error) => void,
): ThreadLogger => {
  const writer = new LogWriter(target)
  writer.onLine = onLine
  writer.onLost = onLost
  return settings.json ? jsonLogger(writer, settings, origin) : textLogger(writer, settings)
}

const textLogger = (writer: LogWriter, settings: LogSettings): ThreadLogger => {
  const line = settings.format === undefined ? defaultRequestLine(settings.micros) : compileLogFormat(settings.format)
  return {
    lend: (use) => writer.lend(use),
    logsRequests: settings.logRequests,
    text: (text) => writer.text(text),
    bytes: (bytes) => writer.bytes(bytes),
    request: (facts, isWanted = false) => {
      if (settings.logRequests || isWanted) writer.gather(line(facts))
    },
    flush: () => writer.flush(),
    close: () => writer.close(),
    setOrigin: () => {},
  }
}

const jsonLogger = (writer: LogWriter, settings: LogSettings, origin: Record<string, string | number>): ThreadLogger => {
  let gathering = false
  const write = (line: string): void => {
    const withoutNewline = line.slice(0, -1)
    if (gathering) writer.gather(Buffer.from(withoutNewline, 'utf8').toString('latin1'))
    else writer.text(withoutNewline)
  }
  let logger = pino({ base: origin }, { write })
  return {
    lend: (use) => writer.lend(use),
    logsRequests: settings.logRequests,
    text: (text) => logger.info(text),
    bytes: (bytes) => logger.info(Buffer.from(bytes).toString('utf8')),
    request: (facts, isWanted = false) => {
      if (!settings.logRequests && !isWanted) return
      gathering = true
      logger.info(requestLogObject(facts), 'request')
      gathering = false
    },
    flush: () => writer.flush(),
    close: () => writer.close(),
    setOrigin: (changed) => {
      logger = pino({ base: changed }, { write })
    },
  }
}
