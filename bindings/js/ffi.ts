// The C functions of the interpreter that are used here (quickjs-emscripten, c/interface.c). All values are addresses of
// values: 8 bytes on the interpreter's heap.

/** An address in the interpreter's memory; 0 is none. */
export type Pointer = number

export interface QuickJs {
  _malloc(size: number): Pointer
  _free(address: Pointer): void
  _QTS_NewRuntime(): Pointer
  _QTS_NewContext(runtime: Pointer, intrinsics: number): Pointer
  _QTS_RuntimeSetMaxStackSize(runtime: Pointer, size: number): void
  _QTS_RuntimeEnableInterruptHandler(runtime: Pointer): void
  _QTS_RuntimeDisableInterruptHandler(runtime: Pointer): void
  _QTS_RuntimeEnableModuleLoader(runtime: Pointer, normalize: number): void
  _QTS_RuntimeComputeMemoryUsage(runtime: Pointer, context: Pointer): Pointer
  _QTS_GetUndefined(): Pointer
  _QTS_Eval(context: Pointer, code: Pointer, size: number, file: Pointer, detectModule: number, flags: number): Pointer
  _QTS_Call(context: Pointer, fn: Pointer, self: Pointer, argc: number, argv: Pointer): Pointer
  _QTS_Throw(context: Pointer, error: Pointer): Pointer
  _QTS_ResolveException(context: Pointer, value: Pointer): Pointer
  _QTS_NewFunction(context: Pointer, name: Pointer, length: number, isConstructor: number, id: number): Pointer
  _QTS_NewObject(context: Pointer): Pointer
  _QTS_NewString(context: Pointer, text: Pointer): Pointer
  _QTS_NewFloat64(context: Pointer, value: number): Pointer
  _QTS_NewArrayBuffer(context: Pointer, data: Pointer, size: number): Pointer
  _QTS_GetString(context: Pointer, value: Pointer): Pointer
  _QTS_FreeCString(context: Pointer, text: Pointer): void
  _QTS_GetProp(context: Pointer, object: Pointer, name: Pointer): Pointer
  _QTS_SetProp(context: Pointer, object: Pointer, name: Pointer, value: Pointer): void
  _QTS_DupValuePointer(context: Pointer, value: Pointer): Pointer
  _QTS_FreeValuePointer(context: Pointer, value: Pointer): void
  _QTS_IsJobPending(runtime: Pointer): number
  _QTS_ExecutePendingJob(runtime: Pointer, max: number, lastContext: Pointer): Pointer
  /** @param functions where the addresses of the two functions go that settle the promise */
  _QTS_NewPromiseCapability(context: Pointer, functions: Pointer): Pointer
  _QTS_PromiseState(context: Pointer, promise: Pointer): number
  _QTS_PromiseResult(context: Pointer, promise: Pointer): Pointer
  /** A C string that the caller frees. */
  _QTS_Typeof(context: Pointer, value: Pointer): Pointer
  _QTS_bjson_decode(context: Pointer, buffer: Pointer): Pointer
  UTF8ToString(address: Pointer): string
  callbacks: unknown
}
