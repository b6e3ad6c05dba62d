// A peer of a built-in plugin: sends one packet, and sees what comes back as the client's connection would.
import type { ApiContext } from '../../../host/api/context.ts'
import type { Plugin } from '../../../host/plugin/plugin.ts'
import { WholeBody } from '../../../host/request/body.ts'
import type { ResponseHead, ResponseSink } from '../../../host/request/response-sink.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'

export interface PeerAnswer {
  /** Undefined: the response had no head. */
  readonly head: ResponseHead | undefined
  readonly bytes: Buffer
  /** True when it was ended, by the plugin or, as the host does it, after it. */
  readonly isEnded: boolean
}

class PeerSink implements ResponseSink {
  readonly clientGone = false
  head: ResponseHead | undefined
  readonly chunks: Buffer[] = []
  isEnded = false
  isCut = false

  send(head: ResponseHead | undefined, chunk: Uint8Array | undefined, last: boolean, isRaw = false): void {
    if (this.isEnded) throw new Error('sent after the end')
    if (head !== undefined && isRaw) throw new Error('a head in a raw response')
    if (head === undefined && this.head === undefined && !isRaw) throw new Error('bytes before a head')
    this.head ??= head
    if (chunk !== undefined) this.chunks.push(Buffer.from(chunk))
    this.isEnded = last
  }

  async sendAsync(head: ResponseHead | undefined, chunk: Uint8Array | undefined, last: boolean, isRaw?: boolean): Promise<void> {
    this.send(head, chunk, last, isRaw)
  }

  cut(): void {
    this.isCut = true
  }
}

export class PacketPeer {
  readonly #plugin: Plugin
  readonly logLines: readonly string[]

  private constructor(harness: PluginHarness) {
    this.#plugin = harness.plugin
    this.logLines = harness.logLines
  }

  static async of(plugin: Plugin, server: Partial<ApiContext>): Promise<PacketPeer> {
    return new PacketPeer(await PluginHarness.boot(plugin, { server }))
  }

  async send(modifier2: number, block: Uint8Array, body: Uint8Array = new Uint8Array(0)): Promise<PeerAnswer> {
    const sink = new PeerSink()
    const request = new WsgiRequest({
      coreId: 0,
      modifier1: this.#plugin.modifier1 as number,
      modifier2,
      vars: block,
      body: new WholeBody(body),
      sink,
      app: undefined,
    })
    const result = await this.#plugin.request?.(request)
    if (result !== 0) throw new Error(`the plugin returned ${result}`)
    return { head: sink.head, bytes: Buffer.concat(sink.chunks), isEnded: sink.isEnded }
  }
}
