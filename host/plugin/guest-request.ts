// The requests that plugins written as a guest's file are serving, as one interpreter sees them.
// Invariant: members act on the request whose hook is running; an object that outlives its hook is refused.
import type { BoundCallable } from '../api/bind.ts'
import { checkArguments } from '../api/check-arguments.ts'
import type { ApiValue } from '../api/kinds.ts'
import { ApiError, ClientError, PolywsgiError } from '../errors.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import { type GuestRequestMember, guestRequestMembers } from './guest-request-members.ts'

/** A request on its way through a hook. */
export interface ServedRequest {
  readonly request: WsgiRequest
  /** The number by which the guest's object names it. */
  readonly serial: number
  /** The plugin's own number of the app that the request was routed to; 0 for none. */
  readonly app: number
  /** What the hook was told when the client turned out to be gone. */
  clientError: ClientError | undefined
}

export interface RequestMember extends BoundCallable {
  /** As guests write it: `add_header`. */
  readonly name: string
  readonly isProperty: boolean
}

/** The requests of all plugin files of one interpreter. */
export class GuestRequests {
  readonly members: readonly RequestMember[] = guestRequestMembers.map((member) => ({
    name: member.name.slice('request.'.length),
    isProperty: member.isProperty === true,
    entry: member,
    call: (args) => this.#call(member, args),
  }))
  readonly #memoryLimit: number
  #current: ServedRequest | undefined
  #serial = 0

  /** @param memoryLimit bytes that the interpreter may have */
  constructor(memoryLimit: number) {
    this.#memoryLimit = memoryLimit
  }

  /** Runs a hook for a request: meanwhile its object may be used. */
  serve<T>(request: WsgiRequest, app: number, run: (served: ServedRequest) => T): T {
    const outer = this.#current
    this.#serial = (this.#serial + 1) & 0x3fffffff
    const served: ServedRequest = { request, serial: this.#serial, app, clientError: undefined }
    this.#current = served
    try {
      return run(served)
    } finally {
      this.#current = outer
    }
  }

  /** @throws PolywsgiError when `serial` is not that of the request whose hook is running */
  assertCurrent(serial: number | undefined): void {
    if (serial !== undefined && serial === this.#current?.serial) return
    throw new PolywsgiError('API_REFUSED', 'this request object is of another call: it lives as long as the hook that got it')
  }

  #call(member: GuestRequestMember, args: readonly ApiValue[]): ApiValue {
    const served = this.#current
    if (served === undefined) throw new PolywsgiError('API_REFUSED', 'no request is being served')
    const checked = checkArguments(member, args)
    const { request } = served
    try {
      return member.run(request, checked, this.#memoryLimit)
    } catch (error) {
      if (error instanceof ClientError) served.clientError = error
      else if (error instanceof PolywsgiError) {
        throw new ApiError(member.name, 'API_REFUSED', error.message, { cause: error })
      }
      throw error
    }
  }
}
