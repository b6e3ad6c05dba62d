// The guest glue: the files of guest/ in the order they run, and those that run when a program first names what they
// define. They make the web platform and the calling conventions out of the host functions.
import abort from './guest/abort.js?raw'
import blob from './guest/blob.js?raw'
import body from './guest/body.js?raw'
import bytes from './guest/bytes.js?raw'
import calls from './guest/calls.js?raw'
import console from './guest/console.js?raw'
import dispatch from './guest/dispatch.js?raw'
import errors from './guest/errors.js?raw'
import files from './guest/files.js?raw'
import formData from './guest/form-data.js?raw'
import headers from './guest/headers.js?raw'
import inspect from './guest/inspect.js?raw'
import jsgi from './guest/jsgi.js?raw'
import lazy from './guest/lazy.js?raw'
import mount from './guest/mount.js?raw'
import platform from './guest/platform.js?raw'
import primordials from './guest/primordials.js?raw'
import request from './guest/request.js?raw'
import response from './guest/response.js?raw'
import pipe from './guest/streams-pipe.js?raw'
import readable from './guest/streams-readable.js?raw'
import transform from './guest/streams-transform.js?raw'
import writable from './guest/streams-writable.js?raw'
import structuredClone from './guest/structured-clone.js?raw'
import textEncoding from './guest/text-encoding.js?raw'
import timers from './guest/timers.js?raw'
import url from './guest/url.js?raw'
import uwsgi from './guest/uwsgi.js?raw'

export interface GlueFile {
  /** As guests see it in stacks. No module has such a name. */
  readonly file: string
  readonly source: string
}

export interface LazyGlueFile extends GlueFile {
  /** The globals it defines, and with a dot in front the members of `lib`. */
  readonly defines: readonly string[]
}

/** Run at start-up, in this order: a file uses what the files before it have put into `lib`. */
export const glueFiles: readonly GlueFile[] = [
  { file: 'polywsgi:primordials.js', source: primordials },
  { file: 'polywsgi:lazy.js', source: lazy },
  { file: 'polywsgi:bytes.js', source: bytes },
  { file: 'polywsgi:errors.js', source: errors },
  { file: 'polywsgi:headers.js', source: headers },
  { file: 'polywsgi:body.js', source: body },
  { file: 'polywsgi:request.js', source: request },
  { file: 'polywsgi:response.js', source: response },
  { file: 'polywsgi:platform.js', source: platform },
  { file: 'polywsgi:uwsgi.js', source: uwsgi },
  { file: 'polywsgi:files.js', source: files },
  { file: 'polywsgi:calls.js', source: calls },
  { file: 'polywsgi:dispatch.js', source: dispatch },
  { file: 'polywsgi:mount.js', source: mount },
]

/** Run when something they define is first asked for: half of what a start would cost. */
export const lazyGlueFiles: readonly LazyGlueFile[] = [
  {
    file: 'polywsgi:inspect.js',
    source: inspect,
    defines: ['.describe', '.guestLines', '.inspect', '.inspectNested', '.reportError'],
  },
  { file: 'polywsgi:console.js', source: console, defines: ['console'] },
  {
    file: 'polywsgi:text-encoding.js',
    source: textEncoding,
    defines: ['TextEncoder', 'TextDecoder', 'atob', 'btoa', '.TextEncoder', '.TextDecoder'],
  },
  {
    file: 'polywsgi:timers.js',
    source: timers,
    defines: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'queueMicrotask', '.setTimer'],
  },
  {
    file: 'polywsgi:abort.js',
    source: abort,
    defines: [
      'Event',
      'EventTarget',
      'AbortSignal',
      'AbortController',
      '.newSignal',
      '.abortSignal',
      '.isSignal',
      '.AbortController',
    ],
  },
  { file: 'polywsgi:url.js', source: url, defines: ['URL', 'URLSearchParams', '.URL'] },
  {
    file: 'polywsgi:streams-readable.js',
    source: readable,
    defines: ['ReadableStream', 'ReadableStreamDefaultReader', 'ReadableStreamDefaultController', '.streams'],
  },
  { file: 'polywsgi:streams-pipe.js', source: pipe, defines: ['.pipes'] },
  {
    file: 'polywsgi:streams-writable.js',
    source: writable,
    defines: ['WritableStream', 'WritableStreamDefaultWriter', 'WritableStreamDefaultController', '.writable'],
  },
  {
    file: 'polywsgi:streams-transform.js',
    source: transform,
    defines: ['TransformStream', 'TextEncoderStream', 'TextDecoderStream', 'CountQueuingStrategy', 'ByteLengthQueuingStrategy'],
  },
  { file: 'polywsgi:blob.js', source: blob, defines: ['Blob', 'File', '.isBlob', '.blobBytes', '.File', '.newBlob'] },
  { file: 'polywsgi:form-data.js', source: formData, defines: ['FormData', '.parseForm'] },
  { file: 'polywsgi:structured-clone.js', source: structuredClone, defines: ['structuredClone'] },
  { file: 'polywsgi:jsgi.js', source: jsgi, defines: ['.addJsgiApp'] },
]
