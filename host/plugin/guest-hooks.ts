// The hooks that a plugin written in a guest's language may define, under uWSGI's names: what each is called with, what it
// may answer, and which member of `Plugin` it becomes. Those that such a plugin cannot have are here with the reason.
import type { Plugin } from './plugin.ts'

/**
 * What a hook is called with: `context`, what the plugin may know of its thread (the same object each time); `request`, the
 * request object; `text`, `int`, `bytes`, `dict` (names to bytes) as for functions of the API.
 */
export type GuestParameter = 'context' | 'request' | 'text' | 'int' | 'bytes' | 'dict'

/**
 * What its answer counts for: `none`, nothing; `truth`, true or false, where nothing is false and a number is true unless it
 * is 0; `result`, 0, 1 or -1, where nothing is 0; `number`, a whole number, where nothing is 0; `app`, anything at all, which
 * is the plugin's handle of an app, but that nothing, false and -1 mean "not mine".
 */
export type GuestAnswerKind = 'none' | 'truth' | 'result' | 'number' | 'app'

export interface GuestHook {
  readonly member: keyof Plugin
  readonly params: readonly GuestParameter[]
  readonly answer: GuestAnswerKind
}

/** In the order in which a thread calls them. */
export const guestHooks = {
  on_load: { member: 'onLoad', params: ['context'], answer: 'none' },
  init: { member: 'init', params: ['context'], answer: 'none' },
  post_init: { member: 'postInit', params: ['context'], answer: 'none' },
  post_fork: { member: 'postFork', params: ['context'], answer: 'none' },
  worker: { member: 'worker', params: ['context'], answer: 'truth' },
  preinit_apps: { member: 'preinitApps', params: ['context'], answer: 'none' },
  init_apps: { member: 'initApps', params: ['context'], answer: 'none' },
  mount_app: { member: 'mountApp', params: ['text', 'text'], answer: 'app' },
  postinit_apps: { member: 'postinitApps', params: ['context'], answer: 'none' },
  init_thread: { member: 'initThread', params: ['int'], answer: 'none' },
  fixup: { member: 'fixup', params: ['context'], answer: 'none' },
  hijack_worker: { member: 'hijackWorker', params: ['context'], answer: 'none' },
  spooler_init: { member: 'spoolerInit', params: ['context'], answer: 'none' },
  mule: { member: 'mule', params: ['text', 'context'], answer: 'truth' },
  request: { member: 'request', params: ['request'], answer: 'result' },
  suspend: { member: 'suspend', params: ['request'], answer: 'none' },
  resume: { member: 'resume', params: ['request'], answer: 'none' },
  after_request: { member: 'afterRequest', params: ['request'], answer: 'none' },
  mule_msg: { member: 'muleMsg', params: ['bytes'], answer: 'truth' },
  spooler: { member: 'spooler', params: ['text', 'dict', 'bytes'], answer: 'number' },
  atexit: { member: 'atexit', params: [], answer: 'none' },
} as const satisfies Readonly<Record<string, GuestHook>>

export type GuestHookName = keyof typeof guestHooks

const inMaster = 'it runs in the master, which runs no guest code'
const beforeFile = 'it runs before the file is loaded'
const ofLanguage = "the file's language does this for all code that is written in it"
const noPrivileges = 'the server neither changes its privileges nor has vassals'
const asRegistered = 'functions that are registered with the uwsgi module are called as they are'

/**
 * Hooks that a plugin written as a guest's file cannot define, and why. Differs from uWSGI: its plugins are all native code,
 * in the master as in the workers.
 */
export const refusedGuestHooks: Readonly<Record<string, string>> = {
  enable_threads: inMaster,
  master_cycle: inMaster,
  magic: inMaster,
  manage_udp: inMaster,
  harakiri: inMaster,
  master_cleanup: inMaster,
  pre_uwsgi_fork: inMaster,
  code_string: inMaster,
  master_fixup: beforeFile,
  post_uwsgi_fork: beforeFile,
  rpc: asRegistered,
  signal_handler: asRegistered,
  encode_string: ofLanguage,
  decode_string: ofLanguage,
  backtrace: ofLanguage,
  exception_class: ofLanguage,
  exception_msg: ofLanguage,
  exception_repr: ofLanguage,
  exception_log: ofLanguage,
  jail: noPrivileges,
  post_jail: noPrivileges,
  early_post_jail: noPrivileges,
  before_privileges_drop: noPrivileges,
  vassal: noPrivileges,
  vassal_before_exec: noPrivileges,
}

export const isGuestHook = (name: string): name is GuestHookName => Object.hasOwn(guestHooks, name)
