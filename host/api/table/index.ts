// The API table: every function and attribute of the guests' `uwsgi` module, declared once. Bindings install it by a
// loop, implementations are typed from it, declarations and reference pages are generated from it.
import { identity } from './identity.ts'
import { logging } from './logging.ts'
import { options } from './options.ts'

export const apiTable = [...identity, ...logging, ...options] as const

/** `worker_id` → `workerId`: the idiomatic JavaScript name. */
export const camelCaseName = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
