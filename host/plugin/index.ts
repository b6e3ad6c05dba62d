// The public face for plugin authors: `import type { Plugin } from 'polywsgi/plugin'`.

export type { BoundApi, BoundAttribute, BoundFunction } from '../api/bind.ts'
export type { ApiContext, Log, ThreadIdentity } from '../api/context.ts'
export { type FunctionOwner, GuestFunction } from '../api/guest-function.ts'
export type {
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
} from '../api/kinds.ts'
export { ApiArgumentError, ApiError, AppLoadError, ClientError, GuestError, PolywsgiError, TimeoutError } from '../errors.ts'
export type { RequestBody } from '../request/body.ts'
export type { BodyLimit, BodyReader } from '../request/body-reader.ts'
export type { Moment } from '../request/response-headers.ts'
export type { BodyChunk, WsgiRequest } from '../request/wsgi-request.ts'
export { pluginApiVersion } from './api-version.ts'
export type { App, AppMount } from './app.ts'
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
