// Servers with one worker of many cores: polywsgi, and real uWSGI's Python with the greenlet engine. Its own ugreen engine is
// not measured: with Python 3.11 the frames of suspended requests overwrite one another, and the worker crashes.

import { uwsgiPlugins } from './programs.ts'
import { type Language, type Server, startPolywsgi, startUwsgi, type UwsgiFront } from './servers.ts'

const app = 'cores'
/** Requests that may wait; above what any row has open at once. */
const waiting = 20_000

export const asyncLanguages: readonly Language[] = ['python', 'lua', 'js']
export const asyncPeerNeeds = ['uwsgi', 'uwsgi-python', 'uwsgi-greenlet'] as const
/** The note that belongs into rows of languages that real uWSGI cannot suspend. */
export function asyncPeerNotes(language: Language): string[] {
  if (language === 'python') return []
  return ["The peer is uWSGI's Python with the greenlet engine: its Lua cannot be suspended, and it has no JavaScript."]
}

export async function startAsyncPolywsgi(language: Language, cores: number, options: readonly string[] = []): Promise<Server> {
  return await startPolywsgi(app, [language], 1, ['--async', String(cores), '--listen', String(waiting), ...options])
}

/** It answers on the path of Python's mount. */
export async function startAsyncUwsgi(front: UwsgiFront, cores: number, options: readonly string[] = []): Promise<Server> {
  const engine = ['--plugins', uwsgiPlugins.greenlet, '--greenlet']
  return await startUwsgi(app, 'python', front, 1, [...engine, '--async', String(cores), ...options])
}
