// The core dictionary: every word that is there before a program defines its own.
import type { BoundApi } from 'polywsgi/plugin'
import { Dictionary } from './dictionary.ts'
import { callingWords, controlWords, returnStackWords } from './words-control.ts'
import { definingWords, readingWords } from './words-defining.ts'
import { requestReadingWords, requestWords } from './words-http.ts'
import { memoryWords } from './words-memory.ts'
import { numberWords } from './words-numbers.ts'
import { outputWords } from './words-output.ts'
import { apiWords, type Owner, serverReadingWords, serverWords } from './words-uwsgi.ts'

/** @param owner whose the functions are that programs hand to the API */
export const createCore = (api: BoundApi, owner: Owner): Dictionary => {
  const core = new Dictionary()
  // First, so that a short name of theirs (`uwsgi.log` is `log` too) gives way to a word of Forth.
  core.defineAll(apiWords(api, owner))
  for (const table of [numberWords, memoryWords, callingWords, definingWords, outputWords, requestWords]) core.defineAll(table)
  core.defineAll(serverWords(api, owner))
  core.defineAll(returnStackWords, { isCompileOnly: true })
  core.defineAll(controlWords, { isCompileOnly: true, isImmediate: true })
  for (const table of [readingWords, requestReadingWords, serverReadingWords]) core.defineAll(table, { isImmediate: true })
  return core
}
