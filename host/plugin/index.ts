// The public face for plugin authors: `import type { Plugin } from 'polywsgi/plugin'`. The bindings of the three languages use
// nothing that is not here (test/unit/plugin/public-face.test.ts).

export type { BoundApi, BoundAttribute, BoundCallable, BoundFunction } from '../api/bind.ts'
export type { ApiContext, Connections, CoreWaits, Log, ThreadIdentity } from '../api/context.ts'
export { type DirectFunction, notDefined } from '../api/direct.ts'
export type { ChangedAttributes, FileStats, GuestAccess, GuestFiles, HostFile, OpenMode } from '../api/guest-access.ts'
export { type FunctionOwner, GuestFunction } from '../api/guest-function.ts'
export type { CpuOwners, GuestStops } from '../api/guest-stops.ts'
export type {
  ApiCallable,
  ApiEntry,
  ApiFunction,
  ApiHook,
  ApiParameter,
  ApiResult,
  ApiScalar,
  ApiValue,
  BytesMap,
  OptionMap,
  OptionValue,
  RecordValue,
} from '../api/kinds.ts'
export { camelCaseName } from '../api/table/index.ts'
export {
  ApiArgumentError,
  ApiError,
  AppLoadError,
  ClientError,
  FileError,
  GuestError,
  PolywsgiError,
  TimeoutError,
} from '../errors.ts'
export type { RequestBody } from '../request/body.ts'
export type { BodyChunk } from '../request/body-chunk.ts'
export type { BodyLimit, BodyReader } from '../request/body-reader.ts'
export type { Moment } from '../request/response-headers.ts'
export { reasonPhrase } from '../request/status.ts'
export type { WsgiRequest } from '../request/wsgi-request.ts'
export { pluginApiVersion } from './api-version.ts'
export type { App, AppMount } from './app.ts'
export { type GuestDeclarations, type GuestPluginDescription, type Plain, Unfit } from './guest-description.ts'
export { type GuestHook, type GuestHookName, type GuestParameter, guestHooks, refusedGuestHooks } from './guest-hooks.ts'
export { type GuestAnswer, type GuestArgument, type GuestContext, type GuestFile, guestPlugin } from './guest-plugin.ts'
export { GuestRequests, type RequestMember, type ServedRequest } from './guest-request.ts'
export { type HookEntry, type HookName, hookTable } from './hook-table.ts'
export { LineJoiner } from './line-joiner.ts'
export type { HookAction, MasterContext, Plugin, PluginFunction, RequestResult, WorkerContext } from './plugin.ts'
export type { PluginOption, PluginOptionValue } from './plugin-option.ts'
export {
  connect,
  type PipeTarget,
  type PluginSocket,
  type SocketLimit,
  type SocketPacket,
  type SocketTimeout,
  waitMilliseconds,
} from './sockets.ts'
export {
  instantiateWasm,
  type WasmExports,
  type WasmGlobal,
  type WasmImports,
  type WasmInstance,
  type WasmMemory,
  type WasmModule,
  type WasmTable,
  wasm,
  wasmPageSize,
} from './web-assembly.ts'
