// The WebAssembly around calls that can be suspended: small modules, made here, whose functions stand between CPython and the host.
// Invariant: a stack is suspended in `wait` only, and `resumed` is the first thing that happens on it afterwards, before any
// other code can run; no frame of JavaScript is between an entry and a `wait` below it.
import { wasm } from '../../host/plugin/web-assembly.ts'
import type { Pointer } from './capi.ts'

/** What suspends and resumes; `token` names the core. */
export interface SuspensionPoints {
  /** A promise that never rejects: the stack stands still until it resolves. */
  wait(token: number): Promise<void>
  /** Puts the core back in place. Returns what the function that waited returns. */
  resumed(token: number): Pointer
}

/** Runs one call on a stack of its own. */
export type CoreEntry = (token: number, callable: Pointer, args: Pointer, count: number) => Promise<void>

interface StackSwitching {
  Suspending: new (call: (...args: number[]) => unknown) => unknown
  promising(entry: unknown): unknown
}
const { Suspending, promising } = wasm as unknown as StackSwitching

const i32 = 0x7f
const [call, localGet, localTee, i32Const, i32And, i32Eqz, ifThen, returnNow, end] = [
  0x10, 0x20, 0x22, 0x41, 0x71, 0x45, 0x04, 0x0f, 0x0b,
]
const noBlockType = 0x40

/** An unsigned integer in wasm's variable length form. */
export const leb128 = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb128(value >>> 7)])

export const section = (id: number, items: readonly (readonly number[])[]): number[] => {
  const content = [...leb128(items.length), ...items.flat()]
  return [id, ...leb128(content.length), ...content]
}

export const functionType = (parameters: number, results: number): number[] => [
  ...[0x60, parameters, ...Array<number>(parameters).fill(i32)],
  ...[results, ...Array<number>(results).fill(i32)],
]

export const wasmName = (text: string): number[] => [...leb128(text.length), ...Buffer.from(text, 'latin1')]

export const wasmHeader = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

const imported = (name: string, type: number): number[] => [...wasmName('h'), ...wasmName(name), 0x00, type]
const exported = (name: string, index: number): number[] => [...wasmName(name), 0x00, ...leb128(index)]
const body = (code: readonly number[]): number[] => [...leb128(code.length), ...code]

/**
 * Functions that may wait: each calls its `begin`, which answers at once with a pointer, or with the odd number of a core that
 * is to wait.
 */
export const waitingFunctions = (
  begins: readonly { readonly parameters: number; readonly begin: (...args: number[]) => number }[],
  points: SuspensionPoints,
): unknown[] => {
  const firstBegin = 2
  const firstFunction = firstBegin + begins.length
  const [waitType, resumedType] = [5, 1]
  const code = ({ parameters }: { parameters: number }, index: number): number[] => {
    const answer = parameters
    const pass = Array.from({ length: parameters }, (_, parameter) => [localGet!, parameter]).flat()
    return body([
      ...[0x01, 0x01, i32],
      ...[...pass, call!, ...leb128(firstBegin + index), localTee!, answer],
      ...[i32Const!, 1, i32And!, i32Eqz!, ifThen!, noBlockType, localGet!, answer, returnNow!, end!],
      ...[localGet!, answer, call!, 0, localGet!, answer, call!, 1, end!],
    ])
  }
  const bytes = [
    ...wasmHeader,
    ...section(1, [...[0, 1, 2, 3, 4].map((parameters) => functionType(parameters, 1)), functionType(1, 0)]),
    ...section(2, [
      imported('wait', waitType),
      imported('resumed', resumedType),
      ...begins.map(({ parameters }, index) => imported(`b${index}`, parameters)),
    ]),
    ...section(
      3,
      begins.map(({ parameters }) => [parameters]),
    ),
    ...section(
      7,
      begins.map((_, index) => exported(`f${index}`, firstFunction + index)),
    ),
    ...section(10, begins.map(code)),
  ]
  const host: Record<string, unknown> = Object.assign(Object.create(null), {
    wait: new Suspending((token) => points.wait(token!)),
    resumed: (token: number) => points.resumed(token),
  })
  begins.forEach(({ begin }, index) => {
    host[`b${index}`] = begin
  })
  const { exports } = new wasm.Instance(new wasm.Module(new Uint8Array(bytes)), { h: host })
  return begins.map((_, index) => exports[`f${index}`])
}

/**
 * @param vectorcall PyObject_Vectorcall itself, not a JavaScript function around it
 * @param ended is told the result, a new reference or 0, on the core's stack
 */
export const coreEntry = (vectorcall: unknown, ended: (token: number, result: Pointer) => void): CoreEntry => {
  const bytes = [
    ...wasmHeader,
    ...section(1, [functionType(4, 1), functionType(2, 0), functionType(4, 0)]),
    ...section(2, [imported('vectorcall', 0), imported('ended', 1)]),
    ...section(3, [[2]]),
    ...section(7, [exported('enter', 2)]),
    ...section(10, [
      body([...[0x00, localGet!, 0], ...[localGet!, 1, localGet!, 2, localGet!, 3, i32Const!, 0, call!, 0], ...[call!, 1, end!]]),
    ]),
  ]
  const { exports } = new wasm.Instance(new wasm.Module(new Uint8Array(bytes)), { h: { vectorcall, ended } })
  return promising(exports['enter']) as CoreEntry
}
