// How a worker begins a request: reads the packet, finds the app, or says why it cannot be served.
// Invariant: what is handed out holds nothing of the slot but its body: another request may lie there before this one's log line
// is written.

import { hasVarsBlock } from '../../protocol/modifiers.ts'
import { checkVars, encodeVars, findVar } from '../../protocol/vars.ts'
import type { Log } from '../api/context.ts'
import type { MimeTypes } from '../files/mime-types.ts'
import type { App } from '../plugin/app.ts'
import type { Plugin } from '../plugin/plugin.ts'
import type { PluginRegistry } from '../plugin/registry.ts'
import type { RequestBody } from '../request/body.ts'
import type { HeaderChange } from '../request/header-change.ts'
import { WsgiRequest } from '../request/wsgi-request.ts'
import type { StateMap } from '../state/state-map.ts'
import type { FinishedRequest } from './accounts.ts'
import { failedApp } from './app-loader.ts'
import type { Mountpoints } from './mountpoints.ts'
import type { SlotSink } from './slot-sink.ts'

export interface RequestOpenerOptions {
  readonly state: StateMap
  readonly workerId: number
  readonly log: Log
  readonly registry: PluginRegistry
  readonly mountpoints: Mountpoints
  readonly mimeTypes: MimeTypes
  readonly changeHeaders: HeaderChange | undefined
  readonly describeFailure: ((request: WsgiRequest, error: unknown) => Uint8Array) | undefined
}

/** One request that its core has begun. */
export interface RunningRequest extends FinishedRequest {
  readonly sink: SlotSink
  /** It was answered here: nobody can serve it. */
  readonly isRefused: boolean
  hasFailed: boolean
}

const { timeOrigin } = performance

export class RequestOpener {
  readonly #options: RequestOpenerOptions

  constructor(options: RequestOpenerOptions) {
    this.#options = options
  }

  /** @returns undefined for a packet that is none, which has been answered */
  open(slot: number, coreId: number, body: RequestBody, sink: SlotSink): RunningRequest | undefined {
    const { state, log, registry, mountpoints } = this.#options
    // A copy: pulled pieces of the body overwrite the packet's place, and once the response is out the slot is another
    // request's, while this one's log line, and guests that kept the request, still read its variables.
    const packet = Buffer.from(state.slots.packet(slot))
    const modifier1 = packet[0] as number
    let vars: Uint8Array = packet.subarray(4)
    // The block of an RPC call is a list, and that of an echo is anything.
    const isVars = hasVarsBlock(modifier1, packet[3] as number)
    try {
      if (isVars) checkVars(vars)
    } catch (error) {
      log.text(`malformed request packet: ${(error as Error).message}`)
      answerPlainly(sink, '400 Bad Request')
      return undefined
    }
    const scriptName = isVars ? (findVar(vars, 'SCRIPT_NAME') ?? '') : ''
    const pathInfo = isVars ? (findVar(vars, 'PATH_INFO') ?? '') : ''
    const route = mountpoints.find(modifier1, scriptName, pathInfo)
    if (route !== undefined && (route.scriptName !== scriptName || route.pathInfo !== pathInfo)) {
      // The last occurrence of a variable counts, so appending replaces.
      const split = encodeVars([
        ['SCRIPT_NAME', route.scriptName],
        ['PATH_INFO', route.pathInfo],
      ])
      const whole = Buffer.allocUnsafe(vars.length + split.length)
      whole.set(vars)
      whole.set(split, vars.length)
      vars = whole
    }
    const app = route?.app
    const startedAt = performance.now()
    state.slots.noteCore(slot, this.#options.workerId, coreId, Math.floor((timeOrigin + startedAt) / 1000))
    const request = new WsgiRequest({
      coreId,
      modifier1: app?.modifier1 ?? modifier1,
      modifier2: packet[3] as number,
      vars,
      body,
      sink,
      app,
      describeFailure: this.#options.describeFailure,
      changeHeaders: this.#options.changeHeaders,
      startedAt,
      mimeTypes: this.#options.mimeTypes,
    })
    const refusal = this.#refusal(request, app, registry.requestPlugin(modifier1), pathInfo)
    if (refusal !== undefined) {
      log.text(refusal.reason)
      sink.unlimited()
      request.setHead(refusal.status, 'Content-Type\0text/plain')
      request.finish(Buffer.from(`${refusal.status.slice(4)}\n`))
    }
    return { request, app, sink, packetSize: packet.length - 4, startedAt, isRefused: refusal !== undefined, hasFailed: false }
  }

  /** Why a request cannot be served at all, if it cannot. */
  #refusal(
    request: WsgiRequest,
    app: App | undefined,
    plugin: Plugin | undefined,
    path: string,
  ): { status: string; reason: string } | undefined {
    if (app !== undefined) {
      if (app.handle !== failedApp) return undefined
      const where = app.mountpoint === '' ? '/' : app.mountpoint
      return {
        status: '500 Internal Server Error',
        reason: `--- the app at ${where} (${app.source}) could not be loaded: see the log of the start ---`,
      }
    }
    const { modifier1 } = request
    if (plugin === undefined && (modifier1 !== 0 || this.#options.mountpoints.size === 0)) {
      return modifier1 === 0
        ? { status: '500 Internal Server Error', reason: '--- no app found, check your startup logs for errors ---' }
        : { status: '501 Not Implemented', reason: `-- unavailable modifier requested: ${modifier1} --` }
    }
    if (servesByItself(plugin)) return undefined
    if (modifier1 === 0 && this.#options.mountpoints.size > 0) {
      return { status: '404 Not Found', reason: `no app is mounted at ${JSON.stringify(path.slice(0, 200))}` }
    }
    return {
      status: '500 Internal Server Error',
      reason: `--- no ${plugin?.name ?? 'application'} application found, check your startup logs for errors ---`,
    }
  }
}

/** A plugin that names no kind of app needs none. */
export const servesByItself = (plugin: Plugin | undefined): boolean =>
  plugin?.request !== undefined && plugin.appExtensions === undefined

/** @param status whose words are the body too */
export const answerPlainly = (sink: SlotSink, status: string): void => {
  sink.unlimited()
  sink.send({ status, headers: 'Content-Type\0text/plain' }, Buffer.from(status.slice(4)), true)
}
