// A function of a guest as the host holds it: whose it is, and the owner's own handle of it. The host never looks into the
// handle; it calls the function through the owner, which is the plugin of its language.

type OwnerAnswer = Uint8Array | string | undefined

/** The part of a plugin that runs functions it handed out. `Plugin` has it; bindings pass themselves. */
export interface FunctionOwner {
  readonly name: string
  readonly modifier1?: number
  /**
   * Runs a function with bytes, for RPC.
   * @param mayWait the caller takes a promise; otherwise a function that has to wait parks the thread
   * @returns bytes, or text for `encodeString`; undefined when the function answered nothing
   * @throws GuestError when the function raised
   */
  rpc?(handler: unknown, args: readonly Uint8Array[], mayWait?: boolean): OwnerAnswer | Promise<OwnerAnswer>
  /** Text as its language's bytes. UTF-8 without this. */
  encodeString?(text: string): Uint8Array
  /**
   * Runs a function as the handler of a signal. False: not handled.
   * @throws GuestError when the function raised
   */
  signalHandler?(signum: number, handler: unknown): boolean | Promise<boolean>
  /** The host will not call the function again: its handle may be given back. */
  releaseFunction?(handler: unknown): void
}

export class GuestFunction {
  readonly owner: FunctionOwner
  readonly handler: unknown

  constructor(owner: FunctionOwner, handler: unknown) {
    this.owner = owner
    this.handler = handler
  }

  release(): void {
    this.owner.releaseFunction?.(this.handler)
  }
}
