// A request for tests of what hangs on it: its response is kept in memory.

import { ClientError } from '../../../host/errors.ts'
import { type RequestBody, WholeBody } from '../../../host/request/body.ts'
import type { ResponseHead, ResponseSink } from '../../../host/request/response-sink.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { encodeVars } from '../../../protocol/vars.ts'

export class KeptResponse implements ResponseSink {
  clientGone = false
  head: ResponseHead | undefined
  readonly chunks: Buffer[] = []

  send(head: ResponseHead | undefined, chunk: Uint8Array | undefined): void {
    if (this.clientGone) throw new ClientError('CLIENT_GONE', 'the client has closed its connection')
    this.head ??= head
    if (chunk !== undefined) this.chunks.push(Buffer.from(chunk))
  }

  async sendAsync(head: ResponseHead | undefined, chunk: Uint8Array | undefined): Promise<void> {
    this.send(head, chunk)
  }

  cut(): void {}

  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1')
  }
}

export interface MemoryRequest {
  readonly request: WsgiRequest
  readonly response: KeptResponse
}

export const memoryRequest = (
  vars: Record<string, string> = {},
  body: RequestBody = new WholeBody(new Uint8Array(0)),
  more: { startedAt?: number } = {},
): MemoryRequest => {
  const response = new KeptResponse()
  const block = encodeVars(Object.entries(vars))
  const fields = { coreId: 0, modifier1: 0, modifier2: 0, vars: block, body, sink: response, app: undefined }
  return { request: new WsgiRequest({ ...fields, ...more }), response }
}
